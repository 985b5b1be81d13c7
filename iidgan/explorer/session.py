"""What a page may ask of runs: the answers to the questions of `page/backend.js`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import normalize

from iidgan._version import __version__
from iidgan.config.plugins import Plugin, get_type_name
from iidgan.config.run import Run
from iidgan.core import Dataset
from iidgan.errors import InputError, unknown_name_error, wrong_type_error
from iidgan.explorer.checkpoints import RunNetworks
from iidgan.explorer.history import read_history
from iidgan.explorer.pictures import encode_values, read_picture
from iidgan.explorer.plane import describe_plane
from iidgan.latent import class_directions, invert, read_input_matrix, refine, sefa_directions
from iidgan.methods import Conditional
from iidgan.sample_sets import SampleSet
from iidgan.sample_sets.datasets import open_dataset
from iidgan.training.model import Model
from iidgan.utils.subsets import choose_indices

MAX_CODES = 1024
"""Largest number of samples that one question asks for."""
MAX_REFINE_STEPS = 1000
MAX_SEFA_DIRECTIONS = 8
MAX_ENCODED = 2000
"""Number of samples of the data from which mean codes of classes are computed."""
MAX_COMPARED = 10_000
"""Number of samples of the data among which the nearest ones are searched."""
NUM_NEIGHBOURS = 8

Question = Mapping[str, Any]


class ExplorerSession:
    """Answers questions about some runs; it changes none of their files.

    Arguments:
        paths: Run directories, or folders of exported networks.
        plugins: Classes that the runs may use, or their names, as of `iidgan.load`.

    Raises:
        UnnamedPluginError: A run uses a class that is neither part of the package nor among
            `plugins`.
        InputError: There is no run, or its files are damaged.
    """

    def __init__(self, paths: Sequence[str | Path], plugins: Sequence[Plugin] = ()) -> None:
        self.networks = {
            str(key): RunNetworks(Path(path), tuple(plugins)) for key, path in enumerate(paths)
        }
        self.answers: Mapping[str, Callable[[Question], object]] = {
            "describe": self.describe,
            "generate": self.generate,
            "directions": self.find_directions,
            "invert": self.invert,
            "neighbours": self.find_neighbours,
            "plane": self.describe_plane,
            "history": self.read_history,
        }
        self._lock = Lock()
        self.describe({})  # an early error

    def answer(self, name: str, question: Question) -> object:
        """Answer a question; several threads are answered in turn.

        Arguments:
            name: Name of the question.
            question: Its fields.

        Raises:
            InputError: There is no such question, a field is invalid, or a file is damaged.
        """
        if name not in self.answers:
            raise unknown_name_error("question", name, self.answers)
        with self._lock:  # networks of conditional methods hold the classes of one batch
            return self.answers[name](question)

    def describe(self, question: Question) -> dict[str, Any]:
        """Describe all runs: the answer to `describe`."""
        runs = [_describe_run(key, networks) for key, networks in self.networks.items()]
        return {"version": __version__, "runs": runs}

    def generate(self, question: Question) -> NDArray[Any]:
        """Generate samples of codes: the answer to `generate`."""
        model = self.load_model(question)
        count = _read_integer(question, "count", 1, MAX_CODES)
        num_values = model.latent + len(model.classes or ())
        return encode_values(model.generate(_read_numbers(question, "codes", count, num_values)))

    def find_directions(self, question: Question) -> list[dict[str, Any]]:
        """Find directions of the latent space: the answer to `directions`."""
        model = self.load_model(question)
        named = _find_sefa(model) | self._find_class_directions(question, model)
        return [
            {"name": name, "vector": normalize(vector, dim=0).numpy()}
            for name, vector in named.items()
        ]

    def invert(self, question: Question) -> dict[str, Any]:
        """Invert one sample: the answer to `invert`."""
        model = self.load_model(question)
        num_steps = _read_integer(question, "refine", 0, MAX_REFINE_STEPS)
        sample = _read_sample(question, model)
        stages = {"code": invert(model, sample, label=_read_label(question, model))}
        if num_steps:
            stages["refined"] = refine(model, stages["code"], num_steps)
        return {
            "input": encode_values(sample),
            "stages": [
                {
                    "name": name,
                    "code": torch.cat([stage.z, stage.c], dim=1)[0].numpy(),
                    "values": encode_values(stage.x_cycled),
                    "error": stage.errors.item(),
                    "quantile": stage.radius_quantiles.item(),
                }
                for name, stage in stages.items()
            ],
        }

    def find_neighbours(self, question: Question) -> list[dict[str, Any]]:
        """Find the samples of the data that are closest: the answer to `neighbours`."""
        model = self.load_model(question)
        sample = _read_sample(question, model)
        data = open_dataset("data", self._load_data(question))
        positions, distances = find_nearest(data, sample)
        return [
            {
                "values": encode_values(data.take([position])),
                "distance": distance,
                "label": _get_label(data, position),
            }
            for position, distance in zip(positions, distances)
        ]

    def describe_plane(self, question: Question) -> dict[str, Any] | None:
        """Describe the plane of points: the answer to `plane`."""
        model = self.load_model(question)
        if len(model.shape) != 1:
            return None
        return describe_plane(model, self._load_data(question))

    def read_history(self, question: Question) -> dict[str, Any]:
        """Read curves over training: the answer to `history`."""
        return read_history(self._find_run(question).run_dir)

    def _find_run(self, question: Question) -> RunNetworks:
        key = question.get("run")
        if not isinstance(key, str) or key not in self.networks:
            raise unknown_name_error("run", key, self.networks)
        return self.networks[key]

    def load_model(self, question: Question) -> Model:
        """Load the networks of the seed and step of a run that a question names.

        Raises:
            InputError: There are none.
        """
        networks = self._find_run(question)
        seed, step = (_read_integer(question, name, 0, 2**63 - 1) for name in ("seed", "step"))
        return networks.load_model(seed, step)

    def _load_data(self, question: Question) -> Dataset:
        networks = self._find_run(question)
        return _load_data(networks.path, networks.plugins)

    def _find_class_directions(self, question: Question, model: Model) -> dict[str, Tensor]:
        """Find the mean code of each class; of a conditional model, classes are no directions."""
        if not model.has_inverse or model.classes is not None:
            return {}
        try:
            data = open_dataset("data", self._load_data(question))
        except InputError:  # the data are elsewhere
            return {}
        if data.labels is None:
            return {}
        indices = choose_indices(data.num_samples, MAX_ENCODED)
        labels = data.labels[indices]
        directions = class_directions(model.invert(data.take(indices)), labels)
        names = (_name_label(data, label) for label in labels.unique().tolist())
        return {f"towards {name}": vector for name, vector in zip(names, directions)}


@lru_cache(maxsize=8)
def _load_data(path: Path, plugins: tuple[Plugin, ...]) -> Dataset:
    networks = RunNetworks(path, plugins)
    dataset = networks.read_run().source.load()
    if networks.has_run_dir:
        networks.run_dir.check_data(dataset)
    return dataset


def _describe_run(key: str, networks: RunNetworks) -> dict[str, Any]:
    run = networks.read_run()
    checkpoints = networks.list_checkpoints()
    diverged = networks.read_divergences()
    model = None
    for seed, folders in checkpoints.items():
        model = networks.load_model(seed, max(folders))
        break
    is_image = run.source.has_images if model is None else len(model.shape) == 3
    return {
        "key": key,
        "name": str(networks.path),
        **describe_components(run),
        "kind": "images" if is_image else "points",
        "shape": model and [*model.shape],
        "latent": run.arch.latent,
        "classes": [*model.classes.names] if model and model.classes else [],
        "seeds": [
            {
                "seed": seed,
                "steps": [*folders],
                "diverged": diverged[seed] if diverged.get(seed, -1) >= 0 else None,
            }
            for seed, folders in checkpoints.items()
        ],
        "canInvert": model is not None and model.has_inverse,
        "canRefine": True,
        "hasNeighbours": True,
        "hasHistory": networks.has_run_dir,
        "isTraining": networks.has_run_dir and networks.run_dir.is_in_use,
    }


def describe_components(run: Run) -> dict[str, str]:
    """Name a run, its method with its terms, and its source, for people.

    Arguments:
        run: The run.

    Examples:
        >>> from iidgan import Run, iid_gan
        >>> describe_components(Run(method=iid_gan()))["method"]
        'gan with cycle, gaussian'
    """
    method, terms = run.method.base_and_terms
    prefix = ""
    if isinstance(method, Conditional):
        method, prefix = method.method, "conditional "
    term_names = ", ".join(get_type_name(type(term)) for term in terms)
    suffix = f" with {term_names}" if term_names else ""
    return {
        "id": run.id,
        "method": f"{prefix}{get_type_name(type(method))}{suffix}",
        "source": get_type_name(type(run.source)),
    }


def _find_sefa(model: Model) -> dict[str, Tensor]:
    try:
        matrix = read_input_matrix(model)
    except InputError:  # a backbone without `input_matrix`
        return {}
    directions, _ = sefa_directions(matrix, min(MAX_SEFA_DIRECTIONS, model.latent))
    return {f"SeFa {number}": vector for number, vector in enumerate(directions, 1)}


def find_nearest(data: SampleSet, sample: Tensor) -> tuple[list[int], list[float]]:
    """Find the samples of a data set that are closest to a sample.

    Arguments:
        data: The data set; of a large one, a random part is searched, always the same.
        sample: One sample, (1, *shape): bytes of an image, or coordinates.

    Returns:
        Positions in the data, and root mean squared differences, the closest first.
    """
    indices = choose_indices(data.num_samples, MAX_COMPARED)
    target = sample.float().flatten()
    distances = torch.cat(
        [
            (block.flatten(1).float() - target).square().mean(1).sqrt()
            for block in data.iterate(indices)
        ]
    )
    nearest = distances.topk(min(NUM_NEIGHBOURS, len(distances)), largest=False)
    return [indices[i] for i in nearest.indices.tolist()], nearest.values.tolist()


def _get_label(data: SampleSet, position: int) -> str:
    return "" if data.labels is None else _name_label(data, int(data.labels[position]))


def _name_label(data: SampleSet, label: int) -> str:
    return data.label_names[label] if data.label_names else f"class {label}"


def _read_integer(question: Question, name: str, low: int, high: int) -> int:
    value = question.get(name)
    if type(value) is not int:
        raise wrong_type_error(name, "an int", value)
    if not low <= value <= high:
        raise InputError(f"{name}: must be between {low} and {high:,}, got {value}")
    return value


def _read_numbers(question: Question, name: str, *shape: int) -> Tensor:
    values = question.get(name)
    if not isinstance(values, np.ndarray) or values.dtype != np.float32:
        raise wrong_type_error(name, "a float32 array", values)
    if values.size != math.prod(shape):
        raise InputError(f"{name}: must have {math.prod(shape)} numbers, got {values.size}")
    if not np.isfinite(values).all():
        raise InputError(f"{name}: must be finite numbers")
    return torch.from_numpy(values.reshape(shape))


def _read_sample(question: Question, model: Model) -> Tensor:
    """Read a picture in the bytes of its file, or the coordinates of a point."""
    content = question.get("sample")
    if len(model.shape) == 1:
        return _read_numbers(question, "sample", 1, *model.shape)
    if not isinstance(content, np.ndarray) or content.dtype != np.uint8:
        raise wrong_type_error("sample", "the bytes of an image file", content)
    return read_picture(content.tobytes(), model.shape)


def _read_label(question: Question, model: Model) -> int | None:
    if question.get("label") is None or model.classes is None:
        return None
    return _read_integer(question, "label", 0, len(model.classes) - 1)
