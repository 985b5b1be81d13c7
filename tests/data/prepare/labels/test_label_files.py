"""Labels of images in the layouts of StyleGAN and WebDataset."""

import io
import json
import tarfile

import pytest

from iidgan.data.prepare import prepare
from tests.helpers.errors import raises_input_error
from tests.helpers.images import (
    encode_image,
    load_arrays,
    random_images,
    write_files,
    write_zip,
)

PNG = encode_image(random_images(1)[0])
STYLEGAN_NAMES = [f"{i // 2:05}/img{i:08}.png" for i in range(5)]


def write_stylegan(path, labels, pack=write_zip, prefix=""):
    files = {f"{prefix}{name}": PNG for name in STYLEGAN_NAMES}
    content = labels if isinstance(labels, str) else json.dumps({"labels": labels})
    return str(pack(path, files | {f"{prefix}dataset.json": content}))


@pytest.mark.parametrize("pack", [write_files, write_zip])
@pytest.mark.parametrize("prefix", ["", "set/"])
def test_labels_from_dataset_json(tmp_path, pack, prefix):
    labels = [[name, i % 3] for i, name in enumerate(STYLEGAN_NAMES)]
    path = write_stylegan(tmp_path / "x.zip", labels, pack, prefix)
    result = prepare("x", origin=path)
    assert result.manifest.labels == ("0", "1", "2")
    assert load_arrays(result)[1].tolist() == [0, 1, 2, 0, 1]


def test_labels_from_dataset_json_of_single_shard(tmp_path):
    files = {"00000/1.png": PNG, "00000/2.png": PNG}
    files["dataset.json"] = '{"labels": [["00000/1.png", 3], ["00000\\\\2.png", 4]]}'
    result = prepare("x", origin=str(write_files(tmp_path / "x", files)))
    assert (result.manifest.labels, result.skipped) == (("3", "4"), ())


def test_labels_null_in_dataset_json(tmp_path):
    messages = []
    path = write_stylegan(tmp_path / "x.zip", None)
    result = prepare("x", origin=path, on_message=messages.append)
    assert load_arrays(result)[1] is None
    assert messages == ["dataset.json: the images have no labels"]


def test_labels_missing_in_dataset_json(tmp_path):
    messages = []
    labels = [[STYLEGAN_NAMES[0], 1], ["00009/gone.png", 1]]
    path = write_stylegan(tmp_path / "x.zip", labels)
    result = prepare("x", origin=path, on_message=messages.append)
    assert (result.manifest.count, result.manifest.skipped) == (1, {"has no label": 4})
    assert messages == ["dataset.json: 1 labels belong to no image"]


NAME = STYLEGAN_NAMES[0]


@pytest.mark.parametrize(
    ("labels", "values"),
    [
        ("{", ["dataset.json is not JSON"]),
        ([[NAME, [0.5, 0.5]]], [NAME, "got [0.5, 0.5]"]),
        ([[NAME, 0.5]], ["an integer or a word", "got 0.5"]),
        ([[NAME, None]], ["got null"]),
        (["cat"], ["pairs of a file and a label", 'got "cat"']),
        ({NAME: 1}, ["pairs of a file and a label"]),
        ([[NAME, 1], [NAME, 2]], [NAME, "'1' and '2'"]),
        ([["gone.png", 1]], ["none of the 5 images"]),
        ([], ["none of the 5 images"]),
    ],
)
def test_labels_refuse_invalid_dataset_json(tmp_path, labels, values):
    path = write_stylegan(tmp_path / "x.zip", labels)
    with raises_input_error("labels", "dataset.json", *values, "--labels folders"):
        prepare("x", origin=path)


def test_labels_ignore_other_dataset_json(tmp_path):
    files = {"a/1.png": PNG, "b/2.png": PNG, "dataset.json": '{"licence": "CC0"}'}
    result = prepare("x", origin=str(write_files(tmp_path / "x", files)))
    assert result.manifest.labels == ("a", "b")


def write_tar(path, files):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            content = content if isinstance(content, bytes) else content.encode()
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def sidecar_files(suffix, contents):
    return {
        name: content
        for i, text in enumerate(contents)
        for name, content in ((f"{i:06}{suffix}", text), (f"{i:06}.png", PNG))
    }


