"""Batches are a pure function of data set, seed and step."""

from typing import ClassVar

import pytest
import torch
from scipy import stats

from iidgan.data import Ring
from iidgan.engine import sampling
from iidgan.engine.sampling import STEPS_PER_BLOCK, ConcatenatedStream, DatasetStream
from tests.helpers.engine import (
    have_equal_fields,
    have_equal_tensors,
    make_dataset,
    make_stream,
    select_seed,
)
from tests.helpers.errors import raises_input_error

pytestmark = pytest.mark.usefixtures("float64")


class TestDatasetStream:
    def test_batches_at_returns_shapes(self):
        batches = make_stream((0, 5, 9), batches_per_step=2).batches_at(3)
        assert len(batches) == 2
        for batch in batches:
            assert batch.x.shape == (3, 8, 3)
            assert batch.z.shape == (3, 8, 2)
            assert batch.u.shape == batch.y.shape == (3, 8)
            assert ((batch.u >= 0) & (batch.u < 1)).all()

    def test_batches_at_pairs_labels(self):
        dataset, batch = make_dataset(), make_stream((0, 1)).batches_at(0)[0]
        assert torch.equal(dataset.x[batch.y], batch.x)

    def test_batches_at_is_pure_function(self):
        steps = [200, 0, STEPS_PER_BLOCK, STEPS_PER_BLOCK - 1, 3, STEPS_PER_BLOCK + 1, 3]
        in_order, shuffled = make_stream((7, 2)), make_stream((7, 2))
        expected = {step: in_order.batches_at(step)[0] for step in sorted(set(steps))}
        for step in steps:
            assert have_equal_fields(expected[step], shuffled.batches_at(step)[0])
            assert have_equal_fields(expected[step], make_stream((7, 2)).batches_at(step)[0])

    def test_batches_at_ignores_other_seeds(self):
        together, alone = make_stream((3, 1, 2)), make_stream((1,))
        for step in (0, 5, STEPS_PER_BLOCK):
            batch, expected = together.batches_at(step)[0], alone.batches_at(step)[0]
            assert have_equal_fields(select_seed(batch, 1), select_seed(expected, 0))

    def test_batches_at_differ_between_draws(self):
        batches = make_stream((0, 1), batches_per_step=2)
        first, second = batches.batches_at(0)
        others = [second, make_stream((2, 3)).batches_at(0)[0]]
        others += [batches.batches_at(step)[0] for step in (1, STEPS_PER_BLOCK)]
        assert not torch.equal(first.z[0], first.z[1])
        for other in others:
            assert not torch.equal(first.z, other.z)
            assert not torch.equal(first.y, other.y)
            assert not torch.equal(first.u, other.u)

    def test_stream_ignores_global_seed(self):
        torch.manual_seed(0)
        before = torch.get_rng_state()
        first = make_stream((0,)).batches_at(0)[0]
        assert torch.equal(before, torch.get_rng_state())
        torch.manual_seed(1)
        assert have_equal_fields(first, make_stream((0,)).batches_at(0)[0])

    def test_batches_at_have_right_distributions(self):
        """Index and u are uniform, z is normal, and neighbours are unrelated."""
        stream = make_stream((0, 1), batch_size=100)
        batches = [stream.batches_at(step)[0] for step in range(2 * STEPS_PER_BLOCK)]
        y, z, u = (torch.stack([getattr(batch, name) for batch in batches]) for name in "yzu")
        counts = torch.bincount(y.flatten(), minlength=200)
        assert stats.chisquare(counts.numpy()).pvalue > 1e-3
        assert stats.kstest(z.flatten().numpy(), "norm").pvalue > 1e-3
        assert stats.kstest(u.flatten().numpy(), "uniform").pvalue > 1e-3
        num = z[0].numel() * len(batches) / 2
        blocks = z[:STEPS_PER_BLOCK], z[STEPS_PER_BLOCK:]
        for a, b in ((z[:, 0], z[:, 1]), (z[1:], z[:-1]), blocks):
            assert (a * b).mean().abs() < 4 / num**0.5

    NOISE: ClassVar = {"image": (3, 2), "scalar": ()}

    def test_noise_shapes_of_batches(self):
        stream = make_stream((0, 5, 9), batches_per_step=2, noise_shapes=self.NOISE)
        for batch in stream.batches_at(STEPS_PER_BLOCK + 1):
            assert {name: v.shape for name, v in batch.noise.items()} == {
                "image": (3, 8, 3, 2),
                "scalar": (3, 8),
            }
        assert dict(make_stream((0,)).batches_at(0)[0].noise) == {}

    @pytest.mark.parametrize("batches_per_step", [1, 2])
    def test_noise_leaves_other_draws(self, batches_per_step):
        with_noise = make_stream((7, 2), batches_per_step, noise_shapes=self.NOISE)
        without = make_stream((7, 2), batches_per_step)
        for step in (0, 3, STEPS_PER_BLOCK, 5 * STEPS_PER_BLOCK + 1):
            for a, b in zip(with_noise.batches_at(step), without.batches_at(step), strict=True):
                assert have_equal_fields(a, b)

    @pytest.mark.parametrize("max_block_noise", [sampling.MAX_BLOCK_NOISE, 5_000])
    def test_noise_is_pure_function(self, monkeypatch, max_block_noise):
        monkeypatch.setattr(sampling, "MAX_BLOCK_NOISE", max_block_noise)
        in_order, shuffled = (make_stream((7, 2), 2, noise_shapes=self.NOISE) for _ in range(2))
        steps = [200, 0, STEPS_PER_BLOCK, STEPS_PER_BLOCK - 1, 3, STEPS_PER_BLOCK + 1, 3]
        expected = {step: in_order.batches_at(step)[1].noise for step in sorted(set(steps))}
        for step in steps:
            assert have_equal_tensors(expected[step], shuffled.batches_at(step)[1].noise)
        alone = make_stream((2,), 2, noise_shapes=self.NOISE)
        for step in (0, STEPS_PER_BLOCK):
            noise, expected_noise = (s.batches_at(step)[1].noise for s in (in_order, alone))
            assert all(torch.equal(noise[n][1:], expected_noise[n]) for n in self.NOISE)

    def test_large_noise_is_drawn_step_by_step(self, monkeypatch):
        monkeypatch.setattr(sampling, "MAX_BLOCK_NOISE", 5_000)
        stream = make_stream((7, 2), 2, noise_shapes=self.NOISE)
        assert "noise.image" not in stream.draw_block(0)
        assert stream.draw_block(0)["noise.scalar"].shape == (STEPS_PER_BLOCK, 2, 2, 8)
        noise = torch.stack([stream.batches_at(i)[1].noise["image"] for i in range(300)])
        assert stats.kstest(noise.flatten().numpy(), "norm").pvalue > 1e-3
        joined = ConcatenatedStream(
            [make_stream((seed,), 2, noise_shapes=self.NOISE) for seed in (7, 2)]
        )
        assert torch.equal(joined.batches_at(9)[1].noise["image"], noise[9])

    def test_noise_shapes_order_is_irrelevant(self):
        reordered = dict(reversed(self.NOISE.items()))
        streams = (make_stream((0,), noise_shapes=s) for s in (self.NOISE, reordered))
        a, b = (stream.batches_at(0)[0].noise for stream in streams)
        assert have_equal_tensors(dict(a), dict(b))

    def test_noise_is_normal_and_independent(self):
        stream = make_stream((0, 1), 2, 100, noise_shapes={"a": (), "b": ()})
        steps = range(STEPS_PER_BLOCK + 2)
        batches = [batch for step in steps for batch in stream.batches_at(step)]
        a, b = (torch.stack([batch.noise[name] for batch in batches]) for name in "ab")
        z = torch.stack([batch.z[..., 0] for batch in batches])
        assert stats.kstest(a.flatten().numpy(), "norm").pvalue > 1e-3
        num = a.numel()
        assert len(a.flatten().unique()) == num
        pairs = ((a, b), (a, z), (b, z), (a[1:], a[:-1]), (a[:, :1], a[:, 1:]))
        for left, right in pairs:
            assert (left * right).mean().abs() < 4 / (left * right).numel() ** 0.5

    def test_batch_t_is_progress(self):
        batches = make_stream((0, 1), batches_per_step=2, steps=400)
        for step in (0, 1, STEPS_PER_BLOCK, 100, 399):
            for batch in batches.batches_at(step):
                assert batch.t.shape == ()
                assert batch.t.item() == step / 400
        assert all(make_stream((0,)).batches_at(step)[0].t.item() == 0 for step in (0, 100))

    @pytest.mark.parametrize("size", [0, -1, 201])
    def test_batch_size_out_of_range(self, size):
        with raises_input_error("batch", size, 1, 200):
            make_stream((0,), batch_size=size)

    def test_batch_size_of_whole_dataset(self):
        assert make_stream((0,), batch_size=200).batches_at(0)[0].x.shape == (1, 200, 3)


