"""Networks by name: cached outputs, maps, replaced parameters."""

import pytest
import torch
from torch import nn

from iidgan.core import (
    Batch,
    HasBatchStatistics,
    HasPostUpdate,
    Nets,
    NetworkFactory,
    layer_noise_shapes,
)
from iidgan.methods import GAN
from iidgan.nn import MLP
from iidgan.nn.layers.conv import BatchNorm
from iidgan.nn.layers.linear import Linear
from iidgan.nn.layers.weight import SpectralWeight
from tests.helpers.core import ARCH, recording_nets
from tests.helpers.errors import raises_input_error


class TestNets:
    def test_nets_is_a_mapping(self):
        modules, nets = recording_nets()
        assert dict(nets) == modules
        assert len(nets) == 3
        assert nets["G"] is modules["G"]

    def test_nets_caches_equal_calls(self):
        modules, nets = recording_nets()
        z = torch.ones(1)
        assert nets.G(z) is nets.G(z)
        assert nets.D(nets.G(z)) is nets.D(nets.G(z))
        assert nets.D(nets.G(z)).item() == 6.0
        assert (modules["G"].calls, modules["D"].calls) == (1, 1)

    def test_nets_cache_compares_identity(self):
        modules, nets = recording_nets()
        assert nets.G(torch.ones(1)) is not nets.G(torch.ones(1))
        assert modules["G"].calls == 2

    def test_nets_cache_distinguishes_inputs(self):
        modules, nets = recording_nets()
        a, b = torch.ones(1), torch.zeros(1)
        for inputs in ((a, b), (b, a), (a,), (a, b)):
            nets.G(*inputs)
        assert modules["G"].calls == 3

    def test_invalidate_removes_dependent_outputs(self):
        modules, nets = recording_nets()
        z, x = torch.ones(1), torch.zeros(1)
        fake, code = nets.G(z), nets.F(x)
        nets.D(fake), nets.D(x), nets.F(nets.D(fake))
        nets.invalidate(["G"])
        assert nets.F(x) is code
        assert nets.G(z) is not fake
        calls = {name: net.calls for name, net in modules.items()}
        nets.D(x)
        assert modules["D"].calls == calls["D"]  # unrelated: old_features
        nets.D(fake)
        assert modules["D"].calls == calls["D"] + 1  # depends on the old G: removed
        nets.F(nets.D(fake))
        assert modules["F"].calls == calls["F"] + 1

    def test_invalidate_keeps_inputs(self):
        modules, nets = recording_nets()
        z = torch.ones(1)
        fake = nets.G(z)
        nets.D(fake)
        nets.invalidate(("D",))
        assert nets.G(z) is fake
        nets.D(fake)
        assert (modules["G"].calls, modules["D"].calls) == (1, 2)

    def test_nets_cache_survives_reused_ids(self):
        """Ids are reused when tensors are freed, so inputs are kept as long as their outputs."""
        _, nets = recording_nets()
        for value in range(200):
            assert nets.G(torch.full((1,), float(value))).item() == 2.0 * value
            if value % 7 == 0:
                nets.invalidate(["G"])

    def test_nets_unknown_network(self):
        _, nets = recording_nets()
        with pytest.raises(AttributeError, match=r"'Q'.* G, D, F"):
            nets.Q(torch.ones(1))
        with pytest.raises(KeyError, match=r"'Q'.* G, D, F"):
            nets["Q"]
        with pytest.raises(KeyError, match="'Q'"):
            nets.features("Q", torch.ones(1))


class Split(nn.Module):
    """A network of two halves that count their calls: x -> scale x -> scale x + 1."""

    def __init__(self, scale=2.0):
        super().__init__()
        self.scale, self.calls = scale, 0
        self.head = Plus()

    def features(self, x):
        self.calls += 1
        return self.scale * x

    def forward(self, x):
        return self.head(self.features(x))


class Plus(nn.Module):
    def __init__(self):
        super().__init__()
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        return x + 1


class TestNetsFeatures:
    def test_features_shared_with_call(self):
        x = torch.ones(1)
        for features_first in (True, False):
            nets = Nets({"D": Split()})
            hidden = nets.features("D", x) if features_first else None
            assert nets.D(x).item() == 3.0
            assert nets.features("D", x).item() == 2.0
            assert hidden is None or nets.features("D", x) is hidden
            assert nets.D(x) is nets.D(x)
            assert (nets["D"].calls, nets["D"].head.calls) == (1, 1)

    def test_features_skip_head(self):
        nets = Nets({"D": Split()})
        nets.features("D", torch.ones(1))
        assert nets["D"].head.calls == 0

    def test_invalidate_removes_features(self):
        nets, z = Nets({"G": Split(3.0), "D": Split()}), torch.ones(1)
        fake = nets.G(z)
        hidden = nets.features("D", fake)
        nets.invalidate(["G"])
        assert nets.features("D", fake) is not hidden  # depends on the old G
        x = torch.zeros(1)
        nets["D"].scale, old_features = 5.0, nets.features("D", x)
        nets.invalidate(["G"])
        assert nets.features("D", x) is old_features  # unrelated
        nets.invalidate(["D"])
        assert nets.features("D", fake).item() == 5.0 * fake.item()
        assert nets.D(fake).item() == 5.0 * fake.item() + 1

    def test_features_missing(self):
        _, nets = recording_nets()
        with raises_input_error("method", "'D'", "Recording"):
            nets.features("D", torch.ones(1))


