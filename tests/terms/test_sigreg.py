"""SIGReg, and its equality with the distance `epps-pulley`."""

import math

import numpy as np
import pytest

from iidgan.config.defaults import recommended
from iidgan.config.run import Run
from iidgan.core import Regularised
from iidgan.data import Mnist
from iidgan.functional import gaussian
from iidgan.methods import GAN
from iidgan.terms import CycleTerm, GaussianTerm, sigreg
from tests.helpers.codes import draw_codes


def sigreg_of_paper(codes, directions, num_nodes):
    """The loss as LeJEPA defines it, on `num_nodes` nodes; the paper has 17."""
    unit = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    t = np.linspace(-5, 5, num_nodes)
    normal = np.exp(-(t**2) / 2)
    statistics = []
    for a in unit:
        empirical = np.exp(1j * np.outer(codes @ a, t)).mean(0)
        statistics.append(np.trapezoid(abs(empirical - normal) ** 2 * normal, t))
    return len(codes) * np.mean(statistics)


# The paper's 17 nodes are 0.6 apart, and alias values that are 10 apart.
@pytest.mark.parametrize("scale", [0.0, 0.5, 1.0, 2.0])
@pytest.mark.parametrize(("num_nodes", "tolerance"), [(17, 0.02), (2001, 1e-4)])
def test_sigreg_of_paper_is_scaled_epps_pulley(scale, num_nodes, tolerance):
    codes, directions = scale * draw_codes(40, 3) + 0.2, draw_codes(5, 3, seed=1)
    expected = sigreg_of_paper(codes.numpy(), directions.numpy(), num_nodes)
    value = len(codes) * math.sqrt(2 * math.pi) * gaussian.epps_pulley(codes, directions).item()
    assert value == pytest.approx(expected, rel=tolerance)


def test_sigreg_is_a_gaussian_term_before_a_run_is_made():
    runs = [
        Run(method=Regularised(method=GAN(), terms=(term,)))
        for term in (sigreg(), GaussianTerm(distance="epps-pulley"))
    ]
    assert runs[0].id == runs[1].id
    assert '"sigreg"' not in str(runs[0].to_dict())


def test_sigreg_by_name_has_the_weight_of_the_preset():
    run = recommended(Mnist(), "gan", ["cycle", "sigreg"])
    cycle, term = run.method.terms
    plain = recommended(Mnist(), "gan", ["cycle", "gaussian"]).method.terms[1]
    assert isinstance(cycle, CycleTerm)
    assert (term.weight, term.distance) == (plain.weight, "epps-pulley")


def test_citations_refer_to_each_other():
    assert "2106.00563" in sigreg.reference.note
    assert "SIGReg" in GaussianTerm.reference.note
