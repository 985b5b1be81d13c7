"""Expected errors, matched by field and values rather than by prose."""

from contextlib import contextmanager

import pytest

from iidgan.errors import InputError


@contextmanager
def raises_input_error(field=None, *values):
    """Expects an `InputError` of one line on `field` (if given) that mentions all `values`.

    Values are what a user needs whatever the wording is: numbers, names, options, file names.
    """
    with pytest.raises(InputError) as caught:
        yield caught
    message = str(caught.value)
    assert "\n" not in message
    if field is not None:
        assert caught.value.field == field, message
    for value in values:
        assert str(value) in message


def assert_mentions(error, *values):
    """Checks that the message of an error caught by `pytest.raises` mentions all `values`."""
    message = str(error.value)
    for value in values:
        assert str(value) in message, message
