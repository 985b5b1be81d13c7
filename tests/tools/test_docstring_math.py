"""Formulas of docstrings on the site."""

import pytest

pytest.importorskip("griffe", reason="needs requirements-docs.txt")
pytest.importorskip("latex2mathml", reason="needs requirements-docs.txt")

from tools.docstring_math import convert_directives
from tools.mathml import convert_formulas


def test_directives_of_one_and_more_lines_become_paragraphs():
    docstring = "Title.\n\n.. math:: a\n          + b\n\nText.\n\n    .. math:: c\n\n    End."
    assert convert_directives(docstring) == (
        "Title.\n\n\\[a + b\\]\n\nText.\n\n    \\[c\\]\n\n    End."
    )


def test_marked_formulas_become_mathml():
    page = convert_formulas(
        r'<p><span class="arithmatex">\(a &lt; b\)</span></p><div class="arithmatex">\[c\]</div>'
    )
    assert "arithmatex" not in page
    assert page.count("<math ") == 2
    assert page.count('display="block"') == 1
    assert "<mi>a</mi><mo>&#x0003C;</mo><mi>b</mi>" in page
    assert r"\(" not in page
