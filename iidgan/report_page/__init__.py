"""Reports of runs and tables: one HTML file that can be sent, kept and printed.

What a report shares with other pages is in `html`; how a diagnosis looks is in `diagnosis`.
"""

from iidgan.report_page.page import MAX_BYTES, render_report, write_report
from iidgan.report_page.run_section import RunSection
from iidgan.report_page.section import Command
from iidgan.report_page.table_section import TableSection

__all__ = [
    "MAX_BYTES",
    "Command",
    "RunSection",
    "TableSection",
    "render_report",
    "write_report",
]
