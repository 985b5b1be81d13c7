"""Labels of images from folders and CSV files."""

import numpy as np
import pytest

from iidgan.data.prepare import prepare
from tests.helpers.errors import raises_input_error
from tests.helpers.images import encode_image, load_arrays, random_images, write_files, write_zip


def labelled_files():
    images = [encode_image(image) for image in random_images(6)]
    names = ("dog/1.png", "cat/2.png", "cat/deep/3.PNG", "bird/10.png", "bird/9.png", "dog/0.png")
    return dict(zip(names, images))


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


IMAGE = random_images(1)[0]  # 8 x 8, RGB


def test_labels_refuse_stray_images(tmp_path):
    files = labelled_files() | {"stray.png": encode_image(IMAGE)}
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


TABLES = {
    "paths": "cat/2.png,c\ndog/1.png,d\n",
    "head": "label,File\nc,cat/2.png\nd,dog/1.png\n",
    "ends": "id,weight,class\n2,0.5,c\n1.png,0.1,d\n",
    "spaces and a mark": "\ufefffile_name, label\r\ncat/2.png , c \r\ndog/1.png,d\r\n\r\n",
    "semicolons": "cat/2.png;c\n\ndog/1.png;d\n",
    "tabs": "file\tlabel\ncat/2.png\tc\ndog/1.png\td\n",
    "two columns, one known": "picture,label\ncat/2.png,c\ndog/1.png,d\n",
    "from here": "./cat/2.png,c\n./dog/1.png,d\n",
    "twice the same": "cat/2.png,c\n2,c\ndog/1.png,d\n",
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
@pytest.mark.parametrize("inside", [True, False])
def test_labels_from_csv(tmp_path, table, inside):
    files = {name: labelled_files()[name] for name in ("dog/1.png", "cat/2.png", "bird/9.png")}
    table_file = write_files(tmp_path, {"y.csv": table}) / "y.csv"
    folder = write_files(tmp_path / "x", files | ({"labels.csv": table} if inside else {}))
    labels = None if inside else str(table_file)
    result = prepare("x", origin=str(folder), size=8, labels=labels)
    assert (result.manifest.labels, load_arrays(result)[1].tolist()) == (("c", "d"), [0, 1])
    assert [str(image) for image in result.skipped] == ["bird/9.png: has no label"]


def test_labels_report_unknown_names(tmp_path):
    table = "cat/2.png,c\ngone.png,d\nlost.png,d\n"
    messages, folder = [], write_files(tmp_path / "x", labelled_files() | {"labels.csv": table})
    prepare("x", origin=str(folder), on_message=messages.append)
    assert messages == ["labels.csv: 2 lines name no image, such as 'gone.png'"]


@pytest.mark.parametrize(
    "table",
    [
        "id,filename,label\n1,2.png,b\n2,1.png,a\n",
        "name,file,label\nfoo,1.png,a\nbar,2.png,b\n",
        "1.png,a\n  \n2.png,b\n   \n",
        "1.png,a\r2.png,b\r",
        "1.png;a\n2.png;b\n".encode("utf-16"),
    ],
    ids=["ids that are names of others", "names", "blank lines", "old Mac", "UTF-16"],
)
def test_labels_from_csv_variants(tmp_path, table):
    files = {f"{i}.png": encode_image(IMAGE) for i in (1, 2)} | {"labels.csv": table}
    result = prepare("x", origin=str(write_files(tmp_path / "x", files)), size=8)
    assert (result.manifest.labels, load_arrays(result)[1].tolist()) == (("a", "b"), [0, 1])


def test_labels_from_headless_csv(tmp_path):
    files = {f"{i}.png": encode_image(IMAGE) for i in (1, 2)} | {
        "labels.csv": "1.png,y\n2.png,x\n"
    }
    result = prepare("x", origin=str(write_files(tmp_path / "x", files)), size=8)
    assert (result.manifest.labels, load_arrays(result)[1].tolist()) == (("x", "y"), [1, 0])


TABLE_OF_NUMBERS = f"0,10\n1,9\n2,1{'0' * 5000}\n"


def test_labels_order_numbers_by_value(tmp_path):
    files = {f"{i}.png": encode_image(IMAGE) for i in range(3)} | {"labels.csv": TABLE_OF_NUMBERS}
    result = prepare("x", origin=str(write_files(tmp_path / "x", files)))
    assert result.manifest.labels == ("9", "10", f"1{'0' * 5000}")
    assert load_arrays(result)[1].tolist() == [1, 0, 2]


@pytest.mark.parametrize(
    ("table", "values"),
    [
        ("", ["two columns"]),
        ("0.png,a\n \n1.png\n", ["line 3", "'1.png'", "two columns"]),
        (",image,breed\n0,0.png,a\n", ["'', 'image', 'breed'", "'file'", "'label'"]),
        ("x,y,z\n0.png,a,b\n", ["'x', 'y', 'z'", "'label'"]),
        ("file,label,label\n0.png,a,b\n", ["'file', 'label', 'label'"]),
        ("file,x,label\n1.png,2\n", ["line 2", "'1.png,2'"]),
        ("a.png,1\nb.png,2\n", ["none of the 6 images", "'a.png'"]),
        ("file,y\n\n0.png,a\n0,b\n", ["line 4", "'0'", "'b'", "'a'"]),
        (b"\xff\xfe\x00", ["CSV"]),
    ],
)
def test_labels_refuse_invalid_csv(tmp_path, table, values):
    folder = write_files(tmp_path / "x", labelled_files() | {"labels.csv": table})
    with raises_input_error("labels", "labels.csv", *values):
        prepare("x", origin=str(folder))


def test_labels_refuse_missing_csv(tmp_path):
    folder = str(write_files(tmp_path / "x", labelled_files()))
    with raises_input_error("labels", "none, folders, or a CSV file", "'y.csv'"):
        prepare("x", origin=folder, labels="y.csv")