class TestWithInputMap:
    def test_with_input_map_one_network(self):
        modules, nets = recording_nets()
        view, x = nets.with_input_map("D", lambda x: x + 1), torch.ones(1)
        assert view.D(x).item() == 3.0 * 2
        assert view.F(x).item() == 5.0
        assert dict(view) == modules

    def test_with_input_map_first_input(self):
        _, nets = recording_nets()
        view = nets.with_input_map("D", lambda x: 10 * x)
        assert view.D(torch.ones(1), torch.ones(1)).item() == 3.0 * 11

    def test_with_input_map_changes_features(self):
        view, x = Nets({"D": Split()}).with_input_map("D", lambda x: x + 1), torch.ones(1)
        assert (view.features("D", x).item(), view.D(x).item()) == (4.0, 5.0)
        assert view["D"].calls == 1

    def test_with_input_map_composes_in_order(self):
        _, nets = recording_nets()
        view = nets.with_input_map("D", lambda x: x + 1).with_input_map("D", lambda x: 10 * x)
        assert view.with_input_map("F", lambda x: -x).D(torch.ones(1)).item() == 3.0 * 20
        assert view.with_input_map("F", lambda x: -x).F(torch.ones(1)).item() == -5.0

    def test_with_input_map_keeps_original(self):
        _, nets = recording_nets()
        nets.with_input_map("D", lambda x: x + 1)
        assert nets.D(torch.ones(1)).item() == 3.0

    def test_with_input_map_shares_cache(self):
        modules, nets = recording_nets()
        view, z = nets.with_input_map("D", lambda x: x + 1), torch.ones(1)
        assert nets.G(z) is view.G(z)
        assert view.D(nets.G(z)) is nets.with_input_map("D", lambda x: x + 1).D(view.G(z))
        assert (modules["G"].calls, modules["D"].calls) == (1, 1)
        cached_output = view.D(view.G(z))
        nets.invalidate(["G"])
        view.D(view.G(z))
        assert (modules["G"].calls, modules["D"].calls) == (2, 2)
        assert view.D(view.G(z)) is not cached_output


class NoisyScale(nn.Module):
    """A network whose layers read one number of noise for each sample."""

    layer_noise_shape = (1,)

    def forward(self, z, noise=None):
        return 2 * z if noise is None else 2 * z + noise


class TestLayerNoise:
    def test_shapes_of_networks_that_read_noise(self):
        networks = {"G": NoisyScale(), "F": nn.Identity()}
        assert layer_noise_shapes(networks) == {"layers_G": (1,)}

    def test_nets_pass_the_noise_of_the_batch(self):
        zeros = torch.zeros(1, 2, 1)
        noise = {"layers_G": torch.tensor([[[1.0], [-1.0]]])}
        batch = Batch(x=zeros, z=zeros, u=zeros[..., 0], noise=noise)
        nets = Nets({"G": NoisyScale(), "F": nn.Identity()})
        noisy_nets = nets.with_layer_noise(batch)
        assert torch.equal(noisy_nets.G(zeros), noise["layers_G"])
        assert torch.equal(noisy_nets.F(zeros), zeros)
        assert noisy_nets.G(zeros) is nets.with_layer_noise(batch).G(zeros)
        assert torch.equal(nets.G(zeros), zeros)

    def test_nets_without_noise_in_the_batch(self):
        zeros = torch.zeros(1, 2, 1)
        batch = Batch(x=zeros, z=zeros, u=zeros[..., 0])
        assert torch.equal(Nets({"G": NoisyScale()}).with_layer_noise(batch).G(zeros), zeros)

    def test_own_cache_keeps_noise(self):
        zeros = torch.zeros(1, 1, 1)
        batch = Batch(x=zeros, z=zeros, u=zeros[..., 0], noise={"layers_G": torch.ones(1, 1, 1)})
        nets = Nets({"G": NoisyScale()}).with_layer_noise(batch)
        other_nets = nets.with_own_cache()
        assert torch.equal(other_nets.G(zeros), nets.G(zeros))
        assert other_nets.G(zeros) is not nets.G(zeros)


