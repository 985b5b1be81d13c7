"""Losses of a method with random networks, compared with formulas written in the tests."""

import torch

from iidgan.testing.mini_run import ARCH, MiniRun, without_cache


def make_nets_and_batch(method):
    """Networks of three seeds, and a batch."""
    mini_run = MiniRun(method, ARCH)
    return without_cache(mini_run.init_state()), mini_run.draw_batches()[0][0]


def compute_losses(method, player_name, nets, batch):
    (player,) = (player for player in method.players if player.name == player_name)
    return player.loss(nets, batch)


def assert_loss(value, expected):
    torch.testing.assert_close(value, expected, rtol=1e-12, atol=1e-12)


def l1_norm(difference):
    return difference.abs().sum(-1).mean(-1)


def l2_norm(difference):
    return difference.norm(dim=-1).mean(-1)
