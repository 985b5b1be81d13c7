"""Check the built site: every link, anchor and image exists, and no page asks another host.

Links to other hosts are allowed where a reader clicks them. Run as
`python -m tools.check_site build/site`; each fault is one line, and the exit code is 1 if there
is any.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

_LOADED_ATTRIBUTES = {
    "embed": "src",
    "iframe": "src",
    "img": "src",
    "link": "href",
    "object": "data",
    "script": "src",
    "source": "src",
}
"""Attributes whose target a browser loads by itself."""
_INFORMATIVE_LINKS = {"canonical", "next", "prev"}
"""Relations of `<link>` that a browser does not load."""
_CSS_URL = re.compile(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)")
_FORMULA = re.compile(r"class=\"arithmatex\"")


@dataclass
class Page:
    """What one page defines and refers to.

    Arguments:
        anchors: Ids that a link can end in.
        links: Targets that a reader clicks.
        loaded: Targets that a browser loads by itself.
    """

    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)


class _PageParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.page.anchors |= {attributes[name] for name in ("id", "name") if name in attributes}
        if tag == "a" and "href" in attributes:
            self.page.links.append(attributes["href"])
        elif _LOADED_ATTRIBUTES.get(tag) in attributes:
            relations = set(attributes.get("rel", "").split())
            target = attributes[_LOADED_ATTRIBUTES[tag]]
            informative = tag == "link" and relations & _INFORMATIVE_LINKS
            (self.page.links if informative else self.page.loaded).append(target)


def parse_page(text: str) -> Page:
    """Parse a page of HTML."""
    parser = _PageParser()
    parser.feed(text)
    parser.page.loaded += _list_css_targets(" ".join(re.findall(r"<style.*?</style>", text, re.S)))
    return parser.page


def _list_css_targets(text: str) -> list[str]:
    return [target or imported for target, imported in _CSS_URL.findall(text)]


def is_outside(target: str) -> bool:
    """Whether a target is on another host."""
    return bool(urlsplit(target).netloc)


def is_internal(target: str) -> bool:
    """Whether a target is a file or an anchor of the site."""
    parts = urlsplit(target)
    return not parts.scheme and not parts.netloc


def check_site(site_dir: Path) -> list[str]:
    """List the faults of a built site, one line each.

    Arguments:
        site_dir: Folder of the site.
    """
    pages = {
        path: parse_page(path.read_text(encoding="utf-8"))
        for path in sorted(site_dir.rglob("*.html"))
    }
    faults = [
        f"{path.relative_to(site_dir)}: {fault}"
        for path, page in pages.items()
        for fault in _check_page(site_dir, path, pages)
    ]
    for path in sorted(site_dir.rglob("*.css")):
        targets = _list_css_targets(path.read_text(encoding="utf-8"))
        faults += [
            f"{path.relative_to(site_dir)}: asks another host for {target}"
            for target in targets
            if is_outside(target)
        ]
    return faults


def _check_page(site_dir: Path, path: Path, pages: dict[Path, Page]) -> Iterator[str]:
    page = pages[path]
    for target in page.loaded:
        if is_outside(target):
            yield f"asks another host for {target}"
    for target in dict.fromkeys([*page.links, *page.loaded]):
        if is_internal(target):
            yield from _check_target(site_dir, path, target, pages)
    if _FORMULA.search(path.read_text(encoding="utf-8")):
        yield "contains a formula that was not converted"


def _check_target(
    site_dir: Path, path: Path, target: str, pages: dict[Path, Page]
) -> Iterator[str]:
    parts = urlsplit(target)
    file_path = path
    if parts.path:
        base_dir = site_dir if parts.path.startswith("/") else path.parent
        file_path = (base_dir / unquote(parts.path).lstrip("/")).resolve()
        file_path = file_path / "index.html" if file_path.is_dir() else file_path
    page, anchor = pages.get(file_path), unquote(parts.fragment)
    if not file_path.is_file():
        yield f"refers to {target}, which does not exist"
    elif page and anchor and anchor not in page.anchors:
        yield f"refers to {target}, but there is no such anchor"


def main(arguments: list[str]) -> int:
    """Print the faults of the site in the given folder."""
    faults = check_site(Path(*arguments).resolve())
    for fault in faults:
        print(fault)
    print(f"{len(faults)} faults")
    return int(bool(faults))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
