"""Publications that methods, terms and metrics implement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A publication, as printed by `iidgan cite`.

    Arguments:
        title: Title.
        authors: Full names, separated by commas and a final `and`.
        year: Year of publication.
        url: Address of the publication.
        note: Further remarks for readers.

    Examples:
        >>> from iidgan import WGAN
        >>> WGAN.reference.title, WGAN.reference.year
        ('Wasserstein GAN', 2017)
    """

    title: str
    authors: str
    year: int
    url: str
    note: str = ""
    """Further remarks for readers, such as additions of this library."""

    def to_bibtex(self, key: str) -> str:
        """Format the publication for BibTeX.

        Arguments:
            key: Citation key.
        """
        bibtex_fields = {
            "title": self.title,
            "author": self.authors.replace(", ", " and "),
            "year": self.year,
            "url": self.url,
            "note": self.note,
        }
        bibtex_lines = "".join(
            f"  {name} = {{{value}}},\n" for name, value in bibtex_fields.items() if value
        )
        return f"@misc{{{key},\n{bibtex_lines}}}"


def cites(reference: Reference) -> Callable[[T], T]:
    """Decorate a class or factory with the publication that it implements.

    Arguments:
        reference: The publication.

    Returns:
        A decorator that sets the attribute `reference`.

    Examples:
        >>> url = "https://example.org/my-gan"
        >>> @cites(Reference(title="My GAN", authors="A. Author", year=2026, url=url))
        ... class MyGAN: ...
        >>> MyGAN.reference.title
        'My GAN'
    """

    def attach_reference(class_or_factory: T) -> T:
        class_or_factory.reference = reference  # type: ignore[attr-defined]
        return class_or_factory

    return attach_reference
