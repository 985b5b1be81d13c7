"""Choice among the labels of image files."""

from iidgan.data.prepare import prepare
from tests.helpers.errors import raises_input_error
from tests.helpers.images import labelled_files, load_arrays, write_files


def test_labels_refuse_missing_csv(tmp_path):
    folder = str(write_files(tmp_path / "x", labelled_files()))
    with raises_input_error("labels", "none, folders, or a CSV file", "'y.csv'"):
        prepare("x", origin=folder, labels="y.csv")


def test_labels_prefer_explicit_files(tmp_path):
    """A table comes first, then dataset.json, then files beside the images, then folders."""
    files = {"a/1.png", "b/2.png"}
    pictures = dict(zip(sorted(files), labelled_files().values()))
    sidecars = {"a/1.cls": "7", "b/2.cls": "8"}
    dataset_json = {"dataset.json": '{"labels": [["a/1.png", 5], ["b/2.png", 6]]}'}
    table = {"labels.csv": "a/1.png,x\nb/2.png,y\n"}
    expected = [(table, ("x", "y")), (dataset_json, ("5", "6")), (sidecars, ("7", "8"))]
    for i in range(4):
        extra_files = {name: text for more, _ in expected[i:] for name, text in more.items()}
        folder = str(write_files(tmp_path / f"{i}", pictures | extra_files))
        names = expected[i][1] if i < 3 else ("a", "b")
        assert prepare(f"set-{i}", origin=folder).manifest.labels == names
        by_folder = prepare(f"folders-{i}", origin=folder, labels="folders")
        assert by_folder.manifest.labels == ("a", "b")
        assert load_arrays(prepare(f"none-{i}", origin=folder, labels="none"))[1] is None
