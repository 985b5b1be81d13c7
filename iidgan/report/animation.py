"""Animations of images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from iidgan.errors import InputError
from iidgan.utils.files import write_file


def save_animation(frames: Sequence[Image.Image], path: Path, *, milliseconds: int = 120) -> Path:
    """Write a GIF that repeats for ever, atomically.

    Arguments:
        frames: Its images, of one size.
        path: The file; an existing one is replaced.
        milliseconds: Time for which each image is shown.

    Returns:
        The path.

    Raises:
        InputError: There are no images, or the file cannot be written.
    """
    if not frames:
        raise InputError("frames: an animation needs at least one, got none")

    def write_gif(temporary_path: Path) -> None:
        frames[0].save(
            temporary_path,
            format="gif",
            save_all=True,
            append_images=frames[1:],
            duration=milliseconds,
            loop=0,
        )

    write_file(path, write_gif)
    return path
