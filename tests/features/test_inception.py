"""Inception's weights: by digest, from a file or fetched once."""

import urllib.error

import pytest
import torch
from torch import nn

from iidgan.features import create_extractor, inception
from iidgan.utils.files import file_sha256
from tests.helpers.errors import raises_input_error

CONTENT = b"weights of another network"


class FakeScript(nn.Module):
    """A network in the form of StyleGAN's file: layers after a resizing of its own."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten())

    def forward(self, images):
        return self.layers((images - 128) / 128)


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A file that stands for the published one, and an empty cache."""
    path = tmp_path / "published.pth"
    path.write_bytes(CONTENT)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(inception, "WEIGHTS_URL", path.as_uri())
    monkeypatch.setattr(inception, "STATE_DICT_SHA256", file_sha256(path))
    monkeypatch.setattr(inception, "_NET_LOADERS", {file_sha256(path): load_flatten})
    return path


def load_flatten(path):
    assert path.read_bytes() == CONTENT
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())


def test_weights_are_fetched_once(published):
    protocol = create_extractor("inception").protocol
    assert protocol.weights == inception.STATE_DICT_SHA256
    published.unlink()
    assert create_extractor("inception").protocol == protocol


def test_damaged_weights_in_the_cache_are_fetched_again(published, tmp_path):
    create_extractor("inception")
    (cached_path,) = (tmp_path / "cache").rglob("*.pth")
    cached_path.write_bytes(CONTENT[:5])
    create_extractor("inception")
    assert cached_path.read_bytes() == CONTENT


def test_fetched_file_of_another_digest_is_refused(published, tmp_path):
    published.write_bytes(b"another file")
    with raises_input_error("inception", file_sha256(published), inception.STATE_DICT_SHA256):
        create_extractor("inception")
    assert not any(path.is_file() for path in (tmp_path / "cache").rglob("*"))


def test_without_a_network_the_error_says_what_to_do(published, monkeypatch):
    def refuse(url, timeout):
        raise urllib.error.URLError("Network is unreachable")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    with raises_input_error("inception", inception.WEIGHTS_URL, "unreachable", "weights="):
        create_extractor("inception")


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "mine.pth"
    path.write_bytes(CONTENT)
    with raises_input_error(str(path), inception.STATE_DICT_SHA256, file_sha256(path)):
        create_extractor("inception", weights=path)
    with raises_input_error(str(tmp_path / "none.pth")):
        create_extractor("inception", weights=tmp_path / "none.pth")


def test_protocol_of_the_papers(published):
    protocol = create_extractor("inception").protocol
    assert protocol.input_size == (299, 299)
    assert protocol.resize_filter == "bilinear"
    assert "TensorFlow 1" in protocol.resize_kernel
    assert protocol.value_range == (-1.0, 127 / 128)


@pytest.mark.filterwarnings("ignore:.*torch.jit.* is deprecated")
def test_script_is_read_after_its_own_resizing(tmp_path, monkeypatch):
    path = tmp_path / "script.pt"
    torch.jit.save(torch.jit.script(FakeScript()), path)
    monkeypatch.setattr(inception, "_NET_LOADERS", {file_sha256(path): inception._load_script})
    extractor = create_extractor("inception", weights=path)
    white = torch.full((1, 3, 20, 20), 255, dtype=torch.uint8)
    torch.testing.assert_close(extractor(white), torch.full((1, 12), 127 / 128))
