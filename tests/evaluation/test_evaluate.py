"""Samples kept for evaluation and figures."""

from dataclasses import replace

import torch

from iidgan.config.run import Run
from iidgan.core import Samples
from iidgan.data import Mnist5k, Ring
from iidgan.evaluation import sampling
from iidgan.evaluation.classifier.store import ClassifierEvaluator
from iidgan.evaluation.evaluate import EvaluationPoint, to_arrays
from iidgan.evaluation.sampling import draw_samples
from iidgan.methods import iid_gan
from iidgan.nn import MLP, MnistNet
from iidgan.training.context import TrainContext


def test_to_arrays_keeps_fewer_images():
    """Fewer images than points, and as many latents of either."""
    assert sampling.MAX_KEPT_IMAGES == 500
    run = Run(source=Mnist5k(), method=iid_gan(), arch=MnistNet(width=2), steps=2, batch=4)
    for source, arch, kept in ((Mnist5k(), MnistNet(width=2), 500), (Ring(size=50), MLP(), 600)):
        run = replace(run, source=source, arch=arch)
        data = source.load()
        nets = TrainContext.create(run, (0,), data, torch.device("cpu")).state.nets.eval()
        point = EvaluationPoint(run, (0,), 2, (-1,))
        arrays = to_arrays(draw_samples(nets, data, point, ClassifierEvaluator(), 600), point)
        assert (len(arrays["generated"][0]), len(arrays["z"][0])) == (kept, 600)
    points = Samples(torch.zeros(1, 6000, 2), torch.zeros(6000, 2))
    assert len(to_arrays(points, point)["generated"][0]) == 5000
