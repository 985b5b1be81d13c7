"""Generated code is kept, found again, and never taken for that of another move."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import partial

import pytest
import torch

import iidgan
from iidgan.core import Regularised, Term
from iidgan.engine.compile import cache as recall
from iidgan.engine.compile import inductor as generate
from iidgan.engine.compile.capture import Compiled, compiled
from iidgan.engine.compile.inductor import Library, library, place_of_code
from iidgan.engine.compile.verify import ensure_agreement
from iidgan.engine.state import tensors
from iidgan.methods import GAN, METHODS, iid_gan
from iidgan.nn import MLP
from iidgan.training import plan
from iidgan.training.context import Game
from iidgan.utils.files import PARTIAL

WARM = """
import sys, torch, iidgan
torch.set_num_threads(1)
run = iidgan.Run(source=iidgan.Ring(size=200), arch=iidgan.MLP(hidden=(4,)), batch=8, steps=2)
out, executor = sys.argv[1:]
iidgan.train(run, out=out, executor=executor)
print("torch._dynamo" in sys.modules, "torch._inductor" in sys.modules)
"""


def scaled(factor):
    """Scales x in place by what also multiplies y."""

    def function(x, y):
        x.mul_(factor)
        return [y * factor + torch.tensor([1.0, 2.0]).to(y)]

    return function


def refuse(*args, **kwargs):
    raise AssertionError("it is compiled again")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A cache of these tests, which compile an equal move once."""
    home = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(home))
        yield home / "iidgan" / "compiled"


def game(method=None, seeds=(0, 1), **changes):
    changes = {"arch": MLP(hidden=(4,)), "batch": 8, "steps": 10} | changes
    run = iidgan.Run(source=iidgan.Ring(size=200), method=method or GAN(), **changes)
    return Game.of(run, seeds, run.source.load(), torch.device("cpu"))


@pytest.mark.slow
class TestLibraries:
    def test_code_is_made_once_and_moves_its_inputs(self, place, monkeypatch):
        x, y = torch.ones(2), torch.ones(2)
        code = compiled(scaled(3.0), [x.clone(), y])
        assert isinstance(code, Library)
        monkeypatch.setattr(torch._inductor, "aot_compile", refuse)
        again = compiled(scaled(3.0), [x.clone(), y])
        assert again.name == code.name
        for each in (code, again, library(code.name)):
            here = x.clone()
            (value,) = each(here, y)
            assert here.tolist() == [3.0, 3.0]
            assert value.tolist() == [4.0, 5.0]
        with pytest.raises(AssertionError, match="compiled again"):
            compiled(scaled(2.0), [x, y])

    def test_a_damaged_library_is_made_again(self, place):
        inputs = [torch.ones(2), torch.ones(2)]
        name = compiled(scaled(5.0), [*inputs]).name
        path = place / name / generate.FILE
        path.unlink()  # the one that is loaded stays what it is
        path.write_bytes(b"no library")
        assert library(name) is None
        for folder in ("ab", "moves", ".partial-another"):  # the compiler's, and ours
            (place / folder).mkdir(parents=True, exist_ok=True)
            (place / folder / "probe").touch()
        assert compiled(scaled(5.0), [*inputs]).name == name
        assert library(name) is not None
        assert not (place / "ab" / "probe").exists(), "what has no digest may be damaged too"
        assert (place / "moves" / "probe").exists()
        assert (place / ".partial-another" / "probe").exists()

    def test_what_nobody_used_for_months_is_removed_when_code_is_made(self, place):
        def put(name, days):
            path = place / name
            path.mkdir(parents=True, exist_ok=True)
            os.utime(path, times=(time.time() - days * generate.DAY,) * 2)
            return path

        code = compiled(scaled(5.0), [torch.ones(2), torch.ones(2)])
        used, notes = put(code.name, 90), put(generate.NOTES, 90)
        assert library(code.name) is not None
        gone = [put("a" * 32, 90), put(f"{PARTIAL}b", 3), put(f"{generate.NOTES}/c", 90)]
        kept = [used, notes, put("d" * 32, 30), put(f"{PARTIAL}e", 0.5)]
        compiled(scaled(6.0), [torch.ones(2), torch.ones(2)])
        assert not [path for path in gone if path.exists()]
        assert [path for path in kept if path.exists()] == kept

    def test_operators_that_a_library_cannot_reach_are_called(self, place):
        def function(x):
            values, _ = torch.linalg.eigh(x)
            return [values * 2.0]

        code = compiled(function, [torch.eye(3)])
        assert (place / code.name / generate.CALLS).exists()
        for each in (code, library(code.name)):
            torch.testing.assert_close(
                each(torch.diag(torch.tensor([3.0, 1.0, 2.0])))[0], torch.tensor([2.0, 4.0, 6.0])
            )

    def test_without_a_cache_code_is_made_for_once(self, tmp_path, monkeypatch):
        (tmp_path / "file").touch()
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
        code = compiled(scaled(7.0), [torch.ones(2), torch.ones(2)])
        assert code(torch.ones(2), torch.ones(2))[0].tolist() == [8.0, 9.0]
        assert not list(tmp_path.glob("*/*"))


