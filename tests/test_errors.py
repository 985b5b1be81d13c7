"""Errors of user input."""

from iidgan.errors import InputError, unknown_name_error


def test_unknown_name_error_suggests_nearest():
    error = unknown_name_error("method", "idi-gan", ["gan", "iid-gan", "veegan"])
    assert isinstance(error, InputError)
    assert isinstance(error, ValueError)
    assert str(error) == (
        "method: unknown 'idi-gan'; did you mean 'iid-gan'? known: gan, iid-gan, veegan"
    )
    assert "did you mean" not in str(unknown_name_error("method", "zzzz", ["abc"]))