SIDECARS = {
    "cls": (".cls", ["2", "10\n", "2"], ("2", "10"), [0, 1, 0]),
    "words": (".cls", ["cat", "dog", " dog "], ("cat", "dog"), [0, 1, 1]),
    "json": (".json", ['{"label": 1}', '{"label": 0, "x": [1]}', '{"label": 1}'], None, [1, 0, 1]),
    "json of booleans": (".json", ['{"cls": true}', '{"cls": false}'], None, [1, 0]),
}


@pytest.mark.parametrize(
    ("suffix", "contents", "names", "labels"), SIDECARS.values(), ids=SIDECARS
)
@pytest.mark.parametrize("pack", [write_files, write_tar])
def test_labels_from_sidecars(tmp_path, pack, suffix, contents, names, labels):
    messages = []
    path = str(pack(tmp_path / "x", sidecar_files(suffix, contents)))
    result = prepare("x", origin=path, on_message=messages.append)
    assert result.manifest.labels == (names or ("0", "1"))
    assert load_arrays(result)[1].tolist() == labels
    assert messages == [f"labels are read from the {suffix} files"]


def test_labels_of_missing_sidecar(tmp_path):
    files = sidecar_files(".cls", ["1", "2", "", "2"])
    del files["000001.cls"], files["000003.cls"]
    result = prepare("x", origin=str(write_files(tmp_path / "x", files)))
    assert result.manifest.labels == ("1",)
    assert [str(image) for image in result.skipped] == [
        f"{i:06}.png: has no label" for i in (1, 2, 3)
    ]


@pytest.mark.parametrize("value", ["[1, 2]", "0.5", '{"id": 3}'])
def test_labels_refuse_sidecar_of_other_type(tmp_path, value):
    files = sidecar_files(".json", [f'{{"label": {value}}}'] * 2)
    with raises_input_error("labels", "000000.json", f"got {value}", "--labels none"):
        prepare("x", origin=str(write_files(tmp_path / "x", files)))


@pytest.mark.parametrize("content", ['{"caption": "a cat"}', "[1]", "{", '{"label": null}'])
def test_labels_ignore_sidecars_without_label(tmp_path, content):
    files = sidecar_files(".json", [content] * 3)
    result = prepare("x", origin=str(write_files(tmp_path / "x", files)))
    assert (result.manifest.count, load_arrays(result)[1]) == (3, None)


def test_labels_ignore_single_json(tmp_path):
    files = {"a/1.png": PNG, "a/2.png": PNG, "b/3.png": PNG, "a/1.json": '{"label": 1}'}
    result = prepare("x", origin=str(write_files(tmp_path / "x", files)))
    assert result.manifest.labels == ("a", "b")


EMOJI = [
    {"image": "1.png", "category": "Food & Drink"},
    {"image": "2.png", "category": "Flags"},
    {
        "image": "3.png",
        "category": "People & Body",
        "skin_variations": {"1F3FB": {"image": "4.png"}},
    },
]


def write_emoji(path, document, pack=write_files, prefix="package/"):
    files = {f"{prefix}img/twitter/64/{i}.png": PNG for i in range(1, 5)}
    files |= {f"{prefix}img/apple/64/5.png": PNG, f"{prefix}emoji.json": json.dumps(document)}
    return str(pack(path, files))


@pytest.mark.parametrize("pack", [write_files, write_zip])
@pytest.mark.parametrize("prefix", ["package/", ""])
def test_emoji_have_categories(tmp_path, pack, prefix):
    result = prepare("emoji", origin=write_emoji(tmp_path / "x.zip", EMOJI, pack, prefix))
    assert result.manifest.labels == ("Flags", "Food & Drink", "People & Body")
    assert load_arrays(result)[1].tolist() == [1, 0, 2, 2]


def test_emoji_without_their_file_have_no_labels(tmp_path):
    origin, messages = write_emoji(tmp_path / "x", EMOJI), []
    result = prepare("emoji", origin=f"{origin}/package/img/twitter", on_message=messages.append)
    assert (result.manifest.count, result.manifest.labels) == (4, ())
    assert any("emoji.json" in message for message in messages)


@pytest.mark.parametrize("document", [[{"image": "1.png"}], {"a": 1}, 3])
def test_emoji_with_another_file(tmp_path, document):
    with raises_input_error("labels", "emoji.json", "emoji-datasource"):
        prepare("emoji", origin=write_emoji(tmp_path / "x", document))
