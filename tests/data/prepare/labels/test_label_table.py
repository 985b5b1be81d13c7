"""Labels of images from CSV files."""

import pytest

from iidgan.data.prepare import prepare
from tests.helpers.errors import raises_input_error
from tests.helpers.images import (
    encode_image,
    labelled_files,
    load_arrays,
    random_images,
    write_files,
)

IMAGE = random_images(1)[0]  # 8 x 8, RGB


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


ATTRIBUTES = "image_id,Male,Young\n1.png,-1,1\n2.png,1,1\n"


def test_labels_from_attribute_table(tmp_path):
    files = {f"{i}.png": encode_image(IMAGE) for i in (1, 2)}
    folder = str(write_files(tmp_path / "x", files))
    table = str(write_files(tmp_path, {"attributes.csv": ATTRIBUTES}) / "attributes.csv")
    with raises_input_error("labels", "'Male', 'Young'", "--label-column"):
        prepare("x", origin=folder, labels=table)
    result = prepare("x", origin=folder, labels=table, label_column="Male")
    labels = [result.manifest.labels[i] for i in load_arrays(result)[1]]
    assert labels == ["-1", "1"]
    assert "--label-column Male" in result.manifest.prepare_command(None)
    with raises_input_error("label-column", "unknown 'male'", "did you mean 'Male'"):
        prepare("y", origin=folder, labels=table, label_column="male")


def test_label_column_needs_table(tmp_path):
    folder = str(write_files(tmp_path / "x", labelled_files()))
    with raises_input_error("label-column", "labels.csv", "--labels"):
        prepare("x", origin=folder, label_column="Male")
    with raises_input_error("label-column", "'Male' and --labels folders", "leave out one"):
        prepare("x", origin=folder, label_column="Male", labels="folders")
    with raises_input_error("label-column", "'Male'", "no table"):
        prepare("celeba", origin=folder, label_column="Male")
    with raises_input_error("image-column", "Parquet", "'x'"):
        prepare("x", origin=folder, image_column="x")
