"""The page as one HTML text: style, modules and data inside, and a policy that allows no more."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable

from jinja2 import Environment, PackageLoader, StrictUndefined

PAGE_FOLDER = "page"
TEMPLATE = "index.html"
STYLE = "style.css"
MAIN_MODULE = "main.js"
_IMPORT = re.compile(r'^import (?:\{[^}]*\} from )?"\./([\w-]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?function|const|let|class)", re.MULTILINE)


@dataclass(frozen=True)
class RenderedPage:
    """A page and what it may do.

    Arguments:
        html: The text.
        policy: Its Content-Security-Policy, which is also in the text.
    """

    html: str
    policy: str


def render_page(
    start: str, *, connect: str = "'none'", scripts: str = "", data: str = ""
) -> RenderedPage:
    r"""Render the page.

    Arguments:
        start: Text of the module that starts the page: it imports `start` from `./main.js` and
            calls it with a backend.
        connect: What the page may connect to, as in a Content-Security-Policy.
        scripts: What it may load scripts from besides its own, likewise.
        data: JSON that the module reads from the element `data`; empty if there is none.

    Examples:
        >>> page = render_page('import { start } from "./main.js";\nstart(null);\n')
        >>> "connect-src 'none'" in page.policy
        True
    """
    style, script = _read_file(STYLE), bundle_modules(start)
    policy = "; ".join(
        [
            "default-src 'none'",
            f"script-src {_hash_source(script)} {scripts}".rstrip(),
            f"style-src {_hash_source(style)}",
            "img-src data: blob:",
            f"connect-src {connect}",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    environment = Environment(
        loader=PackageLoader("iidgan.explorer", PAGE_FOLDER),
        autoescape=False,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    html = environment.get_template(TEMPLATE).render(
        style=style,
        script=script,
        policy=policy,
        data=data.replace("<", "\\u003c"),  # no tag ends the element
    )
    return RenderedPage(html, policy)


def bundle_modules(start: str) -> str:
    """Join a module and those that it imports, each once and after its own imports.

    Modules import names by `import { a, b } from "./file.js";` and export declarations; all share
    one scope in the end, so that top-level names differ.

    Arguments:
        start: Text of the module.

    Returns:
        Text of one module without imports and exports.
    """
    texts: dict[str, str] = {}

    def add_imports(text: str) -> None:
        for name in _IMPORT.findall(text):
            if name not in texts:
                imported = _read_file(name)
                add_imports(imported)
                texts[name] = imported

    add_imports(start)
    return "\n".join(_strip_module(text) for text in [*texts.values(), start])


def _strip_module(text: str) -> str:
    return _EXPORT.sub("", _IMPORT.sub("", text))


def list_page_files() -> list[Traversable]:
    """List the files of the page."""
    return [*resources.files("iidgan.explorer").joinpath(PAGE_FOLDER).iterdir()]


def _read_file(name: str) -> str:
    return resources.files("iidgan.explorer").joinpath(PAGE_FOLDER, name).read_text("utf-8")


def _hash_source(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"
