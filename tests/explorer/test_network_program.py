"""Programs of networks: what they compute, in Python and by the script of pages."""

import base64
from functools import partial
from importlib import resources

import pytest
import torch
from torch import nn
from torch.nn import functional

import iidgan
from iidgan.core import HasBatchStatistics, NetworkFactory, Standardisation
from iidgan.engine.inference import in_own_units
from iidgan.engine.state import build_networks
from iidgan.explorer.network_program import write_program
from iidgan.explorer.program_writer import WeightStore
from tests.helpers.backbones import RECTANGLES, SMALLEST, each_backbone
from tests.helpers.errors import raises_input_error

NUM_SAMPLES = 20


def build_inference_networks(method, arch, shape, num_classes=0):
    """New networks with the standing statistics of one batch."""
    nets = build_networks(method, NetworkFactory(arch, shape, num_classes), seeds=[0])
    nets.requires_grad_(False).eval()
    layers = [layer for layer in nets.modules() if isinstance(layer, HasBatchStatistics)]
    handles = [layer.register_forward_pre_hook(set_statistics) for layer in layers]
    one_hot = torch.eye(NUM_SAMPLES, num_classes)  # of the first samples; others have no class
    nets["G"](torch.cat([torch.randn(NUM_SAMPLES, arch.latent), one_hot], 1)[None])
    if "F" in nets:
        nets["F"](torch.rand(1, NUM_SAMPLES, *shape))
    for handle in handles:
        handle.remove()
    return nets


def set_statistics(layer, inputs):
    layer.set_statistics(*layer.batch_moments(inputs[0]))


def of_one_seed(network):
    return lambda inputs: network(inputs[None])[0]


SCRIPT = """async ([address, network, inputs]) => {
    const { createNetwork } = await import(address);
    const { forward } = createNetwork(network);
    const outputs = await forward(...inputs.map((x) => Float32Array.from(x)));
    return outputs.map((y) => [...y]);
}"""


@pytest.fixture(scope="module")
def run_program(browser):
    """Computes programs by the script of pages."""
    script = resources.files("iidgan.explorer").joinpath("page", "network.js").read_bytes()
    address = f"data:text/javascript;base64,{base64.b64encode(script).decode()}"
    page = browser.new_page()

    def run(program, weights, *inputs):
        network = {"weights": weights.to_dict(), "programs": {"forward": program.to_dict()}}
        arguments = [address, network, [x.flatten().tolist() for x in inputs]]
        outputs = page.evaluate(SCRIPT, arguments)
        return [torch.tensor(values).float().view(len(inputs[0]), -1) for values in outputs]

    yield run
    page.close()


def assert_reproduces(run_program, network, inputs):
    function, weights = of_one_seed(network), WeightStore()
    program, (output,) = write_program(function, [inputs], weights)
    expected = function(inputs)
    scale = expected.abs().max()  # of new networks, far below 1
    assert scale > 0
    torch.testing.assert_close(output / scale, expected / scale, rtol=0, atol=1e-4)
    (computed,) = run_program(program, weights, inputs)
    torch.testing.assert_close(computed / scale, expected.flatten(1) / scale, rtol=0, atol=1e-4)


def compute_gradient(network, z, x):
    """Outputs, and the gradient of half their squared distance to x in z."""
    with torch.enable_grad():
        z = z.detach().requires_grad_()
        outputs = network(z[None])[0]
        (gradient,) = torch.autograd.grad(outputs, z, (outputs - x).detach())
    return outputs.detach(), gradient


REFUSED = ("r3gan", "stylegan2")
"""Backbones whose operations programs lack."""
WRITTEN, WRITTEN_RECTANGLES = (
    {name: case for name, case in cases.items() if name.split()[0] not in REFUSED}
    for cases in (SMALLEST, RECTANGLES)
)
GRADIENT_CASES = WRITTEN | {"mlp": (iidgan.MLP(latent=3, hidden=(5,), activation="tanh"), (2,))}


def assert_reproduces_gradient(run_program, network, z, x):
    function, weights = partial(compute_gradient, network), WeightStore()
    program, _ = write_program(function, [z, x], weights)
    for computed, expected in zip(run_program(program, weights, z, x), function(z, x)):
        scale = expected.abs().max()
        assert scale > 0
        normalised = expected.flatten(1) / scale
        torch.testing.assert_close(computed / scale, normalised, rtol=0, atol=1e-4)


@pytest.mark.slow
@each_backbone(WRITTEN | WRITTEN_RECTANGLES)
def test_script_computes_networks_of_images(backbone, shape, run_program):
    nets = build_inference_networks(iidgan.iid_gan(), backbone, shape)
    assert_reproduces(run_program, nets["G"], torch.randn(2, backbone.latent))
    assert_reproduces(run_program, nets["F"], torch.rand(2, *shape))


