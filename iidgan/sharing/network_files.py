"""Trained networks as files that other programs run: ONNX, and programs of `torch.export`."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from iidgan._version import __version__
from iidgan.errors import InputError, unknown_name_error
from iidgan.training.model import Model, missing_inverse_error
from iidgan.utils.extras import require_extra
from iidgan.utils.files import describe_error, write_file

NetworkName = Literal["G", "F"]
TENSOR_NAMES = {"G": ("z", "x"), "F": ("x", "z")}
"""Names of the input and the output of each network in its file."""
CHECKED_BATCHES = (1, 7)
"""Batch sizes with which a file is compared; the batch axis is free."""
MAX_ERROR = 1e-4
"""Largest difference of a file's output, as a share of the largest value of the network's."""


def export_network(model: Model, path: str | Path, network: NetworkName = "G") -> Path:
    """Write G or F of a model to a file that other programs run.

    The network is in evaluation mode, with fixed statistics, in the units of the data, and its
    batch axis is free. All noise is in its input z. The file is run and compared with
    `Model.generate` or `Model.invert` before it gets its name.

    The file says where it is from: `library`, `run` (its id), `seed`, `step`, `network`, `shape`
    of a sample, `latent` (dimension of z), `value_range`, and `classes` of a conditional model,
    lists as JSON. In ONNX these are `metadata_props`, otherwise the extra file `iidgan.json`.

    Arguments:
        model: The trained networks of one seed.
        path: The file: `.onnx` for ONNX (extra `onnx`), `.pt2` for `torch.export`.
        network: `G`, from latents `z` (n, M) to samples `x` (n, *shape), or `F`, the reverse. Of a
            conditional model codes [z; c] (n, M + K) take the place of z.

    Returns:
        The file.

    Raises:
        InputError: The format or the network is unknown, the model has no F, packages are missing,
            the network cannot be exported, or the file does not reproduce it.

    Examples:
        >>> import tempfile, torch, iidgan
        >>> source, arch = iidgan.Ring(size=100), iidgan.MLP(hidden=(8,))
        >>> run = iidgan.Run(source=source, method=iidgan.GAN(), arch=arch, steps=2)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model = iidgan.train(run, out=f"{folder}/ring").model()
        ...     path = iidgan.export_network(model, f"{folder}/G.pt2")
        ...     generator = torch.export.load(path).module()
        >>> generator(model.sample_prior(5)).shape
        torch.Size([5, 2])
    """
    path = Path(path)
    if path.suffix not in _WRITERS:
        raise InputError(f"out: must end in {' or '.join(_WRITERS)}, got {path.name!r}")
    if network not in TENSOR_NAMES:
        raise unknown_name_error("network", network, TENSOR_NAMES)
    if network == "F" and not model.has_inverse:
        raise missing_inverse_error()
    if path.suffix == ".onnx":
        require_extra("onnx", field="format")
    examples = _compute_examples(model, network)
    program = _trace(model.nets[network], examples[-1][0], network)
    write, load = _WRITERS[path.suffix], _LOADERS[path.suffix]

    def write_checked(partial_path: Path) -> None:
        write(partial_path, program, network, _describe(model, network))
        _compare(load(partial_path), examples, network)

    write_file(path, write_checked)
    return path


class _SingleSeed(nn.Module):
    """Maps a batch through a network of one seed, without the seed axis."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, inputs: Tensor) -> Tensor:
        outputs: Tensor = self.network(inputs[None])[0]
        return outputs


def _compute_examples(model: Model, network: NetworkName) -> list[tuple[Tensor, Tensor]]:
    """Compute inputs and outputs of a network, one pair for each batch size.

    Raises:
        InputError: It returns other outputs at a second call.
    """
    apply = model.generate if network == "G" else model.invert
    draw = model.sample_prior if network == "G" else model.sample
    inputs = [draw(batch_size) for batch_size in CHECKED_BATCHES]
    examples = [(batch, apply(batch)) for batch in inputs]
    if not all(torch.equal(apply(batch), outputs) for batch, outputs in examples):
        raise InputError(
            f"network: {network} draws random numbers itself, and a file of it would draw others; "
            "only noise that is part of its input can be exported"
        )
    return examples


def _trace(network: nn.Module, inputs: Tensor, name: NetworkName) -> ExportedProgram:
    """Trace a network with a free batch axis.

    Raises:
        InputError: Its code cannot be traced.
    """
    dynamic_shapes = ({0: torch.export.Dim("batch")},)
    try:
        with _quiet():
            return torch.export.export(
                _SingleSeed(network), (inputs,), dynamic_shapes=dynamic_shapes, strict=True
            )
    except Exception as error:  # of many types, whatever its code does
        raise _export_error(name, error) from error


def _export_error(name: NetworkName, error: Exception) -> InputError:
    return InputError(f"network: {name} cannot be exported ({describe_error(error)[:300]})")


@contextmanager
def _quiet() -> Iterator[None]:
    """Drop what torch says of its own code and of packages that are not needed."""
    logger = logging.getLogger("torch.onnx")
    previous_level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(previous_level)


def _describe(model: Model, network: NetworkName) -> dict[str, str]:
    (seed,), (step,) = model.point.seeds, model.point.steps
    description = {
        "library": f"iidgan {__version__}",
        "run": model.point.run.id,
        "seed": str(seed),
        "step": str(step),
        "network": network,
        "shape": json.dumps(model.shape),
        "latent": str(model.latent),
        "value_range": "[-1, 1]" if len(model.shape) == 3 else "that of the data",
    }
    if model.classes is not None:
        description["classes"] = json.dumps(model.classes.names)
    return description


def _write_onnx(
    path: Path, program: ExportedProgram, network: NetworkName, description: dict[str, str]
) -> None:
    input_name, output_name = TENSOR_NAMES[network]
    try:
        with _quiet():
            onnx_program = torch.onnx.export(
                program,
                input_names=[input_name],
                output_names=[output_name],
                dynamic_shapes=({0: "batch"},),
                dynamo=True,
                verbose=False,
            )
    except Exception as error:  # an operation that ONNX lacks, among others
        raise _export_error(network, error) from error
    assert onnx_program is not None, "dynamo returns a program"
    onnx_program.model.metadata_props.update(description)
    onnx_program.save(path, external_data=False)


def _load_onnx(path: Path) -> Callable[[Tensor], Tensor]:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (input_name,) = (value.name for value in session.get_inputs())
    return lambda inputs: torch.from_numpy(session.run(None, {input_name: inputs.numpy()})[0])


def _write_program(
    path: Path, program: ExportedProgram, network: NetworkName, description: dict[str, str]
) -> None:
    torch.export.save(program, path, extra_files={"iidgan.json": json.dumps(description)})


def _load_program(path: Path) -> Callable[[Tensor], Tensor]:
    return torch.export.load(path).module()


_WRITERS = {".onnx": _write_onnx, ".pt2": _write_program}
_LOADERS = {".onnx": _load_onnx, ".pt2": _load_program}


def _compare(
    run_file: Callable[[Tensor], Tensor],
    examples: list[tuple[Tensor, Tensor]],
    network: NetworkName,
) -> None:
    """Check that a file returns what the network returns.

    Raises:
        InputError: It does not.
    """
    for inputs, expected in examples:
        outputs = run_file(inputs)
        scale = float(expected.abs().max())
        error = float((outputs - expected).abs().max())
        if not error <= MAX_ERROR * scale:
            raise InputError(
                f"network: the file of {network} differs from it by {error:.2g}, where values are "
                f"up to {scale:.2g}; it was not kept"
            )
