"""What measuring costs a run on images: an evaluation against the steps between two of them."""

import time

import torch

from benchmarks.images import Images
from iidgan.bench.evaluate import Stand, draw, rows
from iidgan.bench.game import Game
from iidgan.bench.judge import Judge
from iidgan.bench.recipe import Recipe
from iidgan.bench.run import recommended
from iidgan.engine.sample import final
from iidgan.methods import METHODS
from iidgan.metrics.classifier import Classifier
from iidgan.metrics.features import Extractor

EVERY, NUM = 2000, 5000
"""Steps between evaluations of `iidgan train`, and images that one reads."""


def compare(steps=20):
    """Times IID-GAN on images of 32 pixels; an untrained classifier takes as long as a trained."""
    run = recommended(Images(), METHODS["iid-gan"]())
    data = run.source.load()
    game = Game(run, (0,), data, torch.device("cpu"))
    net = Classifier(1, 10, Recipe().width).eval()
    judge = Judge(Extractor(net, "untrained", "", (1, 28, 28)), 10, "noise")
    stand = Stand(run, (0,), 0, (-1,))
    for step in range(3):
        game.move(game.batches.at(step))
    start = time.perf_counter()
    for step in range(steps):
        game.move(game.batches.at(step))
    training = EVERY * (time.perf_counter() - start) / steps
    shares = {}
    for name, look in (("without a classifier", Judge()), ("with one", judge)):
        start = time.perf_counter()
        rows(look(draw(final(game.state, game.batches), data, stand, NUM)), stand, {})
        shares[name] = (time.perf_counter() - start) / training
    lines = [f"* {name}: {100 * share:.1f} %" for name, share in shares.items()]
    head = f"Share of {EVERY:,} steps that an evaluation of {NUM:,} images takes, IID-GAN:\n"
    return "\n".join([head, *lines]), shares["with one"]