class TestDigests:
    def name(self, function=None, inputs=None):
        names = []

        def keep(graph, inputs):
            names.append(generate._digest(graph, inputs))
            return graph

        compiled(function or scaled(1.0), inputs or [torch.ones(2), torch.ones(2)], keep)
        return names[0]

    def test_equal_work_has_one_name(self):
        assert self.name() == self.name()

    @pytest.mark.parametrize(
        "inputs",
        [
            [torch.ones(3, 2), torch.ones(2)],
            [torch.ones(2), torch.ones(2, dtype=torch.float64)],
            [torch.ones(2, 3).mT.clone(memory_format=torch.preserve_format), torch.ones(2)],
        ],
    )
    def test_layouts_have_names_of_their_own(self, inputs):
        assert self.name(inputs=inputs) != self.name()

    def test_constants_of_tensors_have_names_of_their_own(self):
        def other(x, y):
            x.mul_(1.0)
            return [y * 1.0 + torch.tensor([1.0, 3.0]).to(y)]

        assert self.name(other) != self.name()

    def test_numbers_and_threads_have_names_of_their_own(self):
        names = {self.name(), self.name(scaled(1.0000001))}
        before = torch.get_num_threads()
        torch.set_num_threads(before + 1)
        names.add(self.name())
        torch.set_num_threads(before)
        assert len(names) == 3


class TestRecall:
    @pytest.mark.slow
    def test_an_equal_move_is_not_recorded_again(self, place, monkeypatch):
        ours, other = game(), game()
        first, _ = plan.prepare("compiled", ours)
        monkeypatch.setattr(Compiled, "record", refuse)
        second, used = plan.prepare("compiled", other)
        assert used == "compiled"
        for step in range(3):
            logs = [each(ours.batches.at(step)) for each in (first, second)]
            assert logs[0].keys() == logs[1].keys()
            assert all(torch.equal(logs[0][name], logs[1][name]) for name in logs[0])
        there = tensors(other.state)
        assert all(torch.equal(value, there[name]) for name, value in tensors(ours.state).items())

    @pytest.mark.slow
    def test_code_that_moves_elsewhere_is_not_used(self, place):
        """As when a note is of another move, for whatever reason."""
        gan, lsgan = game(), game(iidgan.lsgan())
        plan.prepare("compiled", gan)
        example = gan.batches.at(0)
        assert recall.recall(gan.move, example)
        assert recall.recall(lsgan.move, example) is None
        before = {name: value.clone() for name, value in tensors(lsgan.state).items()}
        notes = [recall._note(each.move) for each in (gan, lsgan)]
        notes[1].write_text(notes[0].read_text())
        assert recall.recall(lsgan.move, example) is None
        there = tensors(lsgan.state)
        assert all(torch.equal(there[name], value) for name, value in before.items())
        notes[1].write_text("{")
        assert recall.recall(lsgan.move, example) is None

    @pytest.mark.parametrize("factor", [0.9, 1.1])
    def test_other_losses_are_noticed_though_the_first_step_is_the_same(self, factor):
        """Adam's first step has one length, whatever the slope's is."""
        ours = game()
        example = ours.batches.at(0)

        class Scaled:
            state = ours.state

            def __call__(self, batches):
                return {name: factor * value for name, value in ours.move(batches).items()}

        ensure_agreement(ours.move, ours.move, example, tolerance=0.1)
        with pytest.raises(RuntimeError, match="does not do what the move does"):
            ensure_agreement(ours.move, Scaled(), example, tolerance=0.1)

    def test_recipes_differ_where_moves_may(self):
        changes = [{}, {"ema": 0.5}, {"ema": 0.6}, {"batch": 9}, {"precision": "bfloat16"}]
        recipes = [game(**change).move.recipe for change in changes]
        recipes += [game(iid_gan()).move.recipe]
        assert None not in recipes
        assert len(set(recipes)) == len(recipes)
        assert game(steps=20).move.recipe == game().move.recipe  # as of any length

    def test_moves_of_other_code_have_no_recipe(self, monkeypatch):
        class Other(GAN):
            pass

        monkeypatch.setitem(METHODS, "other", Other)
        assert game(Other()).move.recipe is None
        assert game(GAN()).move.recipe is not None

    def test_seeds_have_notes_of_their_own(self):
        few, many = game(), game(seeds=(0, 1, 2))
        assert few.move.recipe == many.move.recipe
        assert recall._note(few.move) != recall._note(many.move)


@dataclass(frozen=True)
class Numbered(Term):
    """Reads the share of the run in a way that recording cannot see."""

    def networks(self, arch):
        return {}

    @property
    def addends(self):
        return {"G": lambda nets, batch: {"late": batch.t.tolist() * nets.G(batch.z).mean((1, 2))}}


def test_code_that_would_stay_as_recorded_is_not_used(monkeypatch):
    as_recorded = partial(Compiled.record, generate=lambda graph, inputs: graph)
    monkeypatch.setattr(Compiled, "record", as_recorded)
    for terms, told in (((), []), ((Numbered(),), ["the recorded move does not do what"])):
        played, news = game(Regularised(method=GAN(), terms=terms)), []
        _, used = plan.prepare("compiled", played, news.append)
        assert used == ("eager" if told else "compiled")
        assert [line for line in news if "failed" in line] == [
            f"compiling failed ({line} the move does); running eagerly" for line in told
        ]


@pytest.mark.slow
def test_a_second_training_starts_without_the_compiler(tmp_path, monkeypatch):
    """The import of its front alone takes as long as all of torch."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def imported(out, executor):
        command = [sys.executable, "-c", WARM, str(tmp_path / out), executor]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()

    assert imported("eager", "eager") == ["False", "False"]
    assert imported("first", "compiled") == ["True", "True"]
    assert imported("second", "compiled") == ["False", "False"]
    assert place_of_code().is_dir()
