"""Tables and figures of images, the papers' and of this library.

Tables of points are in the folder above. `recipes` has what the papers' tables have in common.
"""
