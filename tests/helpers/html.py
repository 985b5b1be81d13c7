"""Checks of HTML pages."""

import re
from html.parser import HTMLParser

import pytest

VOID = {"meta", "br", "img"}
LOADING = {"src", "href", "srcset", "data", "action", "poster", "background"}
"""Attributes with addresses."""


class TagChecker(HTMLParser):
    """Collects open tags and addresses."""

    def __init__(self):
        super().__init__()
        self.open_tags, self.addresses = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open_tags.append(tag)
        self.addresses += [value for name, value in attrs if name in LOADING]

    def handle_endtag(self, tag):
        assert self.open_tags.pop() == tag


def parse_page(page):
    """Parses a page, whose tags have to be closed."""
    checker = TagChecker()
    checker.feed(page)
    assert checker.open_tags == []
    return checker


def assert_standalone(page):
    """Asserts that a page loads nothing: its addresses are data, or places on the page."""
    for address in parse_page(page).addresses:
        assert address.startswith(("data:image/", "#")), address[:80]
    assert not re.search(r"<script|<link|@import|url\(", page)
    assert "default-src 'none'" in page


@pytest.fixture
def without_figures(monkeypatch):
    """Reports without figures, which take most of the time."""
    for name in ("make_sample_figures", "make_curve_figures"):
        monkeypatch.setattr(f"iidgan.report_page.run_section.{name}", lambda *arguments: ())
