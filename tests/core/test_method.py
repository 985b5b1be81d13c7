"""Methods."""

from dataclasses import replace

import pytest

from iidgan.methods import GAN


def test_method_is_frozen():
    with pytest.raises(AttributeError):
        GAN().loss = "saturating"
    assert replace(GAN(), loss="saturating") != GAN()
