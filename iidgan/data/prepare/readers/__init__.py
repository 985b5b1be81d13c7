"""Readers: one module per format or provider of images.

A reader yields images and labels; `data.prepare` decodes, resizes and writes them.
"""
