"""One format or provider of images, one file.

A reader yields images and labels; decoding, resizing and writing them are in `data.prepare`.
"""
