"""Templates of pages, which extend `base.html`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from iidgan._version import __version__


def render_template(
    template: str,
    packages: Sequence[str],
    **values: Any,  # noqa: ANN401 - what templates show
) -> str:
    """Render a page, in which all texts are escaped.

    Arguments:
        template: Name of a template, a file in one of the packages.
        packages: Packages with templates that it consists of, besides those of `iidgan.html`.
        **values: What it shows; an absent value is an error.
    """
    environment = Environment(
        loader=ChoiceLoader(
            [PackageLoader(package, "") for package in (*packages, "iidgan.html")]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(version=__version__, **values)
