"""Images in arrays, in memory and in files."""

import tracemalloc

import numpy as np
import pytest
import torch

from iidgan.sample_sets import blocks, open_samples
from tests.helpers.errors import raises_input_error
from tests.helpers.images import random_images, write_files
from tests.helpers.sample_sets import channels_first, read_all

COLOURS = random_images(6)
GREY = random_images(6, channels=1)[..., 0]
CHANNELS = np.ascontiguousarray(COLOURS.transpose(0, 3, 1, 2))
EXPECTED = {"grey": torch.from_numpy(GREY[:, None]), "colours": channels_first(COLOURS)}

SHAPES = {
    "(N, H, W)": (GREY, "grey"),
    "(N, H, W, 1)": (GREY[..., None], "grey"),
    "(N, 1, H, W)": (GREY[:, None], "grey"),
    "(N, H, W, 3)": (COLOURS, "colours"),
    "(N, 3, H, W)": (CHANNELS, "colours"),
}
shapes = pytest.mark.parametrize(("array", "kind"), SHAPES.values(), ids=SHAPES)


def save(folder, arrays, name=None):
    """Writes an array as a .npy file, or several as a .npz file."""
    path = folder / (name or ("x.npz" if isinstance(arrays, dict) else "x.npy"))
    if isinstance(arrays, dict):
        np.savez_compressed(path, **arrays)
    else:
        np.save(path, arrays)
    return path


def save_npz(folder, array):
    return save(folder, {"samples": array})


FORMS = {
    "array": lambda folder, array: array,
    "tensor": lambda folder, array: torch.tensor(array),
    "mapped": lambda folder, array: np.load(save(folder, array), mmap_mode="r"),
    "Fortran order": lambda folder, array: np.asfortranarray(array),
    ".npy": save,
    ".npz": save_npz,
}
forms = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch):
    monkeypatch.setattr(blocks, "MAX_BLOCK_VALUES", 4 * 64)


@forms
@shapes
def test_layouts(tmp_path, array, kind, form):
    samples, expected = open_samples(form(tmp_path, array)), EXPECTED[kind]
    assert (samples.num_samples, samples.shape) == (6, tuple(expected.shape[1:]))
    assert read_all(samples).equal(expected)
    assert torch.cat(list(samples.iterate([0, 5]))).equal(expected[[0, 5]])
    assert samples.compute_sha256(range(6)) == open_samples(expected).compute_sha256(range(6))


FLOATS = {
    "[0, 1]": (lambda x: x / 255, 0),
    "[-1, 1]": (lambda x: x / 127.5 - 1, -1),
    "half": (lambda x: (x / 255).astype(np.float16), 0),
    "single": (lambda x: (x / 127.5 - 1).astype(np.float32), -1),
    "big-endian": (lambda x: (x / 127.5 - 1).astype(">f8"), -1),
    "rounded": (lambda x: x / 255 * 1.001 - 0.0005, 0),
}


@forms
@pytest.mark.parametrize(("scale", "black"), FLOATS.values(), ids=FLOATS)
def test_floats(tmp_path, scale, black, form):
    values = scale(COLOURS)
    if form is FORMS["tensor"]:
        values = values.astype(values.dtype.newbyteorder("="))
    samples = open_samples(form(tmp_path, values))
    difference = read_all(samples).int() - EXPECTED["colours"].int()
    assert difference.abs().max() <= (values.dtype.itemsize == 2 or values.max() > 1)
    note = samples.notes[-1]
    value_range = f"floats from {values.min():.4g} to {values.max():.4g}"
    assert note.startswith(f"{samples.name}: {value_range}")
    assert f"{black} is black" in note


def test_bfloat16_is_read():
    tensor = (torch.tensor(CHANNELS) > 127).to(torch.bfloat16)
    assert read_all(open_samples(tensor)).equal(torch.tensor(CHANNELS > 127) * 255)


def test_range_is_that_of_all_images():
    """A single dark value in the last image decides."""
    values = GREY / 255
    values[5, 7, 7] = -0.5
    samples = open_samples(values)
    assert samples.take([5])[0, 0, 7, 7] == 64
    assert samples.take([0])[0, 0, 0, 0] == round((GREY[0, 0, 0] / 255 + 1) * 127.5)


REFUSED = {
    "bytes as floats": (GREY.astype(np.float32), ["float32 from 0 to", "divide them by 255"]),
    "unscaled": (GREY - 300.0, ["float64 from -300", "scale them"]),
    "slightly above": (GREY / 250, ["from 0 to 1.02", "scale them"]),
    "integers": (GREY.astype(np.int64), ["int64", "uint8", "iidgan prepare"]),
    "16 bits": (GREY.astype(np.uint16), ["uint16", "uint8", "iidgan prepare"]),
    "truths": (GREY > 3, ["bool", "uint8"]),
    "complex": (GREY + 0j, ["expected uint8", "complex128"]),
    "volumes": (np.zeros((2, 3, 4, 5, 6)), ["(N, H, W)", "(2, 3, 4, 5, 6)"]),
    "four channels": (np.zeros((2, 8, 8, 4), np.uint8), ["(N, H, W, 1 or 3)", "(2, 8, 8, 4)"]),
    "no images": (np.zeros((0, 8, 8), np.uint8), ["(0, 8, 8)"]),
}


