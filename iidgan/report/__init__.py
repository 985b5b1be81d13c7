"""Records and arrays to tables and figures, without torch.

Statistics, table formats and drawing primitives belong here; which runs are shown is decided in
`figures` and `studies`.
"""

from iidgan.report.curves import Series, plot_curve_grid
from iidgan.report.formats import format_mean_std, format_mean_std_ascii, render_table
from iidgan.report.grid import make_image_grid
from iidgan.report.latent import LatentPanel, plot_generated, plot_latent_panels
from iidgan.report.mosaic import Mosaic, plot_mosaics
from iidgan.report.points import plot_points
from iidgan.report.qq import QQ, plot_qq
from iidgan.report.squares import plot_square_fitting
from iidgan.report.stats import mean, std, t_interval
from iidgan.report.style import get_mode_colours, save_figure
from iidgan.report.table import Cell, SeedStatus, Table, difference_cell, make_cell
from iidgan.report.terminal import to_rich

__all__ = [
    "QQ",
    "Cell",
    "LatentPanel",
    "Mosaic",
    "SeedStatus",
    "Series",
    "Table",
    "difference_cell",
    "format_mean_std",
    "format_mean_std_ascii",
    "get_mode_colours",
    "make_cell",
    "make_image_grid",
    "mean",
    "plot_curve_grid",
    "plot_generated",
    "plot_latent_panels",
    "plot_mosaics",
    "plot_points",
    "plot_qq",
    "plot_square_fitting",
    "render_table",
    "save_figure",
    "std",
    "t_interval",
    "to_rich",
]
