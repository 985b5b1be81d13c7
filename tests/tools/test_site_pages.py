"""Generated pages of methods and terms."""

from pathlib import Path

import pytest

from iidgan import Regularised
from iidgan.methods import GAN, METHODS, VAE
from iidgan.studies.papers.common import TABLE_1_RUNS, VARIANT_RUNS, with_method
from iidgan.terms import TERMS, GaussianTerm
from tools.site_pages import (
    REGISTRIES,
    ResultRows,
    list_pages,
    render_index,
    render_page,
    uses_method,
    uses_term,
)

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def result_rows():
    return ResultRows.read(ROOT / "results")


@pytest.mark.slow
def test_page_shows_docstring_publication_and_stored_results(result_rows):
    page = render_page("methods", "mad-gan", result_rows)
    assert page.startswith("# mad-gan\n")
    assert "\n::: iidgan.methods.mad_gan\n" in page
    assert "members: ['MADGAN']" in page
    assert "](https://arxiv.org/abs/1704.02906)" in page
    table_lines = [line for line in page.splitlines() if line.startswith("| MAD-GAN |")]
    published_page = (ROOT / "docs/results/synthetic.md").read_text(encoding="utf-8")
    assert table_lines
    assert set(table_lines) <= set(published_page.splitlines())


@pytest.mark.slow
@pytest.mark.parametrize(("term", "source"), [("ada", "fashion-mnist"), ("r1", "ring")])
def test_page_of_a_term_has_a_command_that_works(term, source, result_rows):
    command = f"`iidgan train {source} --method gan --term {term}`"
    assert command in render_page("terms", term, result_rows)


@pytest.mark.slow
def test_second_method_of_a_module_refers_to_the_first(result_rows):
    assert "members: ['r3gan']" in render_page("methods", "r3gan", result_rows)
    page = render_page("methods", "rpgan", result_rows)
    assert "](r3gan.md)" in page
    assert "::: iidgan.methods.r3gan.RelativisticGAN" in page


@pytest.mark.parametrize(
    ("run", "names"),
    [
        (TABLE_1_RUNS["GAN"], ["gan"]),
        (with_method(METHODS["lsgan"]()), ["lsgan"]),
        (with_method(GAN(loss="saturating")), ["gan"]),
        (with_method(VAE(warm_up=0.05)), ["vae"]),
        (VARIANT_RUNS["IID-GAN (W2)"], ["iid-gan"]),
        (VARIANT_RUNS["IID-GAN+, Gaussian noise"], ["iid-gan+"]),
        (VARIANT_RUNS["IID-GAN (discriminator of z)"], []),
    ],
)
def test_methods_that_a_run_uses(run, names):
    assert [name for name in METHODS if uses_method(run, name)] == names


def test_terms_that_a_run_uses_are_those_of_all_levels():
    run = with_method(Regularised(method=METHODS["iid-gan"](), terms=(TERMS["gdpp"](),)))
    assert [name for name in TERMS if uses_term(run, name)] == ["gaussian", "cycle", "gdpp"]
    assert not uses_term(TABLE_1_RUNS["GAN"], "gaussian")
    assert isinstance(GaussianTerm(), TERMS["gaussian"])


@pytest.mark.parametrize("kind", REGISTRIES)
def test_index_links_to_every_page(kind):
    index = render_index(kind)
    assert [name for name, file in list_pages(kind).items() if f"[`{name}`]({file})" in index] == (
        list(REGISTRIES[kind])
    )
