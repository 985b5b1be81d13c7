"""`iidgan explore`: a page in the browser on which trained generators are explored."""

from __future__ import annotations

import sys
import webbrowser
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Annotated, Literal

import tyro

from iidgan.cli.latent.model_options import check_suffix
from iidgan.cli.options import PluginOptions
from iidgan.cli.parse import parse_options
from iidgan.cli.signals import interrupt_on_signals
from iidgan.errors import InputError
from iidgan.explorer.onnx_format import create_onnx_format
from iidgan.explorer.script_format import SCRIPT_FORMAT
from iidgan.explorer.session import ExplorerSession
from iidgan.explorer.standalone import Contents, write_standalone_page
from iidgan.utils.extras import require_extra

MAX_PORT = 65_535


@dataclass(frozen=True, kw_only=True)
class ExploreOptions(PluginOptions):
    """Explore trained generators on a page in the browser: latents, directions, inverses, curves.

    The page is served on this machine alone, until Ctrl-C. Nothing is written, unless --out names
    a file: a page that works without a server, with networks inside.
    """

    runs: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="RUN [RUN ...]")]
    """Run directories, which may still be training, or folders of networks such as best/seed-0."""
    port: int = 0
    """Port of the server; 0: a free one."""
    browser: bool = True
    """Open the page in the browser; --no-browser only prints its address."""
    out: str | None = None
    """.html: write a page that works alone instead of serving one."""
    seeds: tuple[int, ...] = ()
    """Seeds inside that page; by default the first that did not diverge."""
    runtime: str | None = None
    """Folder of onnxruntime-web, a package of npm: that page has it inside, 5 MB, and computes
    networks in ONNX files with it, several times as fast as by plain script (extra onnx)."""
    checkpoints: Literal["last", "all"] = "last"
    """Checkpoints inside that page; all: for a slider over the training, where a run kept them."""


@interrupt_on_signals()
def explore_command(arguments: list[str]) -> int:
    """Run `iidgan explore` and return its exit code.

    Arguments:
        arguments: Words of the command line after `explore`.

    Raises:
        InputError: The arguments or the files that they name are invalid.
    """
    options = parse_options(ExploreOptions, "iidgan explore", arguments)
    if not options.runs:
        raise InputError("runs: expected at least one run directory, got none")
    if not 0 <= options.port <= MAX_PORT:
        raise InputError(f"port: must be between 0 and {MAX_PORT}, got {options.port}")
    if options.out is None:
        _refuse_changed(
            ("seeds", "runtime", "checkpoints"),
            options,
            "is of the page that --out page.html writes; add --out",
        )
        _serve_page(options)
    else:
        _refuse_changed(
            ("port", "browser"), options, "is of the page that is served; leave out --out"
        )
        _write_page(check_suffix(options.out, (".html",)), options)
    return 0


def _refuse_changed(names: Iterable[str], options: ExploreOptions, reason: str) -> None:
    for name in names:
        if getattr(options, name) != getattr(ExploreOptions, name):
            raise InputError(f"{name}: {reason}")


def _write_page(path: Path, options: ExploreOptions) -> None:
    session = ExplorerSession(options.runs, options.plugin)
    contents = Contents(seeds=options.seeds, all_steps=options.checkpoints == "all")
    network_format = (
        SCRIPT_FORMAT if options.runtime is None else create_onnx_format(Path(options.runtime))
    )
    write_standalone_page(path, session, contents, network_format)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB; open it in a browser")


def _serve_page(options: ExploreOptions) -> None:
    require_extra("explore", field="explore")
    from iidgan.explorer.server import serve  # needs the extra

    session = ExplorerSession(options.runs, options.plugin)

    def announce(address: str) -> None:
        print(f"{address}\nCtrl-C ends the explorer", flush=True)
        if options.browser:
            Thread(target=webbrowser.open, args=(address,), daemon=True).start()

    try:
        serve(session, port=options.port, on_ready=announce)
    except KeyboardInterrupt:
        print("iidgan: the explorer has ended", file=sys.stderr)
