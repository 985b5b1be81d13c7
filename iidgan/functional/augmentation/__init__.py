"""Augmentations of images: pure functions of images and of random draws, linear in the images.

Images have shape (S, B, C, H, W), with values from -1 to 1, for S seeds and B images of each.
Draws are standard normal numbers with shape (S, B, k). All functions can be differentiated by the
images as often as needed; draws need no gradient.
"""
