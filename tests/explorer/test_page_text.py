"""The page as one text that may do no more than its policy allows."""

import base64
import hashlib
import re
from collections import Counter

import pytest

from iidgan.explorer.onnx_format import START as RUNTIME_START
from iidgan.explorer.page_text import bundle_modules, list_page_files, render_page
from iidgan.explorer.script_format import SCRIPT_FORMAT
from iidgan.explorer.server import START

STARTS = (START, SCRIPT_FORMAT.start, RUNTIME_START)
"""Modules that start the page: of the server, and of pages that stand alone."""


def hash_text(text):
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_policy_allows_the_script_and_the_style_of_the_page():
    page = render_page(START, connect="'self'")
    script = re.search('<script type="module">(.*?)</script>', page.html, re.DOTALL)[1]
    style = re.search("<style>(.*?)</style>", page.html, re.DOTALL)[1]
    for kind, text in (("script", script), ("style", style)):
        assert f"{kind}-src 'sha256-{hash_text(text)}'" in page.policy
    assert "unsafe" not in page.policy
    assert page.policy in page.html


def test_page_names_no_other_address():
    html = render_page(START).html
    addresses = set(re.findall(r"https?://[^\s\"'`]+", html))
    assert addresses == {"http://www.w3.org/2000/svg"}  # a name, which nobody fetches
    assert not re.search(r"<[^>]* (style|on\w+)=", html)  # the policy forbids these


@pytest.mark.parametrize("start", STARTS)
def test_every_module_is_in_the_page_once(start):
    script = bundle_modules(start)
    assert not re.search(r"^(import|export) ", script, re.MULTILINE)
    names = re.findall(r"^(?:async )?(?:function|const|let|class) (\w+)", script, re.MULTILINE)
    assert [name for name, count in Counter(names).items() if count > 1] == []
    assert script.rstrip().endswith(start.splitlines()[-1])


def test_modules_follow_what_they_import():
    script = bundle_modules(START)
    positions = [script.index(f"function {name}(") for name in ("encodeArray", "serverBackend")]
    assert positions == sorted(positions)


def test_no_file_of_the_page_is_unused():
    scripts = [bundle_modules(start) for start in STARTS]
    for file in list_page_files():
        if file.name.endswith(".js"):
            headline, *_ = file.read_text("utf-8").splitlines()
            assert headline.startswith("/**")
            assert any(headline in script for script in scripts), file.name
