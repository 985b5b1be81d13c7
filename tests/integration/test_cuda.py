"""Whole runs on a CUDA device."""

import pytest
import torch

import iidgan
from iidgan.core import NetworkFactory, Regularised
from iidgan.engine.loop import StopRequest
from iidgan.engine.optim import Adam
from iidgan.engine.state import init_state
from iidgan.methods import GAN, iid_gan
from iidgan.nn import MLP
from iidgan.parallel.batched_runs import train_batched
from iidgan.terms import TERMS
from iidgan.train import train
from iidgan.training.session import RunSpec
from tests.helpers.training import read_latest_tensors

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="requires a CUDA device"),
]


@pytest.mark.parametrize("name", ["gdpp"])  # synchronises with the device
@pytest.mark.parametrize("executor", ["graphed", "compiled"])
def test_train_after_failed_capture(tmp_path, name, executor):
    """In single precision and with the usual batch size, which use other CUDA libraries."""
    method = Regularised(method=GAN(), terms=(TERMS[name](),))
    run = iidgan.Run(source=iidgan.Ring(), method=method, steps=12)
    result = train(run, seeds=5, out=tmp_path / "run", device="cuda", executor=executor)
    assert (result.outcome, result.diverged) == ("finished", (-1,) * 5)


@pytest.mark.parametrize("name", ["eager", "graphed"])
def test_train_on_cuda_resumes(tmp_path, name):
    """The resumed run ends where an uninterrupted one does."""
    run = iidgan.Run(source=iidgan.Ring(size=1000), method=iid_gan(), steps=60)
    stop = StopRequest()

    def stop_halfway(message, record):
        if record is not None and record.step >= 30:
            stop.signal = 2

    options = {"seeds": 2, "device": "cuda", "executor": name, "checkpoint_every": 30}
    train(run, out=tmp_path / "broken", on_progress=stop_halfway, stop=stop, **options)
    train(run, out=tmp_path / "broken", **options)
    train(run, out=tmp_path / "whole", **options)
    resumed, expected = (read_latest_tensors(tmp_path / folder) for folder in ("broken", "whole"))
    for key, value in expected.items():
        if key.startswith("nets."):
            torch.testing.assert_close(resumed[key], value, rtol=1e-3, atol=1e-4, msg=key)


def test_train_batched_on_cuda(tmp_path):
    """Each run ends where it would have ended by itself."""
    sources = iidgan.Ring(size=1000), iidgan.data.Grid(size=1000)
    runs = [iidgan.Run(source=source, method=iid_gan(), steps=40) for source in sources]
    parts = [
        RunSpec(run=run, out=tmp_path / f"{i}", seeds=(0, 1), device=torch.device("cuda"))
        for i, run in enumerate(runs)
    ]
    options = {"checkpoint_every": 40, "executor": "graphed"}
    outcomes = train_batched(parts, on_progress=lambda *_: None, stop=StopRequest(), **options)
    assert outcomes == ["finished"] * 2
    for part in parts:
        alone = tmp_path / "alone" / part.out.name
        train(part.run, out=alone, seeds=2, device="cuda", **options)
        batched, expected = (read_latest_tensors(folder) for folder in (part.out, alone))
        for key in (key for key in expected if key.startswith("nets.")):
            torch.testing.assert_close(batched[key], expected[key], rtol=1e-3, atol=1e-4, msg=key)


def test_generator_on_cuda_keeps_precision():
    """Good samples lie within 0.003 of points at a distance of 2: TF32 is not precise enough."""
    state = init_state(GAN(), NetworkFactory(MLP(), (2,)), Adam(), (0,), device="cuda")
    z = torch.randn(1, 1000, 2)
    with torch.no_grad():
        samples = state.nets["G"](z.cuda()).cpu()
        expected = state.nets["G"].cpu().double()(z.double())
    assert (samples - expected).abs().max() < 1e-5