@pytest.mark.slow
def test_script_computes_networks_of_points_in_units_of_data(run_program):
    scaling = Standardisation(torch.tensor([3.0, -3.0]), torch.tensor([2.0, 0.1]))
    nets = build_inference_networks(iidgan.iid_gan(), iidgan.MLP(hidden=(8, 8)), (2,))
    nets = in_own_units(nn.ModuleDict({name: nets[name] for name in "GF"}), scaling)
    assert_reproduces(run_program, nets["G"], torch.randn(3, 2))
    assert_reproduces(run_program, nets["F"], torch.randn(3, 2))


@pytest.mark.slow
@pytest.mark.parametrize("discriminator", ["concat", "projection"])
def test_script_computes_conditional_networks(discriminator, run_program):
    method = iidgan.conditional_iid_gan(discriminator=discriminator)
    arch = iidgan.DCGAN(latent=3, width=2)
    nets = build_inference_networks(method, arch, (1, 8, 8), num_classes=4)
    codes = torch.cat([torch.randn(2, 3), torch.eye(4)[[1, 3]]], 1)
    assert_reproduces(run_program, nets["G"], codes)
    assert_reproduces(run_program, nets["F"], torch.rand(2, 1, 8, 8))
    assert_reproduces_gradient(run_program, nets["G"], codes, torch.rand(2, 1, 8, 8))


@pytest.mark.slow
@each_backbone(GRADIENT_CASES)
def test_script_computes_gradients(backbone, shape, run_program):
    network = backbone.build_generator(shape).eval().requires_grad_(False)
    z, x = torch.randn(2, backbone.latent), torch.randn(2, *shape)
    assert_reproduces_gradient(run_program, network, z, x)


@pytest.mark.slow
def test_script_reads_half_precision(run_program):
    weight = torch.tensor([[1 / 3], [-(2.0**-20)], [1e-7], [65504.0], [0.0], [-1.0]])
    weights = WeightStore(torch.float16)
    program, (output,) = write_program(lambda x: x @ weight.mT, [torch.ones(1, 1)], weights)
    assert weights.tensors[0].dtype == torch.float16
    assert torch.equal(output, weight.half().float().mT)
    (computed,) = run_program(program, weights, torch.ones(1, 1))
    assert torch.equal(computed, output)


FUNCTIONS = {
    "pool with padding": lambda x: functional.avg_pool2d(x, 3, 2, 1),
    "upsample by 3": lambda x: functional.interpolate(x, scale_factor=3),
    "choose and turn": lambda x: x[:, 1:, :, 2:4].transpose(2, 3),
    "sum of pixels": lambda x: x.sum((2, 3)),
    "centred": lambda x: x - x[:, :1],
    "sigmoid": lambda x: x.sigmoid(),
    "softmax": lambda x: x.flatten(1).softmax(-1),
    "product with itself": lambda x: x * x,
    "linear": lambda x: functional.linear(x.flatten(1), torch.ones(2, 96) / 9, torch.ones(2)),
    "input": lambda x: x,
}


@pytest.mark.slow
@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_script_computes_operations(function, run_program):
    x, weights = torch.randn(2, 4, 4, 6), WeightStore()
    program, (output,) = write_program(function, [x], weights)
    torch.testing.assert_close(output, function(x))
    (computed,) = run_program(program, weights, x)
    torch.testing.assert_close(computed, function(x).flatten(1), rtol=1e-5, atol=1e-5)


def test_weights_that_depend_on_no_input_are_computed_once():
    weight, weights = torch.randn(5, 2), WeightStore()
    normalised = lambda x: x @ (weight / weight.norm()).mT  # noqa: E731
    program, _ = write_program(normalised, [torch.randn(3, 2)], weights)
    assert [operation["op"] for operation in program.operations] == ["linear"]
    torch.testing.assert_close(weights.tensors, [weight / weight.norm()])


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda x: x.cumsum(1), "aten.cumsum"),
        (lambda x: x + torch.randn_like(x), "random"),
        (lambda x: x + torch.arange(len(x))[:, None], "place in a batch"),
        (lambda x: x if x.sum() > 0 else -x, "decides by values"),
        (lambda x: x[:, :, None] @ x[:, None], "other than weights"),
        (lambda x: functional.conv1d(x[:, None], torch.ones(1, 1, 3)), "images"),
        (lambda x: torch.add(x, x, alpha=2), "alpha"),
    ],
)
def test_program_refuses(function, words):
    with raises_input_error("out", words):
        write_program(function, [torch.randn(4, 6)], WeightStore())


@pytest.mark.parametrize("name", REFUSED)
def test_program_refuses_backbones(name):
    backbone, shape = SMALLEST[name]
    nets = build_inference_networks(iidgan.iid_gan(), backbone, shape)
    with raises_input_error("out", "plain script", "--runtime"):
        write_program(of_one_seed(nets["G"]), [torch.randn(2, backbone.latent)], WeightStore())


def test_program_refuses_generators_that_take_turns():
    nets = build_inference_networks(iidgan.MADGAN(), iidgan.MLP(hidden=(4,)), (2,))
    with raises_input_error("out", "place in a batch"):
        write_program(of_one_seed(nets["G"]), [torch.randn(4, 2)], WeightStore())
