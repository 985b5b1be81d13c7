"""`iidgan list`, `cite` and `doctor`: what is registered, published and installed."""

from importlib import metadata

import pytest

from iidgan.cli import main
from iidgan.cli.info import EXTRA_PURPOSES
from iidgan.config.presets import PRESETS
from iidgan.studies.papers import FIGURES
from iidgan.utils.extras import EXTRAS
from tests.helpers.cli import fail_command
from tests.helpers.images import encode_image, random_images, write_files


def test_list_tables_and_figures(capsys):
    assert main(["list", "figures"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in FIGURES)
    assert main(["list"]) == 0
    assert "plug-in" in capsys.readouterr().out


def test_list_presets(capsys):
    assert main(["list", "presets"]) == 0
    listed = " ".join(capsys.readouterr().out.split())
    for preset in PRESETS.values():
        assert all(word in listed for word in (preset.name, preset.title, *preset.data))
    assert "--cycle.weight 0.01 --cycle.norm l1 --gaussian.weight 0.1" in listed
    assert "(InvertGAN, 2021)" in listed


def test_list_prepared_sets(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("IIDGAN_DATA", str(tmp_path / "home"))
    files = {f"{i:02}.png": encode_image(image) for i, image in enumerate(random_images(40))}
    write_files(tmp_path / "faces", files)
    assert main(["prepare", "faces", "--from", str(tmp_path / "faces")]) == 0
    capsys.readouterr()
    assert main(["list", "sets"]) == 0
    listed = capsys.readouterr().out
    for words in ("cifar10", "stl10", "faces", "prepared: iidgan train faces"):
        assert words in listed


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cifar10", "Tiny Images"),
        ("mnist", "10.1109/5.726791"),  # of its source, which has the same name
        ("mnist-5k", "10.21105/joss.00638"),
        ("iid-gan+", "note = {Code noise and growing"),
        ("IID-GAN", "IID Sampling Perspective"),
        ("arxiv-cifar", "2106.00563v1"),
    ],
)
def test_cite_prints_bibtex(capsys, name, words):
    assert main(["cite", name]) == 0
    assert words in capsys.readouterr().out


def test_cite_without_note(capsys):
    assert main(["cite", "iid-gan"]) == 0
    assert "note" not in capsys.readouterr().out


def test_cite_without_publication(capsys):
    assert "'prepared'" in fail_command(capsys, "cite", "prepared")
    assert "'images'" in fail_command(capsys, "cite", "images")


PLUGINS = """
import iidgan
from iidgan.core import Reference, cites
from iidgan.methods import GAN


class Plain(GAN):
    pass


PAPER = Reference(title="My title", authors="Me", year=2020, url="https://example.org")


@cites(PAPER)
class MyGAN(GAN):
    pass


@cites(PAPER)
def my_gan():
    return MyGAN()


class MyMetric(iidgan.Metric):
    pass
"""


@pytest.mark.parametrize(
    ("name", "words", "is_inherited"),
    [
        ("MyGAN", ["{MyGAN,", "My title"], False),
        ("my_gan", ["{my_gan,", "My title"], False),
        ("Plain", ["own_citations:Plain", "GAN, which it extends", "{GAN,", "Goodfellow"], True),
    ],
)
def test_cite_plugin(plugin_module, capsys, name, words, is_inherited):
    module = plugin_module("own_citations", PLUGINS)
    assert main(["cite", f"{module}:{name}"]) == 0
    printed = capsys.readouterr().out
    assert all(word in printed for word in words), printed
    assert printed.startswith("%") == is_inherited


@pytest.mark.parametrize("name", ["MyMetric", "Absent", "PAPER"])
def test_cite_plugin_without_publication(plugin_module, capsys, name):
    module = plugin_module("own_citations", PLUGINS)
    error = fail_command(capsys, "cite", f"{module}:{name}")
    assert error.startswith("iidgan: cite: ")
    assert f"'{module}:{name}'" in error


def read_doctor(monkeypatch, capsys):
    """Returns what doctor says of each extra, from a wide terminal."""
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    return {line.split()[1]: line for line in lines if line.startswith("extra ")}


def test_doctor_shows_versions_of_extras(monkeypatch, capsys):
    monkeypatch.setattr("iidgan.cli.info.EXTRAS", {"hub": ("numpy",), "lmdb": ("json",)})
    extras = read_doctor(monkeypatch, capsys)
    assert f"numpy {metadata.version('numpy')} (for iidgan push" in extras["hub"]
    assert "json of unknown version" in extras["lmdb"]


def test_doctor_names_what_installs_missing_extras(monkeypatch, capsys):
    monkeypatch.setattr("iidgan.utils.extras.util.find_spec", lambda name: None)
    extras = read_doctor(monkeypatch, capsys)
    assert extras.keys() == EXTRAS.keys() <= EXTRA_PURPOSES.keys()
    for extra, modules in EXTRAS.items():
        missing = f"missing {', '.join(modules)}: pip install 'iidgan[{extra}]'"
        assert f"{missing} (for {EXTRA_PURPOSES[extra]})" in extras[extra]


def test_doctor_shows_versions_and_devices(capsys):
    assert main(["doctor"]) == 0
    printed = capsys.readouterr().out
    assert all(heading in printed for heading in ("torch", "jinja2", "compiler", "cuda"))
