"""Latents, networks for inference, and their batch statistics."""

import pytest
import torch

from iidgan.core import Dataset, NetworkFactory, Standardisation
from iidgan.engine import inference
from iidgan.engine.inference import (
    in_own_units,
    inference_networks,
    iterate_prior,
    map_chunked,
    sample_prior,
)
from iidgan.engine.optim import Adam
from iidgan.engine.sampling import DatasetStream
from iidgan.engine.state import init_state
from iidgan.methods import iid_gan
from iidgan.nn import DCGAN
from iidgan.nn.layers.conv import BatchNorm, ungroup_seeds
from tests.helpers.engine import assert_equal_tensors, clone_tensors, train_briefly


class TestInferenceNetworks:
    def test_sample_prior_seeds_are_independent(self):
        z = sample_prior((4, 2), 50, 3)
        assert z.shape == (2, 50, 3)
        assert torch.equal(sample_prior((2,), 50, 3)[0], z[1])
        assert not torch.equal(z[0], z[1])
        assert not torch.equal(sample_prior((4, 2), 50, 3, stream=1), z)

    @pytest.mark.parametrize("num", [0, 1, 15, 16, 17, 31, 63, 64, 65, 1000])
    @pytest.mark.parametrize(("latent", "block_size"), [(1, 16), (3, 1), (2, 100), (7, 32)])
    def test_iterate_prior_equals_whole(self, num, latent, block_size):
        blocks = list(iterate_prior(4, num, latent, stream=2, block_size=block_size))
        assert torch.equal(torch.cat(blocks), sample_prior((4,), num, latent, stream=2)[0])
        assert max(map(len, blocks)) < 2 * max(block_size, 16)

    def test_in_own_units_converts_samples(self):
        state = train_briefly(iid_gan())
        scaling = Standardisation(torch.tensor([100.0, -5]), torch.tensor([10.0, 0.5]))
        nets = inference_networks(state, batch_stream=None)
        assert in_own_units(nets, None) is nets
        scaled_nets, z = in_own_units(nets, scaling), torch.randn(3, 10, 2)
        x = nets["G"](z)
        expected = x * scaling.std + scaling.mean
        torch.testing.assert_close(scaled_nets["G"](z), expected)
        torch.testing.assert_close(scaled_nets["F"](expected), nets["F"](x), atol=1e-4, rtol=1e-3)

    def test_map_chunked_equals_whole(self, monkeypatch):
        net, z = train_briefly().nets["G"], torch.randn(3, 10, 2)
        expected = net(z).detach()
        monkeypatch.setattr(inference, "CHUNK_SIZE", 3)
        output = map_chunked(net, z)
        assert not output.requires_grad
        assert torch.allclose(output, expected, atol=1e-6)

    def test_inference_networks_are_maps(self):
        assert list(inference_networks(train_briefly(), batch_stream=None)) == ["G"]
        assert set(inference_networks(train_briefly(iid_gan()), batch_stream=None)) == {"G", "F"}

    def test_inference_networks_use_ema(self):
        state = train_briefly(ema=0.5)
        nets = inference_networks(state, batch_stream=None)
        for name, value in nets["G"].named_parameters():
            assert torch.equal(value, state.ema_nets["G"].get_parameter(name))
            assert not torch.equal(value, state.nets["G"].get_parameter(name))
            assert not value.requires_grad

    def test_inference_networks_are_copies(self):
        state = train_briefly()
        nets = inference_networks(state, batch_stream=None)
        with torch.no_grad():
            for value in nets.parameters():
                value.zero_()
        assert all(value.any() for value in state.nets["G"].parameters() if value.dim() == 3)


IMAGES = NetworkFactory(DCGAN(latent=3, width=2), (1, 8, 8))


@pytest.mark.usefixtures("float64")
class TestBatchStatistics:
    def make_state_and_stream(self):
        state = init_state(iid_gan(), IMAGES, Adam(), (0, 1))
        x = torch.randn(40, 1, 8, 8, generator=torch.Generator().manual_seed(0)).tanh()
        return state, DatasetStream(Dataset(x), (0, 1), batch_size=6, latent_dim=3)

    def test_statistics_are_moments_of_batches(self):
        """Each batch is normalised by itself; the moments of each layer's inputs are averaged."""
        state, stream = self.make_state_and_stream()
        nets = inference_networks(state, stream, num_batches=4)
        norms = {n: m for n, m in state.nets.named_modules() if isinstance(m, BatchNorm)}
        norms = {name: module for name, module in norms.items() if name[0] in "GF"}
        inputs = {name: [] for name in norms}
        for name, module in norms.items():
            module.register_forward_pre_hook(
                lambda m, args, inputs=inputs[name]: inputs.append(args[0])
            )
        for step in range(4):
            batch = stream.batches_at(step)[0]
            state.nets["G"](batch.z)
            state.nets["F"](batch.x)
        assert len(norms) == 5
        for name, layer_inputs in inputs.items():
            x = ungroup_seeds(torch.cat(layer_inputs), 2)  # (S, 4 * B, C, H, W)
            layer = nets.get_submodule(name)
            assert torch.allclose(layer.mean, x.mean((1, 3, 4)), atol=1e-12)
            variance = x.var((1, 3, 4), correction=0)
            assert torch.allclose(layer.var, variance, rtol=1e-9, atol=1e-15)

    def test_statistics_keep_small_variance(self):
        layer = BatchNorm(1)
        x = (1000 + 0.1 * torch.randn(500, 1, 8, 8, dtype=torch.float64)).float()
        moments = [layer.batch_moments(part) for part in x.split(100)]
        layer.set_statistics(*(torch.stack(values).mean(0) for values in zip(*moments)))
        assert torch.allclose(layer.var, x.double().var(correction=0), rtol=1e-4)

    def test_statistics_make_samples_independent(self):
        state, stream = self.make_state_and_stream()
        nets, z = inference_networks(state, stream, num_batches=3), torch.randn(2, 9, 3)
        assert not any(module.training for module in nets.modules())
        assert torch.allclose(nets["G"](z)[:, 4:6], nets["G"](z[:, 4:6]), atol=1e-13)
        state.nets.train()
        assert not torch.allclose(
            state.nets["G"](z)[:, 4:6], state.nets["G"](z[:, 4:6]), atol=1e-3
        )

    def test_inference_networks_leave_state(self):
        state, stream = self.make_state_and_stream()
        before = clone_tensors(state.nets.state_dict())
        inference_networks(state, stream, num_batches=2)
        assert_equal_tensors(before, state.nets.state_dict())
        assert all(module.training for module in state.nets.modules())
        assert not any(module._forward_pre_hooks for module in state.nets.modules())

    def test_inference_networks_remove_hooks(self):
        nets = inference_networks(*self.make_state_and_stream(), num_batches=1)
        assert not any(module._forward_pre_hooks for module in nets.modules())

    def test_statistics_of_one_batch(self):
        """Evaluation on that batch then equals training."""
        state, stream = self.make_state_and_stream()
        nets = inference_networks(state, stream, num_batches=1)
        batch = stream.batches_at(0)[0]
        expected = state.nets["G"](batch.z)
        assert torch.allclose(nets["G"](batch.z), expected, atol=1e-10)
