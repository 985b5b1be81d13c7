"""`iidgan export`: write trained networks to files that other programs run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from iidgan.cli.latent.model_options import ModelOptions
from iidgan.cli.parse import parse_options
from iidgan.sharing.network_files import NetworkName, export_network

SUFFIXES = {"onnx": ".onnx", "torch-export": ".pt2"}
"""Suffix of the files of each format."""


@dataclass(frozen=True, kw_only=True)
class ExportOptions(ModelOptions):
    """Write G, and F if there is one, to files that other programs run.

    G maps latents z (n, M) to samples x (n, *shape), F the reverse, for any n. Each file is run,
    and compared with the network, before it gets its name.
    """

    format: Literal["onnx", "torch-export"] = "onnx"
    """onnx: G.onnx and F.onnx, for ONNX Runtime and browsers; torch-export: G.pt2 and F.pt2, for
    torch.export.load, without this package."""
    network: Literal["all", "G", "F"] = "all"
    """Networks to write; all: G, and F if the method trains it."""
    out: str | None = None
    """Folder of the files; by default export in the run directory."""


def export_command(arguments: list[str]) -> int:
    """Run `iidgan export` and return its exit code.

    Arguments:
        arguments: Words of the command line after `export`.

    Raises:
        InputError: The arguments or the files that they name are invalid.
    """
    options = parse_options(ExportOptions, "iidgan export", arguments)
    model = options.load_model()
    folder = Path(options.out or Path(options.run) / "export")
    available: tuple[NetworkName, ...] = ("G", "F") if model.has_inverse else ("G",)
    names = available if options.network == "all" else (options.network,)
    for name in names:
        path = folder / f"{name}{SUFFIXES[options.format]}"
        export_network(model, path, name)
        print(f"{path}: {name} of seed {model.point.seeds[0]}, {path.stat().st_size:,} bytes")
    return 0
