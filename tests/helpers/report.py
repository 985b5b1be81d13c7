"""Inputs of figures."""

from dataclasses import replace

import numpy as np

from iidgan.report import QQ, LatentPanel, Series


def make_panel(modes=8, *, label="IID-GAN (M-D)", inverse=True, bad=0.1, spread=1.0, count=200):
    rng = np.random.default_rng(0)
    angle = 2 * np.pi * np.arange(modes) / modes
    centres = 2 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    z_modes = rng.integers(modes, size=count)
    generated = centres[z_modes] + 0.01 * rng.standard_normal((count, 2))
    z_modes = np.where(rng.random(count) < bad, -1, z_modes)
    z = rng.standard_normal((count, 2))
    codes = spread * z if inverse else None
    return LatentPanel(
        label=label,
        codes=codes,
        code_modes=rng.integers(modes, size=count) if inverse else None,
        z=z,
        z_modes=z_modes,
        generated=generated,
        centres=centres,
        std=0.01,
    )


def make_series(label="GAN", seeds=5, *, start=0.5, steps=9):
    values = start + np.random.default_rng(0).random((seeds, steps))
    return Series(label=label, steps=np.arange(steps) * 500.0, values=values)


def end_seed(item, seed, step):
    values = item.values.copy()
    values[seed, step:] = np.nan
    return replace(item, values=values)


def make_qq(label="GAN", dimensions=2):
    rng = np.random.default_rng(0)
    ordered = np.sort(rng.standard_normal((99, dimensions)), axis=0)
    return QQ(label=label, theoretical=np.sort(rng.standard_normal(99)), ordered=ordered)


def get_titles(figure):
    return [axis.get_title() for axis in figure.axes]