def make_small_stream(seeds, std=0.01):
    """Returns a stream of three batches per step, with additional noise."""
    return DatasetStream(
        Ring(size=500, std=std).load(),
        seeds,
        batch_size=4,
        latent_dim=2,
        batches_per_step=3,
        noise_shapes={"a": (5,)},
        steps=200,
    )


def test_concatenated_stream_joins_batches():
    streams = make_small_stream((0, 1)), make_small_stream((0,), std=0.1)
    concatenated = ConcatenatedStream(streams)
    for step in (0, 7, STEPS_PER_BLOCK, 3):
        parts = zip(*(stream.batches_at(step) for stream in streams), strict=True)
        for batch, pair in zip(concatenated.batches_at(step), parts, strict=True):
            tensors = batch.to_tensors()
            first, second = (part.to_tensors() for part in pair)
            assert tensors.keys() == first.keys()
            for name, value in tensors.items():
                joined = first[name] if name == "t" else torch.cat([first[name], second[name]])
                assert torch.equal(value, joined)


def test_batches_at_without_gathered_blocks(monkeypatch):
    by_block = make_small_stream((3, 4))
    monkeypatch.setattr("iidgan.engine.sampling.MAX_GATHERED_BYTES", 0)
    by_step = make_small_stream((3, 4))
    assert (by_block.gathers_blocks, by_step.gathers_blocks) == (True, False)
    for step in (0, 5, STEPS_PER_BLOCK + 1):
        for left, right in zip(by_block.batches_at(step), by_step.batches_at(step), strict=True):
            assert have_equal_tensors(left.to_tensors(), right.to_tensors())
