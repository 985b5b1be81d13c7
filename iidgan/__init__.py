"""Generative adversarial networks against mode collapse, and metrics of mode coverage.

    run = iidgan.Run(source=iidgan.Ring(), method=iidgan.iid_gan())
    result = iidgan.train(run, seeds=5, out="runs/ring")
    model = iidgan.load("runs/ring")
    z = model.invert(model.sample(1000))

The public names are listed in `__init__.pyi`. Each is imported on first use, so that the command
line answers at once.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
