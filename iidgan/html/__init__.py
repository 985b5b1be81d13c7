"""What HTML pages of one file have in common: their frame, their style, and pictures inside.

A page asks for nothing outside itself, and escapes all texts. What is on a page is written beside
its subject, such as in `diagnosis`.
"""

from iidgan.html.pictures import Plot, encode_image, encode_images, encode_plot
from iidgan.html.rendering import render_template

__all__ = ["Plot", "encode_image", "encode_images", "encode_plot", "render_template"]
