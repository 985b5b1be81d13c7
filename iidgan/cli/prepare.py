"""`iidgan prepare`: any images to one array that training reads."""

from __future__ import annotations

import itertools
import shlex
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from tyro.constructors import PrimitiveConstructorSpec

from iidgan.cli.classifier import prepare_classifier_command
from iidgan.cli.console import create_console
from iidgan.cli.options import SIZE, get_field_values
from iidgan.cli.parse import parse_options
from iidgan.cli.progress import count_progress, create_progress
from iidgan.cli.signals import interrupt_on_signals
from iidgan.data import FILE_SUFFIXES, SOURCES
from iidgan.data.manifest import SKIPPED_FILE
from iidgan.data.prepare import DATASETS, PrepareResult, prepare
from iidgan.data.prepare.resize import TargetSize
from iidgan.errors import InputError
from iidgan.evaluation.classifier.store import SUFFIX

# For a tuple or None, tyro would take all words that follow, also the name of the data set.
_TWO_NUMBERS = PrimitiveConstructorSpec[tuple[float, float] | None](
    nargs=2,
    metavar="LOW HIGH",
    instance_from_str=lambda words: (float(words[0]), float(words[1])),
    is_instance=lambda value: value is None or isinstance(value, tuple),
    str_from_instance=lambda value: ["None"] if value is None else [str(bound) for bound in value],
)


@dataclass(frozen=True, kw_only=True)
class PrepareOptions:
    """Convert a data set of images to one array, for `iidgan train NAME`.

    An interrupted call leaves nothing behind; if the data set is there already, nothing is done.
    NAME-classifier trains the classifier that the metrics of NAME's images need.
    """

    name: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="NAME")]
    """mnist, ... (iidgan list sets), an id on the Hub, a new name, or NAME-classifier."""
    origin: Annotated[str | None, tyro.conf.arg(name="from")] = None
    """A folder, an archive or a file; `hub` downloads."""
    size: Annotated[TargetSize | None, SIZE] = None
    """Side of the images in pixels, or HEIGHTxWIDTH; by default the usual one, and 64 for your own
    images."""
    revision: str | None = None
    """Branch, tag or commit of a Hub data set; by default its main branch."""
    config: str | None = None
    """Configuration of a Hub data set that has several; the result is named NAME-CONFIG."""
    split: str | None = None
    """Split of the data set, such as test; other splits than the default are named NAME-SPLIT."""
    labels: str | None = None
    """`none`, `folders`, or a CSV file of names and labels; by default detected."""
    label_column: str | None = None
    """Column of a table (Parquet, Hub, CSV) with the labels; by default detected."""
    image_column: str | None = None
    """Column of a table (Parquet, Hub) with the images; by default detected."""
    value_range: Annotated[
        tuple[float, float] | None, _TWO_NUMBERS, tyro.conf.arg(name="range")
    ] = None
    """Values of images of more than 8 bits that become black and white; by default measured."""
    root: str | None = None
    """Folder of prepared data sets; by default $IIDGAN_DATA, or `data` in the user's cache."""
    strict: bool = False
    """Stop at the first unusable file instead of skipping it."""


@interrupt_on_signals()
def prepare_command(arguments: list[str]) -> int:
    """Run `iidgan prepare` and return its exit code.

    Arguments:
        arguments: Words of the command line after `prepare`.

    Raises:
        InputError: The arguments or the files that they name are invalid.
    """
    name_index = _find_name(arguments)
    if name_index is not None and arguments[name_index].endswith(SUFFIX):
        other_arguments = arguments[:name_index] + arguments[name_index + 1 :]
        return prepare_classifier_command(arguments[name_index], other_arguments)
    options = parse_options(PrepareOptions, "iidgan prepare", arguments)
    is_reserved = options.name in SOURCES and options.name not in DATASETS
    if is_reserved or Path(options.name).suffix.lower() in FILE_SUFFIXES:
        raise InputError(f"name: {options.name!r} is the name of a source; choose another name")
    console = create_console(stderr=True)
    with create_progress(console) as progress:
        result = prepare(
            **get_field_values(options, PrepareOptions),
            on_progress=count_progress(progress, options.name, "images"),
            on_message=lambda text: console.print(text, highlight=False, markup=False),
        )
    _print_result(result, options.root)
    return 0


FLAGS_WITHOUT_VALUE = ("--strict", "--no-strict", "--help", "-h")


def _find_name(arguments: list[str]) -> int | None:
    """Find the first word that is neither a flag nor the value of one."""
    for index, (previous_word, word) in enumerate(itertools.pairwise(["", *arguments])):
        is_flag = previous_word.startswith("-") and "=" not in previous_word
        takes_value = is_flag and previous_word not in FLAGS_WITHOUT_VALUE
        if not takes_value and not word.startswith("-"):
            return index
    return None


def _print_result(result: PrepareResult, root: str | None) -> None:
    """Print what was prepared and what was skipped, before anything is trained on it."""
    manifest = result.manifest
    shape_text = " x ".join(map(str, manifest.shape))
    labels = f"{len(manifest.label_counts)} labels" if manifest.label_counts else "no labels"
    status_text = "" if result.is_new else " already prepared:"
    print(
        f"{manifest.name}:{status_text} {manifest.count:,} images of {shape_text}, {labels}, in "
        f"{result.folder}"
    )
    if result.is_new:
        revision = f", revision {manifest.revision}" if manifest.revision else ""
        print(f"  made from {manifest.source}{revision}: {manifest.rule}")
    if manifest.labels:
        label_names = textwrap.shorten(", ".join(manifest.labels), 100, placeholder=" ...")
        print(f"  labels: {label_names}")
    _print_skipped(result)
    if manifest.enlarged:
        print(f"  {manifest.enlarged:,} smaller images were enlarged")
    root_option = "" if root is None else f" --root {shlex.quote(root)}"
    print(f"Next: iidgan train {manifest.name}{root_option}")


def _print_skipped(result: PrepareResult) -> None:
    """Print the number of skipped files for each reason, with an example."""
    manifest = result.manifest
    skipped_count = sum(manifest.skipped.values())
    if not skipped_count:
        return
    file_count = skipped_count + manifest.count
    print(f"  skipped: {skipped_count:,} of {file_count:,} files (listed in {SKIPPED_FILE})")
    examples_by_reason: dict[str, str] = {}
    for skipped_image in result.skipped:
        examples_by_reason.setdefault(skipped_image.reason, skipped_image.example)
    for reason, count in manifest.skipped.items():
        example_text = (
            f", such as {examples_by_reason[reason]}" if reason in examples_by_reason else ""
        )
        print(f"    {count:,} x {reason}{example_text}")
