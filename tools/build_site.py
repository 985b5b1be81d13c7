"""Build the site from `docs`, the docstrings and the stored results: `python -m tools.build_site`.

The pages are copied to `build/docs`, the generated ones are added, and the site is written to
`build/site`. Links and references that lead nowhere, missing images and requests to other hosts
are errors. Run from the root of the repository; nothing in it is changed but `build`.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tools.check_site import check_site, is_internal
from tools.mathml import convert_formulas
from tools.site_pages import REGISTRIES, list_pages, write_pages

BUILD_DIR = Path("build")
CONFIG_FILE = Path("tools/zensical.toml")
_LINK = re.compile(r"(?<=\]\()[^)\s]+(?=\))")


def copy_docs(root: Path, docs_dir: Path) -> None:
    """Copy `docs`, and the files outside it that pages link to, with their links.

    On the site such a file is in `files`, by its path in the repository; its links are followed.

    Arguments:
        root: Root of the repository.
        docs_dir: New folder for the copy.
    """
    shutil.copytree(root / "docs", docs_dir)
    copies = list(docs_dir.rglob("*.md"))
    pending = [(copy, root / "docs" / copy.relative_to(docs_dir)) for copy in copies]
    while pending:
        copy, original = pending.pop()
        text = copy.read_text(encoding="utf-8")
        linked_files = {
            target: file
            for target in _LINK.findall(text)
            if (file := _resolve_outside(root, original, target))
        }
        new_targets = {}
        for target, file in linked_files.items():
            file_copy = docs_dir / _path_on_site(root, file)
            new_targets[target] = _relative_link(file_copy, copy, target)
            if not file_copy.exists():
                file_copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, file_copy)
                pending += [(file_copy, file)] if file_copy.suffix == ".md" else []
        text = _LINK.sub(lambda match, new=new_targets: new.get(match[0], match[0]), text)
        copy.write_text(text, encoding="utf-8")


def _path_on_site(root: Path, file: Path) -> Path:
    path = file.relative_to(root)
    return path.relative_to("docs") if path.parts[0] == "docs" else Path("files") / path


def _resolve_outside(root: Path, page: Path, target: str) -> Path | None:
    """Return the file that a link leads to, if page or file are not both in `docs`."""
    path = target.partition("#")[0]
    if not path or not is_internal(target):
        return None
    file = Path(os.path.normpath(page.parent / path))
    docs = root / "docs"
    if page.is_relative_to(docs) and file.is_relative_to(docs):
        return None
    return file if file.is_file() and file.is_relative_to(root) else None


def _relative_link(linked_copy: Path, page: Path, target: str) -> str:
    _, mark, anchor = target.partition("#")
    return f"{os.path.relpath(linked_copy, page.parent)}{mark}{anchor}"


def write_config(build_dir: Path) -> Path:
    """Write the configuration with the complete navigation; return its path.

    The entries `methods/*` and `terms/*` become the generated pages, and `guides/*` the pages of
    `docs/guides`, followed by the pages of `docs` that no entry names.
    """
    config = CONFIG_FILE.read_text(encoding="utf-8")
    for kind in REGISTRIES:
        pages = [("All", "index.md"), *list_pages(kind).items()]
        config = _expand_entry(config, kind, [(name, f"{kind}/{page}") for name, page in pages])
    named_pages = set(_list_nav_pages(tomllib.loads(config)["project"]["nav"]))
    pages = sorted(
        Path("docs").rglob("*.md"), key=lambda path: (path.parent.name != "guides", path)
    )
    guides = [
        (_read_title(path), path.relative_to("docs").as_posix())
        for path in pages
        if path.relative_to("docs").as_posix() not in named_pages
    ]
    path = build_dir / CONFIG_FILE.name
    path.write_text(_expand_entry(config, "guides", guides), encoding="utf-8")
    return path


def _expand_entry(config: str, folder: str, pages: Iterable[tuple[str, str]]) -> str:
    """Replace the entry of a folder in the navigation by its pages, each with its title."""
    entry = f'"{folder}/*"'
    if config.count(f"= {entry}") != 1:
        raise SystemExit(f"{CONFIG_FILE}: expected one entry {entry} in nav")
    entries = ", ".join(f"{{ {json.dumps(title)} = {json.dumps(page)} }}" for title, page in pages)
    return config.replace(f"= {entry}", f"= [{entries}]")


def _list_nav_pages(entries: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for entry in entries:
        for value in entry.values():
            yield from [value] if isinstance(value, str) else _list_nav_pages(value)


def _read_title(path: Path) -> str:
    heading = path.read_text(encoding="utf-8").partition("\n")[0]
    if not heading.startswith("# "):
        raise SystemExit(f"{path}: the first line must be its title, '# ...', got {heading!r}")
    return heading.removeprefix("# ").replace("`", "")


def run_zensical(config_path: Path) -> int:
    """Write the pages of HTML; return 1 if a link or a reference leads nowhere."""
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    return subprocess.run([*command, "--config-file", config_path], check=False).returncode


def build_site(build_dir: Path) -> int:
    """Build the site and check it; return the exit code."""
    docs_dir, site_dir = build_dir / "docs", build_dir / "site"
    for folder in (docs_dir, site_dir):
        shutil.rmtree(folder, ignore_errors=True)
    copy_docs(Path.cwd(), docs_dir.resolve())
    write_pages(docs_dir, Path("results"))
    config_path = write_config(build_dir)
    if exit_code := run_zensical(config_path):
        return exit_code
    for path in site_dir.rglob("*.html"):
        page = path.read_text(encoding="utf-8")
        path.write_text(convert_formulas(page), encoding="utf-8")
    faults = check_site(site_dir.resolve())
    for fault in faults:
        print(fault, file=sys.stderr)
    if not faults:
        print(
            f"{site_dir / 'index.html'} is the site; for its search, serve the folder: "
            f"python -m http.server --directory {site_dir}"
        )
    return int(bool(faults))


if __name__ == "__main__":
    raise SystemExit(build_site(BUILD_DIR))
