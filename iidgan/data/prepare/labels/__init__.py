"""Labels of image files: from a CSV file, files beside the images, or their folders.

Deciding which of them count belongs here; labels that a format stores with its images are read by
its reader in `data.prepare.readers`.
"""
