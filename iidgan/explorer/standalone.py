"""A page that stands alone: networks, curves and planes of runs inside one HTML file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from iidgan.errors import InputError
from iidgan.explorer.network_program import TensorFunction, encode_network
from iidgan.explorer.page_text import render_page
from iidgan.explorer.session import ExplorerSession
from iidgan.explorer.wire import encode_json
from iidgan.training.model import Model
from iidgan.utils.files import write_text

START = """\
import { localBackend } from "./local_backend.js";
import { start } from "./main.js";
start(localBackend(document.getElementById("data").textContent));
"""
NOTE = (
    "This page stands alone: it computes with the networks inside it. Searching the data for the "
    "nearest samples needs iidgan explore without --out."
)
NUM_EXAMPLES = 8
"""Number of samples on which the networks of the page are compared with those of the run."""
MAX_PIXEL_ERROR = 0.5 * 2 / 255
"""Largest error of images in [-1, 1] by weights of half precision: half a level of 255."""
MAX_CODE_ERROR = 0.01
"""Largest error of codes, whose standard deviation is 1, by weights of half precision."""


@dataclass(frozen=True, kw_only=True)
class Contents:
    """Which networks of a run a page has inside.

    Arguments:
        seeds: Seeds; none: the first that did not diverge.
        all_steps: Whether all checkpoints are inside, rather than the last one of each seed.
    """

    seeds: Sequence[int] = ()
    all_steps: bool = False


Functions = dict[str, tuple[TensorFunction, Sequence[Tensor]]]


def write_standalone_page(path: Path, session: ExplorerSession, contents: Contents) -> None:
    """Write a page that works from a file, without a server, atomically.

    Arguments:
        path: The file; an existing one is replaced.
        session: Runs to explore.
        contents: Which of their networks are inside.

    Raises:
        InputError: A run has no such networks, plain script cannot compute one, or the file cannot
            be written.
    """
    write_text(path, render_page(START, data=encode_json(_collect_data(session, contents))).html)


def _collect_data(session: ExplorerSession, contents: Contents) -> dict[str, Any]:
    """Collect what `page/local_backend.js` reads."""
    description = session.describe({})
    runs = [_describe_contents(run, contents) for run in description["runs"]]
    places = {run["key"]: dict(_describe_places(session, run)) for run in runs}
    for run in runs:
        run["canRefine"] = all(_can_refine(place) for place in places[run["key"]].values())
    histories = {
        run["key"]: session.read_history({"run": run["key"]}) for run in runs if run["hasHistory"]
    }
    return {
        "description": description | {"runs": runs, "note": NOTE},
        "histories": histories,
        "places": {name: place for part in places.values() for name, place in part.items()},
    }


def _describe_contents(run: Mapping[str, Any], contents: Contents) -> dict[str, Any]:
    """Describe a run as far as it is inside a page.

    Raises:
        InputError: It has no such seed, or no networks yet.
    """
    trained = {entry["seed"]: entry for entry in run["seeds"]}
    healthy_seeds = [seed for seed, entry in trained.items() if entry["diverged"] is None]
    if not trained:
        raise InputError(f"run: {run['name']} has no networks yet; wait for its first checkpoint")
    seeds = contents.seeds or [*healthy_seeds, *trained][:1]
    for seed in seeds:
        if seed not in trained:
            raise InputError(
                f"seeds: {seed} is not in {run['name']}; it has {', '.join(map(str, trained))}"
            )
    entries = [trained[seed] for seed in seeds]
    if not contents.all_steps:
        entries = [entry | {"steps": entry["steps"][-1:]} for entry in entries]
    return {**run, "seeds": entries, "hasNeighbours": False, "isTraining": False}


def _describe_places(
    session: ExplorerSession, run: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the names of the places of a run, and what the page knows of them."""
    for entry in run["seeds"]:
        for step in entry["steps"]:
            place = {"run": run["key"], "seed": entry["seed"], "step": step}
            name = "/".join(map(str, place.values()))
            yield (
                name,
                {
                    "networks": _encode_networks(session.load_model(place)),
                    "directions": session.find_directions(place),
                    "plane": session.describe_plane(place),
                },
            )


def _can_refine(place: Mapping[str, Any]) -> bool:
    return "gradient" in place["networks"]["G"]["programs"]


def _encode_networks(model: Model) -> dict[str, Any]:
    """Encode G with the gradient of its error, if that can be computed, and F."""
    codes, samples = model.sample_prior(NUM_EXAMPLES), model.sample(NUM_EXAMPLES)
    is_image = len(model.shape) == 3
    generator: Functions = {"forward": (model.generate_differentiably, [codes])}
    gradient: Functions = {
        "gradient": (partial(_compute_gradient, model), [codes, samples.flip(0)])
    }
    tolerance = MAX_PIXEL_ERROR if is_image else 0.0
    try:
        networks = {"G": encode_network(generator | gradient, tolerance)}
    except InputError:  # also of G itself, which is then raised here
        networks = {"G": encode_network(generator, tolerance)}
    if model.has_inverse:
        inverse = {"forward": (partial(_invert, model), [samples])}
        networks["F"] = encode_network(inverse, MAX_CODE_ERROR if is_image else 0.0)
    return networks


def _invert(model: Model, x: Tensor) -> Tensor:
    codes: Tensor = model.nets["F"](x[None])[0]
    return codes


def _compute_gradient(model: Model, codes: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """Compute samples, and the gradient of their mean squared difference to x in the latents."""
    z, c = model.split_codes(codes)
    with torch.enable_grad():
        z = z.detach().requires_grad_()
        samples = model.generate_differentiably(torch.cat([z, c], dim=1))
        residuals = (samples - x).detach()
        (gradient,) = torch.autograd.grad(samples, z, residuals * (2 / x[0].numel()))
    return samples.detach(), gradient
