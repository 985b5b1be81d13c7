"""CSV tables: which line has names, which column is an index, and what is refused as ambiguous."""

import numpy as np
import pytest

from iidgan.data.csv_files import read_csv
from tests.helpers.data import write_array
from tests.helpers.errors import raises_input_error

TABLES = {
    "words": ("x,y\n1.5,2\n3,4\n", ("x", "y"), [[1.5, 2], [3, 4]]),
    "comment of NumPy": ("# x,y\n1.5,2\n", ("x", "y"), [[1.5, 2]]),
    "index of pandas": (",x,y\n0,1.5,2\n1,3,4\n", ("x", "y"), [[1.5, 2], [3, 4]]),
    "index of a subset": (",x,y\n7,1.5,2\n2,3,4\n", ("x", "y"), [[1.5, 2], [3, 4]]),
    "index read again": ("Unnamed: 0,x\n0,1.5\n1,3\n", ("x",), [[1.5], [3]]),
    "index with a name": ("id,x\n1,1.5\n2,3\n", ("x",), [[1.5], [3]]),
    "id that is no index": ("id,x\n4,1.5\n2,3\n", ("id", "x"), [[4, 1.5], [2, 3]]),
    "numbers of columns": ("0,1\n1.5,2.5\n3.5,4.5\n", ("0", "1"), [[1.5, 2.5], [3.5, 4.5]]),
    "number of a column": ("0\n1.5\n2.5\n", ("0",), [[1.5], [2.5]]),
    "index, numbers of columns": (",0,1\n0,1.5,2.5\n", ("0", "1"), [[1.5, 2.5]]),
    "series of pandas": (",0\n0,1.5\n1,2.5\n", ("0",), [[1.5], [2.5]]),
    "index without names": ("0,1.5\n1,2.5\n2,0.5\n", (), [[1.5], [2.5], [0.5]]),
    "whole numbers": ("3,5\n2,25\n", (), [[3, 5], [2, 25]]),
    "one row": ("0,1\n", (), [[0, 1]]),
    "one column that counts": ("0\n1\n2\n3\n", (), [[0], [1], [2], [3]]),
    "two rows that count": ("0,5\n1,6\n", (), [[0, 5], [1, 6]]),
    "leading zeros with names": ("x,y\n1,05\n", ("x", "y"), [[1, 5]]),
}


@pytest.mark.parametrize(("text", "columns", "values"), TABLES.values(), ids=TABLES)
def test_read_csv(tmp_path, text, columns, values):
    table = read_csv(str(write_array(tmp_path, "x.csv", text)))
    assert table.columns == columns
    np.testing.assert_array_equal(table.values, values)


@pytest.mark.parametrize("columns", [None, ["x", "y"]])
@pytest.mark.parametrize("index", [True, False])
def test_read_csv_of_many_fractions(tmp_path, columns, index):
    """As pandas writes a frame with or without names, with or without its index."""
    values = np.random.default_rng(0).normal(size=(50, 2))
    names = columns or ["0", "1"]
    lines = [["", *names] if index else names]
    lines += [
        [*([str(i)] if index else []), *map(repr, map(float, row))] for i, row in enumerate(values)
    ]
    path = write_array(tmp_path, "x.csv", "\n".join(map(",".join, lines)))
    table = read_csv(str(path))
    assert table.columns == tuple(names)
    np.testing.assert_array_equal(table.values, values)


AMBIGUOUS = {
    "numbers of columns over whole numbers": ("0,1\n5,7\n9,3\n", ["line 1", "0, 1"]),
    "numbers of columns over some fractions": ("0,1\n0,0.5\n1,0.3\n", ["line 1", "0, 1"]),
    "whole numbers over fractions": ("400,410\n1.5,2.5\n3.5,4.5\n", ["line 1", "400, 410"]),
    "fractions without a name": (",x\n1.5,2\n2.5,3\n", ["line 1, column 1", "name"]),
    "one name over decimal commas": ("x\n1,5\n2,5\n", ["line 2", "1", "2", "point"]),
    "row names of R": ("x,y\n1,2.5,3.5\n", ["line 2", "2", "3"]),
    "decimal commas below zero": ("0,5\n-0,25\n1,75\n", ["-0,25", "point"]),
    "decimal commas with zeros": ("0,5\n1,05\n1,75\n", ["1,05", "point"]),
    "decimal commas in two columns": ("0,5,1,5\n-0,25,3,0\n1,7,2,2\n", ["-0,25", "point"]),
}


@pytest.mark.parametrize(("text", "words"), AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_read_csv_refuses_ambiguous_file(tmp_path, text, words):
    path = write_array(tmp_path, "x.csv", text)
    with raises_input_error(None, path, *words):
        read_csv(str(path))


NOTES = {
    "index": (",x,y\n0,1.5,2\n1,3,4\n", ["index"]),
    "column that counts": ("t,x\n0,1.5\n1,2.5\n2,0.5\n", ["'t'"]),
    "pairs of whole numbers": ("1,5\n2,25\n", ["point"]),
    "nothing to say": ("x,y\n1.5,2\n", []),
}


@pytest.mark.parametrize(("text", "words"), NOTES.values(), ids=NOTES)
def test_read_csv_notes(tmp_path, text, words):
    notes = read_csv(str(write_array(tmp_path, "x.csv", text))).notes
    assert len(notes) == len(words)
    assert all(word in note for word, note in zip(words, notes))


def test_read_csv_refuses_float_labels(tmp_path):
    """As pandas writes columns that are numbered by floats."""
    path = tmp_path / "x.csv"
    path.write_text("0.0,1.0\n0.1234,0.4321\n0.5,0.25\n")
    with raises_input_error(None, path, "0.0, 1.0", "names"):
        read_csv(str(path))
    path.write_text("0.0,1.0\n1.0,0.0\n0.5,0.25\n")
    assert read_csv(str(path)).values.tolist() == [[0, 1], [1, 0], [0.5, 0.25]]
