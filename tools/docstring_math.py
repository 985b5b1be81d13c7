r"""Turn the displayed formulas of docstrings, `.. math:: x`, into `\[x\]` for the site."""

import re
import textwrap

import griffe

_DIRECTIVE = re.compile(
    r"^(?P<indent> *)\.\. math::(?P<formula>.*(?:\n(?P=indent) +\S.*)*)", re.MULTILINE
)


def convert_directives(docstring: str) -> str:
    r"""Replace each directive `.. math::`, of one or more lines, by a paragraph `\[...\]`."""
    return _DIRECTIVE.sub(_format_paragraph, docstring)


def _format_paragraph(match: re.Match[str]) -> str:
    formula = " ".join(match["formula"].split())
    return textwrap.indent(rf"\[{formula}\]", match["indent"])


class DocstringMath(griffe.Extension):
    """Extension of griffe that converts the directives of every docstring."""

    def on_instance(self, *, obj: griffe.Object, **kwargs: object) -> None:
        if obj.docstring:
            obj.docstring.value = convert_directives(obj.docstring.value)
