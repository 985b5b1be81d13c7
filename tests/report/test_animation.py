"""Animations."""

from PIL import Image

from iidgan.report import save_animation
from tests.helpers.errors import raises_input_error


def test_animation_repeats_its_frames(tmp_path):
    frames = [Image.new("L", (8, 6), shade) for shade in (0, 100, 200)]
    path = save_animation(frames, tmp_path / "new" / "moving.gif", milliseconds=50)
    with Image.open(path) as animation:
        assert (animation.size, animation.n_frames) == ((8, 6), 3)
        assert (animation.info["loop"], animation.info["duration"]) == (0, 50)
        animation.seek(2)
        assert animation.convert("L").getpixel((0, 0)) == 200


def test_animation_refuses_no_frames(tmp_path):
    with raises_input_error("frames"):
        save_animation([], tmp_path / "none.gif")
