"""Recipes of the authors of compared methods."""

import math
from dataclasses import replace

import pytest
import torch

from iidgan.cli.train import configure_run, parse_choice
from iidgan.config.author_recipes import AUTHOR_RECIPES
from iidgan.config.defaults import recommended
from iidgan.core import Dataset
from iidgan.data import Ring
from iidgan.engine.optim import Adam, RMSProp
from iidgan.methods import METHODS
from iidgan.studies.papers.author_recipes import AUTHORS
from iidgan.terms import TERMS
from iidgan.training.context import TrainContext


def learning_rates(name):
    """Learning rate of each player at the start of a run."""
    run = replace(AUTHOR_RECIPES[name].create_run(Ring()), steps=10)
    factors = dict(run.lr_factors)
    return {
        player.name: run.optimiser.lr_at(0, 10) * player.lr_scale * factors.get(player.name, 1)
        for player in run.method.players
    }


def test_recipes_are_of_registered_methods_and_terms():
    assert AUTHOR_RECIPES.keys() <= METHODS.keys() | TERMS.keys()


@pytest.mark.parametrize(
    ("name", "rates"),
    [
        ("unrolled", {"D": 1e-4, "G": 1e-3}),
        ("gdpp", {"D": 1e-4, "G": 1e-3}),
        ("lsgan", {"D": 1e-4, "G": 1e-3}),
        ("amat", {"D": 5e-5, "G": 5e-4}),
        ("iv-lsgan", {"D": 2e-4, "G": 2e-4, "E": 0.01}),
        ("wgan", {"D": 5e-5, "G": 5e-5}),
    ],
)
def test_recipe_learning_rates(name, rates):
    assert learning_rates(name) == pytest.approx(rates)


def test_unrolled_gan_foresees_steps_of_its_own_rate():
    """One constant rate for D's own and for the unrolled steps, at all times."""
    run = replace(AUTHOR_RECIPES["unrolled"].create_run(Ring()), steps=100)
    assert (run.method.steps, run.method.schedule) == (5, "constant")
    critic, _ = run.method.players
    for step in (0, 50, 99):
        assert critic.lr_scale * run.optimiser.lr_at(step, 100) == pytest.approx(run.method.lr)


@pytest.mark.parametrize(
    ("name", "updates"),
    [
        ("wgan", {"D": 5, "G": 1}),
        ("wgan-gp", {"D": 5, "G": 1}),
        ("pacgan", {"D": 1, "G": 2}),
        ("dist-gan", {"autoencoder": 1, "D": 5, "G": 1}),
    ],
)
def test_recipe_moves(name, updates):
    players = AUTHOR_RECIPES[name].method.players
    assert {player.name: player.updates_per_step for player in players} == updates


def test_recipe_optimisers_and_starts():
    assert AUTHOR_RECIPES["wgan"].optimiser == RMSProp(lr=5e-5, schedule="constant")
    assert AUTHOR_RECIPES["wgan-gp"].optimiser == Adam(
        lr=1e-4, betas=(0.5, 0.9), schedule="constant"
    )
    assert AUTHOR_RECIPES["amat"].method.discriminators == 1
    assert AUTHOR_RECIPES["invert-gan"].batch == 128
    (bures,) = AUTHOR_RECIPES["bures"].method.terms
    assert (bures.weight, bures.batch_sum) == (1.0, True)


@pytest.mark.parametrize("name", AUTHOR_RECIPES)
def test_recipe_says_where_values_come_from(name):
    recipe = AUTHOR_RECIPES[name]
    words = " ".join([*recipe.origins, *recipe.origins.values()])
    assert {"nets", "batch"} <= recipe.origins.keys()
    assert str(recipe.batch) in recipe.origins["batch"]
    assert recipe.origins.keys() & {"optimiser", "rates"}, words
    assert recipe.describe_origins().startswith(f"{recipe.title} (")


@pytest.mark.slow
@pytest.mark.parametrize("name", AUTHOR_RECIPES)
def test_recipe_takes_a_step(name):
    run = replace(AUTHOR_RECIPES[name].create_run(Ring()), steps=10)
    data = Dataset(torch.randn(600, 2))
    context = TrainContext.create(run, [0], data, torch.device("cpu"))
    losses = context.train_step(context.batches.batches_at(0))
    assert losses
    assert all(math.isfinite(value.item()) for value in losses.values())


def test_table_has_two_rows_of_each_recipe():
    (group,) = AUTHORS.row_groups
    assert list(group.rows) == [
        row
        for recipe in AUTHOR_RECIPES.values()
        for row in (recipe.title, f"{recipe.title}, authors' recipe")
    ]
    steps = {group.get_run(row, "Ring").steps for row in group.rows}
    assert steps == {24_000}


@pytest.mark.parametrize("name", AUTHOR_RECIPES)
def test_recipe_is_a_preset_of_the_command_line(name):
    recipe = AUTHOR_RECIPES[name]
    assert recommended("ring", preset=f"{name}-authors") == recipe.create_run(Ring())
    run, _, _ = configure_run(parse_choice(["ring", "--preset", f"{name}-authors"]))
    assert run == recipe.create_run(Ring())


def test_factors_of_a_recipe_are_of_the_players_of_its_method():
    run = AUTHOR_RECIPES["iv-lsgan"].create_run(Ring(), "gan")  # which has no E
    assert run.lr_factors == ()
    assert run.optimiser == AUTHOR_RECIPES["iv-lsgan"].optimiser


def test_recipe_names_the_folder_of_a_run():
    assert parse_choice(["ring", "--preset", "wgan-authors"]).label == "ring-wgan-authors"
    assert parse_choice(["ring", "--preset", "points"]).label == "ring-iid-gan"
