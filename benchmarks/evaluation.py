"""What measuring costs a run on images: an evaluation against the steps between two of them."""

import time
from dataclasses import dataclass, replace

import torch

from benchmarks.cold_start import peak, run_apart
from benchmarks.images import Images
from iidgan.config.defaults import recommended
from iidgan.engine.inference import final
from iidgan.evaluation.classifier.store import Judge
from iidgan.evaluation.classifier.train import Recipe
from iidgan.evaluation.evaluate import Stand, rows
from iidgan.evaluation.sampling import draw
from iidgan.methods import METHODS
from iidgan.metrics.classifier import Classifier
from iidgan.metrics.features import Extractor
from iidgan.training.context import Game

EVERY, TIMES = 2000, 10
"""Steps between evaluations of `iidgan train`, and how many there are in its usual run."""


@dataclass(frozen=True)
class Case:
    """What is evaluated, with as many images as its data sets read."""

    name: str
    num: int
    channels: int


LARGE = (64, 5_000)
"""Pixels of a side, and number, of images that are many and large."""
CASES = (Case("images of one channel", 5_000, 1), Case("stacked images", 26_000, 3))


def _judge(case):
    """An untrained classifier takes as long as a trained one."""
    net = Classifier(1, 10, Recipe().width).eval()
    apart = case.channels > 1
    return Judge(Extractor(net, "untrained", "", (1, 28, 28), apart), 10, "noise")


def _shares(case, steps):
    """Gives an evaluation's share of the steps, without a classifier and with one."""
    run = recommended(Images(size=case.num, channels=case.channels), METHODS["iid-gan"]())
    data = run.source.load()
    game = Game.of(run, (0,), data, torch.device("cpu"))
    stand = Stand(run, (0,), 0, (-1,))
    for step in range(3):
        game.move(game.batches.at(step))
    start = time.perf_counter()
    for step in range(steps):
        game.move(game.batches.at(step))
    training = EVERY * (time.perf_counter() - start) / steps

    def evaluate(look):
        start = time.perf_counter()
        nets = final(game.state, game.batches)
        rows(draw(nets, data, stand, look, case.num), stand, {})
        return (time.perf_counter() - start) / training

    for look in (Judge(), _judge(case)):
        first, other = evaluate(look), evaluate(look)  # real images are judged once a run
        yield (first + (TIMES - 1) * other) / TIMES


def memory(side, num):
    """MiB before an evaluation of a small net's images, and what that takes besides."""
    run = recommended(Images(size=num, side=side), METHODS["iid-gan"]())
    run = replace(run, arch=replace(run.arch, width=4))
    data = run.source.load()
    game = Game.of(run, (0,), data, torch.device("cpu"))
    before = peak()
    draw(final(game.state, game.batches), data, Stand(run, (0,), 0, (-1,)), Judge(), num)
    return before, peak() - before


def _memory(side, num):
    code = f"from benchmarks.evaluation import memory; print(*memory({side}, {num}))"
    before, more = map(float, run_apart("-c", code)[1].split())
    return (
        f"An evaluation of {num:,} images of {side} x {side} pixels takes {more:.0f} MiB more "
        f"than the {before:.0f} that were there before it."
    )


def compare(steps=20):
    """Times IID-GAN on images of 32 pixels; gives the largest share too."""
    lines, worst = [], 0.0
    for case in CASES:
        without, judged = _shares(case, steps)
        lines.append(
            f"* {case.num:,} {case.name}: {100 * without:.1f} %, with a classifier "
            f"{100 * judged:.1f} %"
        )
        worst = max(worst, judged)
    head = f"Share of {EVERY:,} steps that an evaluation takes, of {TIMES} in a run, IID-GAN:\n"
    return "\n".join([head, *lines, "", _memory(*LARGE)]), worst
