"""A report: sections with a table of contents, as one HTML file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from iidgan.html import render_template
from iidgan.report_page.section import LICENCE, Section
from iidgan.utils.files import write_text

MAX_BYTES = 5_000_000
"""Size up to which a report is easily sent by mail."""


def write_report(path: str | Path, sections: Sequence[Section]) -> int:
    """Write a report as one HTML file that contains all its pictures, atomically.

    Arguments:
        path: The file; an existing one is replaced.
        sections: What it reports, in order.

    Returns:
        Its size in bytes.

    Raises:
        InputError: A file of a section is missing or damaged, or the report cannot be written.
    """
    page = render_report(sections)
    write_text(Path(path), page)
    return len(page.encode())


def render_report(sections: Sequence[Section]) -> str:
    """Render a report as HTML.

    Arguments:
        sections: What it reports, in order.

    Raises:
        InputError: A file of a section is missing or damaged.
    """
    return render_template(
        "report.html",
        ["iidgan.report_page", "iidgan.diagnosis"],
        heading=_make_heading(sections),
        sections=[
            {"kind": section.kind, "title": section.title, **section.describe()}
            for section in sections
        ],
        licence=LICENCE,
    )


def _make_heading(sections: Sequence[Section]) -> str:
    """Return the title of a single section, or how many there are of each kind.

    Examples:
        >>> from iidgan.report_page.run_section import RunSection
        >>> from iidgan.training.run_dir import RunDir
        >>> _make_heading([RunSection(run_dir=RunDir(Path(name))) for name in ("a", "b")])
        'Report of 2 runs'
    """
    if len(sections) == 1:
        return sections[0].title
    counts = Counter(section.kind for section in sections)
    texts = [f"{count} {kind}{'s'[: count > 1]}" for kind, count in counts.items()]
    return f"Report of {' and '.join(texts)}"
