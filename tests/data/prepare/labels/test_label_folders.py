"""Labels of images from their folders, and folders that are no labels."""

import numpy as np
import pytest

from iidgan.data.prepare import prepare
from tests.helpers.errors import raises_input_error
from tests.helpers.images import (
    encode_image,
    labelled_files,
    load_arrays,
    random_images,
    write_files,
    write_zip,
)

PNG = encode_image(random_images(1)[0])


@pytest.mark.parametrize("pack", [write_files, write_zip])
@pytest.mark.parametrize("prefix", ["", "photos/2024/"])
def test_labels_from_first_folders(tmp_path, pack, prefix):
    files = {prefix + name: content for name, content in labelled_files().items()}
    files |= {prefix + ".DS_Store": "x", "__MACOSX/dog/._1.png": "x", prefix + "readme.txt": "hi"}
    result = prepare("pets", origin=str(pack(tmp_path / "pets", files)), size=8)
    images, labels = load_arrays(result)
    assert result.manifest.labels == ("bird", "cat", "dog")
    assert labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert result.skipped == ()
    expected = random_images(6)[[3, 4, 1, 2, 5, 0]]
    assert np.array_equal(images, expected.transpose(0, 3, 1, 2))


def test_labels_of_single_folder(tmp_path):
    files = {f"all/{i}.png": encode_image(image) for i, image in enumerate(random_images(3))}
    result = prepare("x", origin=str(write_files(tmp_path / "x", files)))
    assert load_arrays(result)[1] is None
    assert result.manifest.label_counts == ()


def test_labels_refuse_stray_images(tmp_path):
    files = labelled_files() | {"stray.png": PNG}
    folder = str(write_files(tmp_path / "x", files))
    with raises_input_error("labels", "1 of 7", "stray.png"):
        prepare("x", origin=folder)
    result = prepare("x", origin=folder, labels="none")
    assert (result.manifest.count, load_arrays(result)[1]) == (7, None)


def test_labels_refuse_split_folders(tmp_path):
    files = {
        f"{part}/{name}": x for part in ("Train", "test") for name, x in labelled_files().items()
    }
    folder = write_files(tmp_path / "x", files)
    with raises_input_error("labels", "Train, test", f"{folder}/Train"):
        prepare("x", origin=str(folder))
    assert prepare("x", origin=str(folder / "test")).manifest.labels == ("bird", "cat", "dog")
    by_folder = prepare("y", origin=str(folder), labels="folders")
    assert by_folder.manifest.labels == ("Train", "test")


def test_labels_name_split_in_archive(tmp_path):
    parts = ("train", "test")
    files = {f"set/{part}/{name}": x for part in parts for name, x in labelled_files().items()}
    folder = write_zip(tmp_path / "x.zip", files)
    with raises_input_error("labels", "set/train in the extracted archive"):
        prepare("x", origin=str(folder))


def write_images(folder, names):
    return str(write_files(folder, dict.fromkeys(names, PNG)))


PARTS = ["Training", "Testing", "seg_train", "testA", "VAL2017", "dev", "eval", "unlabeled"]
PARTS += ["TrainSet", "testdata", "validation-images", "x_train", "holdout", "Unlabelled"]


@pytest.mark.parametrize("part", PARTS)
def test_labels_recognise_part_names(tmp_path, part):
    parts = write_images(tmp_path / "x", [f"{part}/cat/1.png", "test/dog/2.png"])
    with raises_input_error("labels", part, "look like parts of a data set rather than labels"):
        prepare("x", origin=parts)
    mixed = write_images(tmp_path / "y", [f"{part}/1.png", "cat/2.png", "dog/3.png"])
    choices = [
        "looks like a part of",
        "cat, dog may be labels",
        f"--from, for example {mixed}/{part}",
        "--labels folders",
    ]
    with raises_input_error("labels", part, *choices, "or none"):
        prepare("y", origin=mixed)
    assert prepare("y", origin=mixed, labels="folders").manifest.label_counts == (1, 1, 1)


