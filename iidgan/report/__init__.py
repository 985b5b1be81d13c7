"""Rows and arrays to tables and figures; knows nothing of tensors."""

from iidgan.report.curves import Series, curve_grid, curves
from iidgan.report.formats import render
from iidgan.report.grid import image_grid
from iidgan.report.latent import Panel, generations, latent_panels
from iidgan.report.mosaic import Mosaic, mosaics
from iidgan.report.points import scatter
from iidgan.report.qq import QQ, qq_plot
from iidgan.report.squares import square_fitting
from iidgan.report.stats import bootstrap_interval, mean, std, t_interval
from iidgan.report.style import mode_colours, save
from iidgan.report.table import Cell, Fate, Table, changed, measured
from iidgan.report.terminal import to_rich

__all__ = [
    "QQ",
    "Cell",
    "Fate",
    "Mosaic",
    "Panel",
    "Series",
    "Table",
    "bootstrap_interval",
    "changed",
    "curve_grid",
    "curves",
    "generations",
    "image_grid",
    "latent_panels",
    "mean",
    "measured",
    "mode_colours",
    "mosaics",
    "qq_plot",
    "render",
    "save",
    "scatter",
    "square_fitting",
    "std",
    "t_interval",
    "to_rich",
]
