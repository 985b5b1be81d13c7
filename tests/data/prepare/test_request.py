"""Validation of the options of `iidgan prepare`."""

import pytest

from iidgan.data.prepare import prepare
from tests.helpers.errors import raises_input_error


@pytest.mark.parametrize(
    ("name", "options", "field", "values"),
    [
        ("../up", {}, "name", ["'../up'", "--from"]),
        ("a/b/c", {}, "name", ["'a/b/c'", "'/'"]),
        ("", {}, "name", ["got ''"]),
        ("classifiers", {}, "name", ["'classifiers' is reserved"]),
        ("classifiers/x", {}, "name", ["'classifiers/x' is reserved"]),
        ("x", {}, "from", ["name the files of x with --from PATH"]),
        ("me/cats", {}, "from", ["--from PATH", "--from hub"]),
        ("x", {"origin": "/no/such"}, "from", ["/no/such does not exist"]),
        ("x", {"size": 0}, "size", ["between 4 and 1024", "got 0", "nearest: 4"]),
        ("x", {"size": 5000}, "size", ["got 5000", "nearest: 1024"]),
        ("x", {"origin": "hub"}, "name", ["unknown 'x'", "known: any id with a '/', ", "mnist"]),
        ("minst", {"origin": "hub"}, "name", ["unknown 'minst'", "did you mean 'mnist'"]),
        ("minst", {}, "from", ["did you mean 'mnist'"]),
        ("afhq-cat", {"origin": "hub"}, "from", ["afhq-cat", "Hub", "get afhq.zip of https"]),
        ("mnist-5k", {"origin": "hub"}, "from", ["mnist-5k", "Hub", "(pip ", "no --from"]),
        ("mnist", {"split": "tset"}, "split", ["unknown 'tset'", "did you mean 'test'"]),
        ("mnist", {"labels": "none"}, "labels", ["'none'", "mnist has its own"]),
        ("x", {"origin": "hub", "split": "../x"}, "split", ["'../x'"]),
        ("celeba", {"origin": ".", "split": "test"}, "split", ["'test'", "celeba has no splits"]),
    ],
)
def test_prepare_request_refuses_invalid_field(
    tmp_path, monkeypatch, name, options, field, values
):
    monkeypatch.chdir(tmp_path)
    with raises_input_error(field, *values):
        prepare(name, **options)
