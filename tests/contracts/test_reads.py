"""Every file is read through `open_regular_file`, or after a check that it is a regular one.

Reading a named pipe or a socket blocks forever, and reading a device may never end.
"""

import ast

from tests.helpers.source_code import collect_violations, parse_package

METHODS = {
    "open",
    "read_text",
    "read_bytes",
    "load_file",
    "safe_open",
    "open_memmap",
    "ZipFile",
    "fromfile",
}
FUNCTIONS = {"np.load", "np.loadtxt", "torch.load", "datasets.load_dataset"}

ALLOWED = {
    ("utils.files", "open"): "of a regular file, in `open_regular_file`",
    ("utils.files", "os.open"): "flushes what was written",
    ("utils.jsonl", "path.open"): "appends; a pipe has no end to seek",
    ("cli.streams", "open"): "the null device in place of a closed output",
    ("cli.streams", "os.open"): "the null device in place of a closed output",
    ("engine.checkpoint", "load_file"): "after `require_regular_file`",
    ("engine.checkpoint", "safe_open"): "after `require_regular_file`",
    ("engine.compile.cache", "path.read_bytes"): "this package's own source code",
    ("engine.compile.inductor", "Path('/proc/cpuinfo').read_text"): "a file of the system",
    ("evaluation.arrays", "np.load"): "of an open regular file",
    (
        "explorer.page_text",
        "resources.files('iidgan.explorer').joinpath(PAGE_FOLDER, name).read_text",
    ): "a file of the package",
    ("features.tensor_file", "safe_open"): "after `require_regular_file`",
    ("features.tensor_file", "temporary_path.open"): "writes the tensors",
    ("features.efficientnet", "torch.load"): "of an open regular file",
    ("features.inception", "torch.load"): "of an open regular file",
    ("features.inception", "path.open"): "writes the fetched weights",
    ("features.inception", "urllib.request.urlopen"): "of a fixed address, with a time limit",
    ("parallel.ray_cluster.run_files", "path.open"): "writes what was received",
    ("cli.detach", "log_file.open"): "creates the file",
    ("html.pictures", "Image.open"): "of bytes",
    ("data.array_files", "npy_format.open_memmap"): "after `require_regular_file`",
    ("data.array_files", "ZipFile"): "of an open regular file, or writes an archive",
    ("data.array_files", "archive.open"): "of a member of an archive",
    ("data.idx", "gzip.open"): "of an open regular file",
    ("data.mnist_5k", "np.loadtxt"): "of an open regular file",
    (
        "data.prepared_source",
        "np.load",
    ): "after the check of the manifest",
    ("data.prepare.archives", "tarfile.open"): "after the start of the file is read",
    ("data.prepare.archives", "zipfile.ZipFile"): "after the start of the file is read",
    ("data.prepare.archives", "self._archive.open"): "of a member of an archive",
    ("data.prepare.archive_checks", "archive.open"): "of a member of an archive",
    ("data.prepare.decode", "Image.open"): "of bytes, or after the start of the file is read",
    ("data.prepare.conversion", "path.open"): "writes the list of skipped files",
    ("data.prepare.writer", "(folder / IMAGES_FILE).open"): "writes the array",
    ("data.prepare.writer", "rgb_path.open"): "writes the array",
    ("data.prepare.readers.array_files", "StoredArray.open"): "of an open regular file",
    ("data.prepare.readers.hub", "datasets.load_dataset"): "after a check of all files",
    ("data.prepare.readers.lmdb_files", "lmdb.open"): "after the check of the file",
}
"""Calls that open a file in another way, by module, and why they cannot block."""


def unchecked_reads(module):
    calls = [node for node in ast.walk(parse_package()[module]) if isinstance(node, ast.Call)]
    names = {ast.unparse(call.func) for call in calls}
    return sorted(
        name
        for name in names
        if (name.rpartition(".")[2] in METHODS or name in FUNCTIONS)
        and (module.partition(".")[2], name) not in ALLOWED
    )


def test_files_are_read_as_regular_files():
    assert collect_violations(unchecked_reads) == {}