@pytest.mark.parametrize("form", [FORMS["array"], FORMS[".npy"], FORMS[".npz"]])
@pytest.mark.parametrize(("array", "values"), REFUSED.values(), ids=REFUSED)
def test_other_arrays_are_refused(tmp_path, array, values, form):
    samples = form(tmp_path, array)
    field = None if form is FORMS[".npz"] else str(samples) if form is save else "samples"
    with raises_input_error(field, *values):
        open_samples(samples)


@forms
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_named(tmp_path, form, value):
    images = GREY / 255
    images[4, 3, 2] = value
    with raises_input_error(None, "image 4 (counted from 0)", value, "leave the image out"):
        open_samples(form(tmp_path, images))


ARCHIVES = {
    "x first": ({"images": GREY[:2], "x": COLOURS}, "x"),
    "iidgan sample": ({"x": COLOURS / 127.5 - 1, "z": np.zeros((6, 2))}, "x"),
    "MedMNIST": ({"train_images": COLOURS, "train_labels": np.zeros(6, int)}, "train_images"),
    "Keras": ({"x_train": COLOURS, "x_test": GREY, "y_train": np.zeros(6, int)}, "x_train"),
    "positional": ({"arr_0": COLOURS, "arr_1": np.zeros(6, int)}, "arr_0"),
    "only one": ({"anything": COLOURS}, "anything"),
}


@pytest.mark.parametrize(("arrays", "name"), ARCHIVES.values(), ids=ARCHIVES)
def test_array_of_an_archive(tmp_path, arrays, name):
    path = save(tmp_path, arrays)
    samples = open_samples(path)
    assert read_all(samples).equal(EXPECTED["colours"])
    assert samples.notes[0] == f"{path}: {name} is read"
    assert samples.labels is None


def test_unknown_names_of_arrays_are_refused(tmp_path):
    path = save(tmp_path, {"a": GREY, "b": GREY})
    with raises_input_error(str(path), "expected one array, or x", "got a, b"):
        open_samples(path)


def test_damaged_files_are_refused(tmp_path):
    path = save(tmp_path, GREY)
    content = path.read_bytes()
    for damaged in (content[:-1], content + b"x", content[:40], b"", b"hello"):
        write_files(tmp_path, {"x.npy": damaged})
        with raises_input_error(str(path)):
            open_samples(path)
    np.savez(tmp_path / "x.npz", x=GREY)
    content = bytearray((tmp_path / "x.npz").read_bytes())
    content[content.index(GREY.tobytes()) + 9] ^= 1  # caught by the check sum alone
    write_files(tmp_path, {"x.npz": bytes(content)})
    with raises_input_error(str(tmp_path / "x.npz"), "CRC"):
        open_samples(tmp_path / "x.npz")
    path = save(tmp_path, np.asfortranarray(COLOURS))
    with raises_input_error(str(path), "Fortran order", "ascontiguousarray"):
        open_samples(path)
    path = save(tmp_path, np.array([[None]] * 4))
    with raises_input_error(str(path), "objects"):
        open_samples(path)


def test_name_in_an_archive_is_escaped(tmp_path):
    path = save(tmp_path, {"\x1b[31m": np.zeros((2, 8, 8), np.int16)})
    with raises_input_error(None, r"\x1b[31m", "int16") as caught:
        open_samples(path)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("name", ["x.npy", "x.npz"])
def test_files_are_read_in_constant_memory(tmp_path, name):
    values = np.zeros((64, 128, 128), np.float32)  # 4 MiB
    path = save(tmp_path, values if name == "x.npy" else {"x": values})
    del values
    tracemalloc.start()
    try:
        samples = open_samples(path)
        samples.compute_sha256(range(64))
        for _ in samples.iterate(range(64)):
            pass
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_digest_is_of_the_images(tmp_path):
    samples = open_samples(COLOURS)
    digest = samples.compute_sha256(range(6))
    same = [COLOURS / 255, COLOURS / 127.5 - 1, save(tmp_path, COLOURS, "y.npy")]
    assert {open_samples(x).compute_sha256(range(6)) for x in same} == {digest}
    others = [samples.compute_sha256(range(5)), samples.compute_sha256(range(1, 6))]
    others += [open_samples(x).compute_sha256(range(6)) for x in (COLOURS[::-1], COLOURS ^ 1)]
    others += [open_samples(COLOURS, size=4).compute_sha256(range(6))]
    assert len({digest, *others}) == 6


def test_blocks_do_not_share_the_memory_of_the_user():
    images = GREY.copy()
    images.flags.writeable = False
    block = next(open_samples(images).iterate(range(6)))
    block.zero_()
    assert images.any()
