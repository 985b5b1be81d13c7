"""Generated samples that a person should look at."""

import torch

from iidgan.diagnosis import find_suspects


def test_copies_come_first_and_have_ratio_zero():
    generator = torch.Generator().manual_seed(0)
    real = torch.randn(50, 3, generator=generator)
    fake = torch.randn(20, 3, generator=generator)
    fake[7], fake[13] = real[4], real[9]
    copies = find_suspects(real, fake, num=2).copies
    assert [(copy.position, copy.real_positions[0]) for copy in copies] == [(7, 4), (13, 9)]
    assert [copy.ratio for copy in copies] == [0, 0]


def test_farthest_sample_is_the_first_off_the_data():
    real = torch.arange(10.0)[:, None]
    fake = torch.tensor([[3.0], [-50.0], [12.0]])
    off_data = find_suspects(real, fake, num=2).off_data
    assert [(suspect.position, suspect.distance) for suspect in off_data] == [(1, 50.0), (2, 3.0)]


def test_neighbours_are_in_order():
    real = torch.tensor([[0.0], [1.0], [3.0], [6.0]])
    (suspect,) = find_suspects(real, torch.tensor([[2.9]]), num=1, num_neighbours=3).copies
    assert suspect.real_positions == (2, 1, 0)


def test_fewer_samples_than_asked_for_are_all_returned():
    real = torch.tensor([[0.0], [1.0]])
    suspects = find_suspects(real, torch.tensor([[0.2], [0.4]]), num=10)
    assert len(suspects.copies) == len(suspects.off_data) == 2
    assert len(suspects.copies[0].real_positions) == 2
