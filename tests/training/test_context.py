"""The context of a run: what identifies its compiled step."""

from iidgan.methods import GAN, METHODS, iid_gan
from tests.helpers.engine import make_context


def test_cache_key_depends_on_run():
    changes = [
        {},
        {"ema": 0.5},
        {"ema": 0.6},
        {"ema_rampup": 0.1},
        {"batch": 9},
        {"precision": "bfloat16"},
        {"lr_factors": (("D", 0.5),)},
        {"lr_factors": (("D", 0.5), ("G", 0.5))},
    ]
    keys = [make_context(**change).train_step.cache_key for change in changes]
    keys.append(make_context(iid_gan()).train_step.cache_key)
    assert None not in keys
    assert len(set(keys)) == len(keys)
    # The length of a run does not matter.
    assert make_context(steps=20).train_step.cache_key == make_context().train_step.cache_key


def test_cache_key_of_foreign_code(monkeypatch):
    class ForeignGAN(GAN):
        pass

    monkeypatch.setitem(METHODS, "foreign", ForeignGAN)
    assert make_context(ForeignGAN()).train_step.cache_key is None
    assert make_context(GAN()).train_step.cache_key is not None