@pytest.mark.parametrize("pair", [("imagesTr", "imagesTs"), ("tr", "te"), ("x_trn", "x_tst")])
def test_labels_recognise_short_part_names(tmp_path, pair):
    parts = write_images(tmp_path / "x", [f"{folder}/1.png" for folder in pair])
    with raises_input_error("labels", *pair, "look like parts", f"{parts}/{pair[0]}"):
        prepare("x", origin=parts)
    languages = write_images(tmp_path / "y", ["tr/1.png", "te/2.png", "de/3.png"])
    assert prepare("y", origin=languages).manifest.labels == ("de", "te", "tr")


@pytest.mark.parametrize("name", ["contest", "interval", "developer", "strain", "medieval", "15"])
def test_labels_from_names_like_parts(tmp_path, name):
    folder = write_images(tmp_path / "x", [f"{name}/1.png", "cat/2.png"])
    assert prepare("x", origin=folder).manifest.labels == tuple(sorted([name, "cat"]))


@pytest.mark.parametrize("pack", [write_files, write_zip])
@pytest.mark.parametrize("names", [["a/1.png", "b/2.png"], ["1.png", "2.png"]])
def test_labels_notice_copy(tmp_path, pack, names):
    files = [*names, *(f"pets/{name}" for name in names), "pets/c/3.png"]
    path = pack(tmp_path / "x", dict.fromkeys(files, PNG))
    with raises_input_error(
        "labels", "pets has a copy of all 2 images", "--from", "x", "--labels"
    ):
        prepare("x", origin=str(path))
    assert prepare("x", origin=str(path), labels="none").manifest.count == 5


def test_labels_of_nested_names_are_no_copy(tmp_path):
    folder = write_images(tmp_path / "x", ["a/1.png", "a/2.png", "b/a/1.png", "b/3.png"])
    assert prepare("x", origin=folder).manifest.labels == ("a", "b")


SHARDS = {
    "FFHQ": [f"{k:02}000/{k:02}00{i}.png" for k in range(3) for i in range(2 + k % 2)],
    "without the first": [f"{k}000/{k}00{i}.png" for k in (12, 13, 20) for i in range(2 + k % 2)],
    "StyleGAN": [f"{k:05}/img{2 * k + i:08}.png" for k in range(3) for i in range(2 - k // 2)],
    "folds": [f"fold{k}/{i}.png" for k in (1, 2, 3) for i in range(1 + k)],
    "named": [f"shard_{k}/{i}.png" for k in range(3) for i in range(1 + k)],
}


@pytest.mark.parametrize("names", SHARDS.values(), ids=SHARDS)
def test_labels_ignore_numbered_shards(tmp_path, names):
    messages, folder = [], write_images(tmp_path / "x", names)
    result = prepare("x", origin=folder, on_message=messages.append)
    assert (load_arrays(result)[1], result.manifest.count) == (None, len(names))
    assert "are shards rather than labels (--labels folders if they are classes)" in messages[0]
    assert len(prepare("y", origin=folder, labels="folders").manifest.labels) == 3


def test_labels_refuse_ambiguous_numbers(tmp_path):
    """GTSRB has classes 00000, 00001, ... of different sizes."""
    names = [f"{k:05}/{k:05}_{i:05}.png" for k in range(3) for i in range(3 - k % 2)]
    folder = write_images(tmp_path / "x", names)
    with raises_input_error("labels", "00000, 00001, 00002", "--labels folders", "--labels none"):
        prepare("x", origin=folder)


def test_labels_from_short_numbers(tmp_path):
    folder = write_images(tmp_path / "x", [f"{k}/{k}{i}.png" for k in range(10) for i in range(2)])
    assert prepare("x", origin=folder).manifest.label_counts == (2,) * 10
