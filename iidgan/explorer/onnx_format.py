"""Networks that a page computes by onnxruntime-web, from ONNX files inside the page."""

from __future__ import annotations

import base64
import gzip
import tempfile
from pathlib import Path
from typing import Any

from iidgan.errors import InputError
from iidgan.explorer.network_format import NetworkFormat
from iidgan.sharing.network_files import NetworkName, export_network
from iidgan.training.model import Model
from iidgan.utils.files import read_regular_file

MODULE_FILE = "ort.wasm.bundle.min.mjs"
WASM_FILE = "ort-wasm-simd-threaded.wasm"
START = """\
import { localBackend, readData } from "./local_backend.js";
import { start } from "./main.js";
import { onnxNetworks } from "./onnx.js";
const data = readData();
start(localBackend(data, onnxNetworks(data.runtime)));
"""


def create_onnx_format(folder: Path) -> NetworkFormat:
    """Create the format of pages that have onnxruntime-web inside.

    Arguments:
        folder: Folder of the package onnxruntime-web of npm, or its folder `dist`.

    Raises:
        InputError: The folder lacks a file.

    References:
        https://onnxruntime.ai/docs/tutorials/web/deploy.html, for what to deploy
    """
    module, wasm = (_read_runtime_file(folder, name) for name in (MODULE_FILE, WASM_FILE))
    return NetworkFormat(
        encode=encode_onnx_files,
        start=START,
        runtime={"module": module.decode(), "wasm": _encode(gzip.compress(wasm, mtime=0))},
        script_sources="blob: 'wasm-unsafe-eval'",
    )


def _read_runtime_file(folder: Path, name: str) -> bytes:
    for path in (folder / name, folder / "dist" / name):
        if path.is_file():
            return read_regular_file(path)
    raise InputError(
        f"runtime: {folder} has no {name}; expected the folder of the package that npm install "
        "onnxruntime-web writes, node_modules/onnxruntime-web"
    )


def encode_onnx_files(model: Model) -> dict[str, Any]:
    """Encode G, and F if there is one, as ONNX files.

    Arguments:
        model: The networks.

    Raises:
        InputError: Packages are missing, or a network cannot be exported.
    """
    num_codes = model.sample_prior(1).shape[1]
    input_shapes: dict[NetworkName, tuple[int, ...]] = {"G": (num_codes,)}
    if model.has_inverse:
        input_shapes["F"] = model.shape

    def export(name: NetworkName, folder: str) -> str:
        return _encode(read_regular_file(export_network(model, f"{folder}/{name}.onnx", name)))

    with tempfile.TemporaryDirectory() as folder:
        return {
            name: {"onnx": export(name, folder), "inputShape": shape}
            for name, shape in input_shapes.items()
        }


def _encode(content: bytes) -> str:
    return base64.b64encode(content).decode()
