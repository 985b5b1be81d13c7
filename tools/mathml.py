r"""Replace formulas in the pages of the site by MathML, which browsers show without a script."""

import html
import re

from latex2mathml.converter import convert

_INLINE = re.compile(r'<span class="arithmatex">\\\((.*?)\\\)</span>', re.DOTALL)
_DISPLAYED = re.compile(r'<div class="arithmatex">\s*\\\[(.*?)\\\]\s*</div>', re.DOTALL)


def convert_formulas(page: str) -> str:
    r"""Convert the formulas that arithmatex has marked, \(...\) and \[...\], in a page of HTML."""
    page = _DISPLAYED.sub(lambda match: _to_mathml(match[1], "block"), page)
    return _INLINE.sub(lambda match: _to_mathml(match[1], "inline"), page)


def _to_mathml(escaped_formula: str, display: str) -> str:
    return convert(html.unescape(escaped_formula).strip(), display=display)
