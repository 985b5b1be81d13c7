import pytest
import torch

from iidgan.core import ClassBalancedIndex, Classes, Conditioning, Dataset
from iidgan.errors import InputError


def test_classes_from_labels_counts_shares():
    classes = Classes.from_labels(torch.tensor([2, 0, 0, 1]), ("a", "b", "c"))
    assert classes == Classes(("a", "b", "c"), (0.5, 0.25, 0.25))


@pytest.mark.parametrize(
    ("labels", "names", "message"),
    [
        ([0, -1], (), "must be >= 0, got -1"),
        ([0, 2], ("a", "b"), "must be below 2, the number of classes, got 2"),
        ([0, 2], (), "1 of 3 have none, such as '1'"),
        ([0, 1], ("a", "b", "c"), "1 of 3 have none, such as 'c'"),
    ],
)
def test_classes_from_wrong_labels(labels, names, message):
    with pytest.raises(InputError, match=message):
        Classes.from_labels(torch.tensor(labels), names)


def test_find_prefers_names_to_numbers():
    classes = Classes(("7", "5", "x"), (0.5, 0.25, 0.25))
    assert [classes.find(name) for name in ("5", "x", 0, "2")] == [1, 2, 0, 2]


def test_find_where_names_are_numbers():
    classes = Classes(("-1", "1", "3"), (0.5, 0.25, 0.25))
    assert [classes.find(name) for name in ("-1", "3", 0, 2)] == [0, 2, 0, 2]
    with pytest.raises(InputError, match="label: unknown '2'"):  # not the class '3'
        classes.find("2")


@pytest.mark.parametrize("label", [3, -1, 1.0, [1], torch.tensor([0, 1])])
def test_find_label_that_is_none(label):
    with pytest.raises(InputError, match="label: must be between 0 and 2, ") as raised:
        Classes(("a", "b", "c"), (0.5, 0.25, 0.25)).find(label)
    assert str(raised.value).endswith(f"got {label}")


@pytest.mark.parametrize("name", ["y", "3", "²"])
def test_find_unknown_class(name):
    with pytest.raises(InputError, match="label: unknown"):
        Classes(("a", "b", "c"), (0.5, 0.25, 0.25)).find(name)


def test_dataset_without_labels_has_no_classes():
    with pytest.raises(InputError, match="labels: these data have none"):
        _ = Dataset(torch.zeros(3, 2)).classes


@pytest.mark.parametrize(
    ("progress", "certainty"), [(0.0, 0.0), (0.2, 0.0), (0.3, 0.25), (0.6, 1.0), (0.9, 1.0)]
)
def test_transition_from_equal_to_certain_classes(progress, certainty):
    conditioning = Conditioning(transition=(0.2, 0.6))
    encoded = conditioning.encode(torch.tensor([1]), 4, torch.tensor(progress))
    other = (1 - certainty) / 4
    torch.testing.assert_close(encoded, torch.tensor([[other, certainty + other, other, other]]))


@pytest.mark.parametrize("transition", [(0.5, 0.5), (0.6, 0.2), (-0.1, 0.5), (0.5, 1.1)])
def test_wrong_transition(transition):
    with pytest.raises(InputError, match="transition: must be two increasing shares"):
        Conditioning(transition=transition)


def test_balanced_index_is_uniform_over_classes_and_their_samples():
    labels = torch.tensor([1] * 2 + [0] * 8 + [2])
    index = ClassBalancedIndex(labels)((60_000,), torch.Generator().manual_seed(0))
    counts = torch.bincount(index, minlength=11).double() / 60_000
    expected = torch.tensor([1 / 6] * 2 + [1 / 24] * 8 + [1 / 3], dtype=torch.float64)
    torch.testing.assert_close(counts, expected, atol=0.01, rtol=0)
