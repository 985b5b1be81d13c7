"""Runs of a few steps, in float64, whose batches several processes may share."""

from dataclasses import replace
from unittest import mock

import torch
import torch.distributed as dist

from iidgan.core import NetworkFactory, Regularised
from iidgan.distributed import BatchShare, operators
from iidgan.engine.optim import Adam
from iidgan.engine.state import init_state, named_tensors
from iidgan.engine.step import TrainStep
from iidgan.methods import GAN, METHODS, Conditional, PacGAN, Unrolled, cgan, iid_gan
from iidgan.methods.amat import AMAT
from iidgan.nn import StyleGAN2
from iidgan.terms import ADA, TERMS
from iidgan.terms.intervention import Intervention
from iidgan.testing.mini_run import ARCH, MiniRun, float64_default
from tests.helpers.networks import IMAGE_TERMS, IMAGES, SPECTRAL


def add_term(term, method=None):
    """Return a method with one more term."""
    return Regularised(method=method or GAN(), terms=(term,))


def replace_intervention(method, e_steps=2):
    """Return IV-GAN with fewer updates of F a step."""
    intervention, *others = method.terms
    return replace(method, terms=(replace(intervention, e_steps=e_steps), *others))


SEEDS, FEW_STEPS = (0, 1), 3
LONG_RUNS = (
    *("method iid-gan", "method wgan-gp", "method unrolled", "batch norm", "minibatch std"),
)
"""Runs that three processes train for 20 steps rather than for `FEW_STEPS`. All others agree after
20 steps, too, but those of IVGAN, in which rounding errors grow: in one process, weights that
differ by 1e-15 differ by 1e-2 after 20 steps, and by 1e-10 after 10."""
STYLES = NetworkFactory(StyleGAN2(latent=3, width=4, max_width=4), (1, 8, 8))
OPTIMISER = Adam(eps=1e-4)
"""Where a gradient is 0 but for rounding, the usual eps makes it a step of some length."""
IV_METHODS = ("ivgan", "iv-dcgan", "iv-lsgan")
SHORT = {
    **{name: replace_intervention(METHODS[name]()) for name in IV_METHODS},
    "unrolled": Unrolled(steps=2),
    "intervention": add_term(Intervention(e_steps=2)),
}
"""Methods with fewer inner updates a step than by default."""
BASE_METHODS = {  # for terms that need more than a GAN
    "code-noise": iid_gan(),
    "inverse-classifier": cgan(),
    "auxiliary-classifier": Conditional(discriminator="unconditional"),
}


CASES = (
    {f"method {name}": (SHORT.get(name) or METHODS[name](), ARCH) for name in METHODS}
    | {
        f"term {name}": (
            SHORT.get(name) or add_term(TERMS[name](), BASE_METHODS.get(name)),
            IMAGES if name in IMAGE_TERMS else ARCH,
        )
        for name in TERMS
    }
    | {
        "adapting ada": (add_term(ADA(p=0.5, interval=1, kimg=0.1)), IMAGES),
        "another discriminator": (AMAT(first_check=1, alpha=1.0, caution=1.0), ARCH),
        "batch norm": (iid_gan(), IMAGES),
        "batch norm of packs": (PacGAN(m=3), IMAGES),
        "batch norm by class": (Conditional(discriminator="projection"), IMAGES),
        "unrolled batch norm": (Unrolled(steps=2), IMAGES),
        "terms on alternating generators": (iid_gan(METHODS["mad-gan"]()), ARCH),
        "spectral norm": (iid_gan(), SPECTRAL),
        "minibatch std": (METHODS["stylegan2-ada"](), STYLES),
        "path lengths": (add_term(TERMS["path-length"](), METHODS["style-mixing"]()), STYLES),
    }
)
"""Method and networks of each run, by name."""


def train_cases(names=tuple(CASES), group=None, *, long_runs=()):
    """Return weights and losses of the runs by name, after steps of the processes of a group."""
    with (
        float64_default(),
        mock.patch("iidgan.nn.backbones.image.LATENT_HIDDEN", (16, 16)),
    ):
        return {
            name: train_case(name, group, 20 if name in long_runs else FEW_STEPS) for name in names
        }


def train_case(name, group, num_steps):
    """Return weights, buffers, averages of gradients and losses after some steps."""
    mini_run = MiniRun(*CASES[name], SEEDS)
    state = init_state(mini_run.method, mini_run.factory, OPTIMISER, SEEDS)
    batches = mini_run.draw_batches()
    train_step = TrainStep(mini_run.method, state, steps=20)
    train_step.group = group
    losses = {}
    for step in range(num_steps):
        losses |= train_step(batches[step % len(batches)])
        state.step += 1
    return {name: value.clone() for name, value in named_tensors(state).items()} | losses


def largest_difference(first, second):
    """Return the largest difference of two runs, relative to 1 or to the value."""
    assert first.keys() == second.keys()
    return max(
        float(((first[key] - second[key]).abs() / (1 + second[key].abs())).max()) for key in second
    )


def train_everywhere():
    """Return the runs of this process alone, as one of two processes, and as one of three."""
    pair = dist.new_group([0, 1])
    if dist.get_rank() < 2:
        results = {"2": train_cases(group=pair)}
    else:
        results = {"1": train_cases(long_runs=LONG_RUNS), "1, few steps": train_cases()}
    results["3"] = train_cases(group=dist.group.WORLD, long_runs=LONG_RUNS)
    for name, (attribute, replacement) in MISTAKES.items():
        with mock.patch.object(BatchShare, attribute, replacement):
            results |= train_cases([name], dist.group.WORLD)
    return results | {"derivatives": list(differentiate(*share_operators()))}


def mean_of_share(share, values, dims):
    """Return the mean over the samples of this process alone."""
    return values.mean(dims, keepdim=True)


def mean_with_partial_gradient(share, values, dims):
    """Return the mean over all processes, but the gradient of this process alone."""
    total = values.sum(dims, keepdim=True)
    summed = total.detach().clone()
    dist.all_reduce(summed, group=share.group)
    count = share.bounds[-1] * values[0, 0].numel()
    return (summed + total - total.detach()) / count


MISTAKES = {
    "batch norm": ("mean", mean_of_share),
    "batch norm by class": ("mean", mean_with_partial_gradient),
}
"""Statistics with a fault, by the run that has to differ for it."""


def share_operators(num_samples=8):
    """Return scatter, gather, replication and sum of the processes."""
    share = BatchShare.divide(num_samples, 1, dist.group.WORLD)
    return (
        lambda whole: share.scatter(whole, 0),
        lambda part: share.gather(part, 0),
        lambda parameter: operators.replicate([parameter], share.group)[0],
        lambda partial: operators.sum_over_processes(partial, share.group),
    )


def differentiate(scatter, gather, replicate, sum_over_processes):
    """Yield a value and derivatives of up to the third order, of a function of all operators."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(8, 3, generator=generator, dtype=torch.float64, requires_grad=True)
    parameter = torch.randn(3, 3, generator=generator, dtype=torch.float64, requires_grad=True)
    weights = replicate(parameter)
    hidden = torch.tanh(scatter(x) @ weights)
    centred = hidden - sum_over_processes(hidden.sum(0)) / 8
    outputs = gather(centred.square() @ weights)
    value = (outputs.T.cov() * outputs[0].cos().sum()).sum()
    for _ in range(4):
        yield value.detach()
        gradients = torch.autograd.grad(value, [x, parameter], create_graph=True)
        yield from (gradient.detach() for gradient in gradients)
        value = sum((gradient.cos() * gradient.tanh()).sum() for gradient in gradients)
