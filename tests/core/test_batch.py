"""Batches of data and noise."""

from dataclasses import replace

import pytest
import torch

from iidgan.core import (
    Batch,
    concatenate_batches,
)


def random_batch(num=4, *, labels=True, noise=True, t=0.25):
    extra = {"b": torch.randn(2, num, 3), "a": torch.randn(2, num)} if noise else {}
    return Batch(
        x=torch.randn(2, num, 5),
        z=torch.randn(2, num, 2),
        u=torch.rand(2, num),
        y=torch.randint(9, (2, num)) if labels else None,
        t=torch.tensor(t),
        noise=extra,
    )


class TestBatch:
    @pytest.mark.parametrize("labels", [True, False])
    @pytest.mark.parametrize("noise", [True, False])
    def test_from_tensors_round_trip(self, labels, noise):
        batch = random_batch(labels=labels, noise=noise)
        restored = Batch.from_tensors(batch.to_tensors())
        for name in ("x", "z", "u", "y", "t"):
            assert getattr(restored, name) is getattr(batch, name)
        assert restored.noise.keys() == batch.noise.keys()
        assert all(restored.noise[name] is batch.noise[name] for name in batch.noise)

    def test_to_tensors_order(self):
        batch = random_batch()
        other = replace(batch, noise=dict(reversed(batch.noise.items())))
        assert list(batch.to_tensors()) == list(other.to_tensors())
        assert list(batch.to_tensors()) == ["x", "z", "u", "y", "t", "noise.a", "noise.b"]
        assert "y" not in random_batch(labels=False).to_tensors()

    def test_batch_defaults(self):
        batch = Batch(torch.ones(1, 1), torch.ones(1, 1), torch.ones(1, 1))
        assert (batch.t.shape, batch.t.item(), dict(batch.noise)) == ((), 0.0, {})

    def test_concatenate_batches_along_batch_axis(self):
        batches = [random_batch(num) for num in (3, 1, 2)]
        concatenated = concatenate_batches(batches).to_tensors()
        for name, value in concatenated.items():
            if name != "t":
                assert value.shape[:2] == (2, 6)
                pieces = zip(value.split([3, 1, 2], dim=1), batches, strict=True)
                assert all(torch.equal(piece, batch.to_tensors()[name]) for piece, batch in pieces)
        assert concatenated["t"] is batches[0].t
        assert list(concatenated) == list(batches[0].to_tensors())

    def test_concatenate_batches_without_labels(self):
        concatenated = concatenate_batches(
            [random_batch(labels=False, noise=False) for _ in range(2)]
        )
        assert concatenated.y is None
        assert dict(concatenated.noise) == {}

    def test_concatenate_batches_of_one(self):
        batch = random_batch()
        assert concatenate_batches([batch]) is batch


def test_noise_for_repeats_the_batch():
    noise = torch.randn(2, 3, 4)
    batch = Batch(*(torch.zeros(2, 3, 1) for _ in range(2)), torch.zeros(2, 3), noise={"n": noise})
    assert torch.equal(batch.noise_for("n", 3), noise)
    assert torch.equal(batch.noise_for("n", 2), noise[:, :2])
    assert torch.equal(batch.noise_for("n", 7), torch.cat([noise, noise, noise[:, :1]], 1))
