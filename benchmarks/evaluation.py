"""What measuring costs a run on images: an evaluation against the steps between two of them."""

import time
from dataclasses import dataclass, replace

import torch

from benchmarks.cold_start import peak, run_apart
from benchmarks.images import Images
from iidgan.config.defaults import recommended
from iidgan.engine.inference import inference_networks
from iidgan.evaluation.classifier.store import ClassifierEvaluator
from iidgan.evaluation.classifier.train import ClassifierConfig
from iidgan.evaluation.evaluate import EvaluationPoint, evaluate_samples
from iidgan.evaluation.sampling import draw_samples
from iidgan.metrics.classifier import ImageClassifier
from iidgan.metrics.features import FeatureExtractor
from iidgan.training.context import TrainContext

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


def _create_evaluator(case):
    """An untrained classifier takes as long as a trained one."""
    net = ImageClassifier(1, 10, ClassifierConfig().width).eval()
    per_channel = case.channels > 1
    return ClassifierEvaluator(
        FeatureExtractor(net, "untrained", "", (1, 28, 28), per_channel), 10, "noise"
    )


def _shares(case, steps):
    """Gives an evaluation's share of the steps, without a classifier and with one."""
    run = recommended(Images(size=case.num, channels=case.channels), "iid-gan")
    data = run.source.load()
    context = TrainContext.create(run, (0,), data, torch.device("cpu"))
    point = EvaluationPoint(run, (0,), 0, (-1,))
    for step in range(3):
        context.train_step(context.batches.batches_at(step))
    start = time.perf_counter()
    for step in range(steps):
        context.train_step(context.batches.batches_at(step))
    training = EVERY * (time.perf_counter() - start) / steps

    def evaluate(evaluator):
        start = time.perf_counter()
        nets = inference_networks(context.state, context.batches)
        evaluate_samples(draw_samples(nets, data, point, evaluator, case.num), point, {})
        return (time.perf_counter() - start) / training

    for evaluator in (ClassifierEvaluator(), _create_evaluator(case)):
        first, other = (
            evaluate(evaluator),
            evaluate(evaluator),
        )  # real images are with_classifier once a run
        yield (first + (TIMES - 1) * other) / TIMES


def memory(side, num):
    """MiB before an evaluation of a small net's images, and what that takes besides."""
    run = recommended(Images(size=num, side=side), "iid-gan")
    run = replace(run, arch=replace(run.arch, width=4))
    data = run.source.load()
    context = TrainContext.create(run, (0,), data, torch.device("cpu"))
    before = peak()
    draw_samples(
        inference_networks(context.state, context.batches),
        data,
        EvaluationPoint(run, (0,), 0, (-1,)),
        ClassifierEvaluator(),
        num,
    )
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
        without, with_classifier = _shares(case, steps)
        lines.append(
            f"* {case.num:,} {case.name}: {100 * without:.1f} %, with a classifier "
            f"{100 * with_classifier:.1f} %"
        )
        worst = max(worst, with_classifier)
    head = f"Share of {EVERY:,} steps that an evaluation takes, of {TIMES} in a run, IID-GAN:\n"
    return "\n".join([head, *lines, "", _memory(*LARGE)]), worst