def test_layers_implement_protocols():
    assert isinstance(SpectralWeight(torch.ones(1, 2, 2, 1, 1)), HasPostUpdate)
    assert isinstance(BatchNorm(2), HasBatchStatistics)
    assert not isinstance(Linear(1, 1), HasPostUpdate | HasBatchStatistics)


def test_nets_features_without_head():
    x, D = torch.zeros(1, 3, *ARCH.shape), ARCH.build_discriminator()
    assert torch.equal(D.head(Nets({"D": D}).features("D", x)), D(x))
    with raises_input_error("method", "'D'", "Linear"):
        Nets({"D": Linear(1, 1)}).features("D", x)


class TestWithParameters:
    """A network with other parameters, as for a look-ahead."""

    def nets(self):
        torch.manual_seed(0)
        return Nets({"D": MLP(hidden=(4,)).build_discriminator((2,))})

    def test_with_parameters_keeps_original(self):
        nets, x = self.nets(), torch.randn(1, 3, 2)
        before = nets.D(x)
        zeros = {name: torch.zeros_like(p) for name, p in nets["D"].named_parameters()}
        assert not nets.with_parameters("D", zeros).D(x).any()
        assert nets.D(x) is before

    def test_with_parameters_keeps_input_map(self):
        nets, x = self.nets(), torch.randn(1, 3, 2)
        own = dict(nets["D"].named_parameters())
        output = nets.with_input_map("D", torch.zeros_like).with_parameters("D", own).D(x)
        assert torch.equal(output, nets["D"](torch.zeros_like(x)))


class TestWithOutputMap:
    """A network whose output is mapped."""

    def test_with_output_map_changes_output(self):
        nets = Nets({"F": nn.Identity()})
        view = nets.with_output_map("F", lambda z: 2 * z).with_output_map("F", lambda z: z + 1)
        x = torch.randn(1, 3, 2)
        assert torch.equal(view.F(x), 2 * x + 1)
        assert view.F(x) is view.F(x)
        assert torch.equal(Nets({"F": nets["F"]}).F(x), x)

    def test_with_output_map_and_input_map(self):
        torch.manual_seed(0)
        nets = Nets({"D": MLP(hidden=(4,)).build_discriminator((2,))})
        x = torch.randn(1, 3, 2)
        view = nets.with_input_map("D", torch.zeros_like).with_output_map("D", lambda d: -d)
        assert torch.equal(view.D(x), -nets["D"](torch.zeros_like(x)))


def test_nets_use_bfloat16_dtypes():
    dtypes = []

    class DtypeRecorder(nn.Module):
        def __init__(self, net):
            super().__init__()
            self.net = net

        def forward(self, x):
            output = self.net(x)
            dtypes.append(output.dtype)
            return output

    factory = NetworkFactory(MLP(), (2,))
    nets = {name: DtypeRecorder(net) for name, net in GAN().networks(factory).items()}
    z = torch.randn(1, 50, 2)
    exact, rounded = Nets(nets).G(z), Nets(nets, use_bfloat16=True).G(z)
    assert dtypes == [torch.float32, torch.bfloat16]
    assert rounded.dtype == torch.float32
    assert 0 < (rounded - exact).abs().max() < 0.02
    fixed = Nets(nets, use_bfloat16=True).with_parameters("G", dict(nets["G"].named_parameters()))
    assert torch.equal(fixed.G(z), rounded)


class DtypeRecorder(nn.Module):
    """Features and head of a network whose linear maps autocast computes; records dtypes."""

    def __init__(self):
        super().__init__()
        self.body, self.head, self.dtypes = nn.Linear(2, 4), nn.Linear(4, 3), []
        self.head.register_forward_pre_hook(lambda _, inputs: self.dtypes.append(inputs[0].dtype))

    def features(self, x):
        self.dtypes.append(x.dtype)
        return self.body(x)


def test_nets_bfloat16_features_and_maps():
    """The head reads bfloat16 features; losses get float32, and maps are computed in float32."""
    network, x = DtypeRecorder(), torch.randn(1, 5, 2)
    nets = Nets({"F": network}, use_bfloat16=True)
    mapped_dtypes = []

    def halve(codes):
        mapped_dtypes.append(codes.dtype)
        return codes / 2

    codes = nets.with_input_map("F", halve).with_output_map("F", halve).F(x)
    features = nets.features("F", x)
    assert network.dtypes == [torch.float32, torch.bfloat16]  # computed once
    assert mapped_dtypes == [torch.float32, torch.float32]
    assert features.dtype == codes.dtype == torch.float32
    assert torch.equal(features, features.bfloat16().float())
    assert nets.features("F", x) is features
    nets.invalidate(["F"])
    assert nets.features("F", x) is not features
