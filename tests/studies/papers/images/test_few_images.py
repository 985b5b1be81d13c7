"""The table of trainings on few images."""

from iidgan.data import Subset
from iidgan.nn import DCGAN, StyleGAN2
from iidgan.studies.papers import TABLES
from iidgan.terms import ADA, CycleTerm, DiffAugment

TABLE = TABLES["few-images"]([])


def test_data_sets_are_parts_of_two_sets():
    (group,) = TABLE.row_groups
    assert [source.num for source in group.datasets.values()] == [100, 500, 2_000] * 2
    assert all(isinstance(source, Subset) for source in group.datasets.values())
    assert len({source.whole for source in group.datasets.values()}) == 2


def test_rows_differ_in_added_terms():
    (group,) = TABLE.row_groups
    added = {"": None, ", DiffAugment": DiffAugment, ", ADA": ADA, ", IID terms": CycleTerm}
    for network in ("DCGAN", "StyleGAN2"):
        for suffix, term in added.items():
            kinds = {type(own) for own in group.rows[network + suffix].method.base_and_terms[1]}
            assert kinds & {DiffAugment, ADA, CycleTerm} == ({term} if term else set())


def test_profiles_have_small_networks_and_three_seeds():
    standard = TABLE.with_standard_profile()
    assert (standard.num_seeds, TABLE.with_quick_profile().num_seeds) == (3, 2)
    widths = {(type(run.arch), run.arch.width) for _, run in standard.runs.values()}
    assert widths == {(DCGAN, 16), (StyleGAN2, 8)}
    assert not TABLE.runs.keys() & standard.runs.keys()
