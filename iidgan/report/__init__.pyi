"""The public names: type checkers read them here, and so does the lazy loader."""

from .curves import Series as Series
from .curves import plot_curve_grid as plot_curve_grid
from .formats import format_mean_std as format_mean_std
from .formats import format_mean_std_ascii as format_mean_std_ascii
from .formats import render_table as render_table
from .grid import make_image_grid as make_image_grid
from .latent import LatentPanel as LatentPanel
from .latent import plot_generated as plot_generated
from .latent import plot_latent_panels as plot_latent_panels
from .mosaic import Mosaic as Mosaic
from .mosaic import plot_mosaics as plot_mosaics
from .points import plot_points as plot_points
from .qq import QQ as QQ
from .qq import plot_qq as plot_qq
from .squares import plot_square_fitting as plot_square_fitting
from .stats import mean as mean
from .stats import std as std
from .stats import t_interval as t_interval
from .style import get_mode_colours as get_mode_colours
from .style import save_figure as save_figure
from .table import Cell as Cell
from .table import SeedStatus as SeedStatus
from .table import Table as Table
from .table import difference_cell as difference_cell
from .table import make_cell as make_cell
from .terminal import to_rich as to_rich
