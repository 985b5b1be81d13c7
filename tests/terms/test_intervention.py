"""Interventions on codes of data."""

from dataclasses import replace

import torch

from iidgan.core import Batch, Nets
from iidgan.terms.intervention import Intervention


class SumDiscriminator(torch.nn.Module):
    """Adds up its features, which are its inputs."""

    head = torch.nn.Flatten(1)

    def features(self, x):
        return x

    def forward(self, x):
        return x.sum(-1)


def test_intervention_losses_by_hand():
    x = torch.tensor([[[3e3, -3e3], [-3e3, 3e3]]]).double()  # 3000 times its code
    z = torch.tensor([[[0.0, 5.0], [0.0, -3.0]]]).double()
    nets = Nets(
        {
            "G": torch.nn.Identity(),
            "F": torch.nn.Identity(),
            "D": SumDiscriminator(),
            "C": torch.nn.Identity(),
        }
    )
    term = Intervention(classify=2.0, reconstruct=10.0, e_sign="paper")
    batch = Batch(x=x, z=z, u=torch.tensor([[0.7, 0.1]]).double())
    intervened = torch.tensor([[[1.0, 5.0], [-1.0, -3.0]]]).double()  # the second block
    guessed = -intervened.log_softmax(-1)[..., 1].mean(1)
    torch.testing.assert_close(term.loss_D(nets, batch)["intervention"], 2 * guessed)
    for_G, for_E = term.loss_G(nets, batch), term.loss_E(nets, batch)
    torch.testing.assert_close(for_G["intervention"], -2 * guessed)
    torch.testing.assert_close(for_E, for_G)
    helping = replace(term, e_sign="code").loss_E(nets, batch)
    torch.testing.assert_close(helping["intervention"], 2 * guessed)
    expected = torch.tensor([10 * (3e3 - 1)]).double()
    torch.testing.assert_close(for_G["intervention_x"], expected)
    assert for_G["intervention_z"].item() == 0
