"""The command that trains a run again."""

from dataclasses import replace

import pytest

import iidgan
from iidgan.cli.train import configure_run, parse_choice
from iidgan.cli.train_command import format_train_command, format_train_script
from iidgan.config.author_recipes import AUTHOR_RECIPES
from iidgan.config.run import Run
from iidgan.core import Regularised
from iidgan.studies.papers import TABLES
from tests.helpers.training import RandomImages


def parse_command(command):
    words = command.split()
    assert words[:2] == ["iidgan", "train"]
    run, _, options = configure_run(parse_choice(words[2:]))
    return run, options.seeds


@pytest.mark.parametrize(
    ("run", "command"),
    [
        (iidgan.recommended("ring", "gan"), "ring --method gan"),
        (iidgan.recommended("ring"), "ring --method iid-gan"),
        (iidgan.recommended("ring", iidgan.wgan_gp()), "ring --method wgan-gp"),
        (
            replace(iidgan.recommended("grid", "gan", ["r1"]), steps=10, ema=0.9),
            "grid --method gan --term r1 --steps 10 --ema 0.9",
        ),
        (
            iidgan.recommended(iidgan.FashionMnist(), "conditional-iid-gan"),
            "fashion-mnist --method conditional-iid-gan",
        ),
        (iidgan.recommended("grid", "pd-gan"), "grid --method pd-gan"),
        (iidgan.recommended("grid", "ac-gan", ["r2"]), "grid --method ac-gan --term r2"),
        (Run(lr_factors=(("D", 4.0),)), "ring --method gan --lr-factors D=4.0"),
        (
            iidgan.recommended(iidgan.Mixture(modes=3, std=(0.1, 0.2)), "gan"),
            "mixture --method gan --source.modes 3 --source.std 0.1 0.2",
        ),
    ],
)
def test_command_is_the_shortest(run, command):
    assert format_train_command(run, [0]) == f"iidgan train {command}"


@pytest.mark.parametrize("name", AUTHOR_RECIPES)
def test_command_of_each_recipe_trains_it(name):
    run = replace(AUTHOR_RECIPES[name].create_run(iidgan.Ring()), steps=1000)
    assert parse_command(format_train_command(run, [0, 1])) == (run, 2)


def test_commands_of_published_rows_train_them():
    for _, run in TABLES["ring"](()).runs.values():
        assert parse_command(format_train_command(run, [0]))[0].id == run.id


def test_folders_of_files_are_left_out(tmp_path):
    path = tmp_path / "points.csv"
    path.write_text("1,2\n3,4\n")
    run = iidgan.recommended(iidgan.array(str(path)), "gan")
    assert format_train_command(run, [0]) == "iidgan train points.csv --method gan"


def test_source_of_the_user_has_its_name():
    run = iidgan.recommended(RandomImages(size=50), "gan")
    command = format_train_command(run, [0])
    name = "tests.helpers.training:RandomImages"
    assert command == f"iidgan train {name} --method gan --source.size 50"


@pytest.mark.parametrize(
    ("run", "seeds"),
    [
        (Run(), [3, 4]),
        (Run(source=iidgan.ArrayFile(path="points.npy")), [3]),
        (Run(method=Regularised(method=iidgan.iid_gan(), terms=(iidgan.R1(),))), [0]),
        (Run(method=iidgan.Conditional(method=iidgan.RelativisticGAN())), [0]),
    ],
)
def test_run_without_a_command_has_a_script(run, seeds):
    assert format_train_command(run, seeds) is None
    script = format_train_script(run, seeds)
    namespace = {"__name__": "not the main module"}
    exec(script, namespace)
    assert namespace["run"] == run
    assert f"seeds={seeds}" in script
    assert "plugins" not in script
