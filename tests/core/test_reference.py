"""Publications."""

from iidgan.core import (
    Reference,
    cites,
)


def test_cites_attaches_reference():
    paper = Reference(title="T", authors="A", year=2000, url="U")

    @cites(paper)
    def make():
        return 1

    assert make.reference is paper
    assert make() == 1
