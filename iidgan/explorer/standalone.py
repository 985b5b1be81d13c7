"""A page that stands alone: networks, curves and planes of runs inside one HTML file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from iidgan.errors import InputError
from iidgan.explorer.network_format import NetworkFormat
from iidgan.explorer.page_text import render_page
from iidgan.explorer.session import ExplorerSession
from iidgan.explorer.wire import encode_json
from iidgan.utils.files import write_text

NOTE = (
    "This page stands alone: it computes with the networks inside it. Searching the data for the "
    "nearest samples needs iidgan explore without --out."
)


@dataclass(frozen=True, kw_only=True)
class Contents:
    """Which networks of a run a page has inside.

    Arguments:
        seeds: Seeds; none: the first that did not diverge.
        all_steps: Whether all checkpoints are inside, rather than the last one of each seed.
    """

    seeds: Sequence[int] = ()
    all_steps: bool = False


def write_standalone_page(
    path: Path, session: ExplorerSession, contents: Contents, network_format: NetworkFormat
) -> None:
    """Write a page that works from a file, without a server, atomically.

    Arguments:
        path: The file; an existing one is replaced.
        session: Runs to explore.
        contents: Which of their networks are inside.
        network_format: How the page computes them.

    Raises:
        InputError: A run has no such networks, the page could not compute one, or the file cannot
            be written.
    """
    page = render_page(
        network_format.start,
        scripts=network_format.script_sources,
        data=encode_json(_collect_data(session, contents, network_format)),
    )
    write_text(path, page.html)


def _collect_data(
    session: ExplorerSession, contents: Contents, network_format: NetworkFormat
) -> dict[str, Any]:
    """Collect what `page/local_backend.js` reads."""
    description = session.describe({})
    runs = [_describe_contents(run, contents) for run in description["runs"]]
    places: dict[str, dict[str, Any]] = {}
    for run in runs:
        own_places = dict(_describe_places(session, run, network_format))
        run["canRefine"] = all(_can_refine(answers) for answers in own_places.values())
        places |= own_places
    questions = [{"run": run["key"]} for run in runs if run["hasHistory"]]
    return {
        "description": description | {"runs": runs, "note": NOTE},
        "histories": {question["run"]: session.read_history(question) for question in questions},
        "places": places,
        "runtime": network_format.runtime,
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
    return {
        **run,
        "name": Path(run["name"]).resolve().name,  # a page for others tells no folders
        "seeds": entries,
        "hasNeighbours": False,
        "isTraining": False,
    }


def _describe_places(
    session: ExplorerSession, run: Mapping[str, Any], network_format: NetworkFormat
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the names of the places of a run, and what the page knows of them."""
    for entry in run["seeds"]:
        for step in entry["steps"]:
            question = {"run": run["key"], "seed": entry["seed"], "step": step}
            name = "/".join(map(str, question.values()))
            yield (
                name,
                {
                    "networks": network_format.encode(session.load_model(question)),
                    "directions": session.find_directions(question),
                    "plane": session.describe_plane(question),
                },
            )


def _can_refine(answers: Mapping[str, Any]) -> bool:
    return "gradient" in answers["networks"]["G"].get("programs", ())
