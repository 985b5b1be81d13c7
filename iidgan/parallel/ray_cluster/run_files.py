"""Run folders of machines without a common folder, sent in pieces.

When its run has saved something besides logs, a task sends all changes with the next log record.
The driver changes its own folder only after all pieces have come, so that a task that
dies while it sends changes nothing.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from iidgan.parallel.ray_cluster.messages import FilePiece, FileReferences, FolderState
from iidgan.utils.files import DIGESTS_FILE, PARTIAL_PREFIX, open_regular_file

PIECE_BYTES = 2**24
"""Largest part of a file that is sent at once."""
STAGING_FOLDER = f"{PARTIAL_PREFIX}received"
LOCK_PREFIX = ".lock"

FileKey = tuple[int, str]
"""Position of a run, and the path of a file inside its folder."""


def list_files(folders: Sequence[Path]) -> dict[FileKey, Path]:
    """List the files of run folders, without locks and unfinished ones.

    Arguments:
        folders: The folders.
    """
    files: dict[FileKey, Path] = {}
    for position, folder in enumerate(folders):
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder)
            is_temporary = any(part.startswith(PARTIAL_PREFIX) for part in name.parts)
            if path.is_file() and not is_temporary and not path.name.startswith(LOCK_PREFIX):
                files[position, name.as_posix()] = path
    return files


def read_pieces(path: Path) -> Iterator[bytes]:
    """Read a file in pieces, of which there is at least one.

    Arguments:
        path: The file.
    """
    with open_regular_file(path) as file:
        yield file.read(PIECE_BYTES)
        while piece := file.read(PIECE_BYTES):
            yield piece


def refer_to_files(folders: Sequence[Path], put: Callable[[bytes], Any]) -> list[FileReferences]:
    """Make the files of run folders available to tasks.

    Arguments:
        folders: The folders.
        put: Stores a piece, and returns the reference to it.
    """
    return [
        FileReferences(position, name, [put(piece) for piece in read_pieces(path)])
        for (position, name), path in list_files(folders).items()
    ]


def write_files(
    folders: Sequence[Path], files: Sequence[FileReferences], get: Callable[[Any], bytes]
) -> None:
    """Write files that the driver has made available.

    Arguments:
        folders: Where to write the files of each run.
        files: The files.
        get: Returns the piece of a reference.
    """
    for file in files:
        path = folders[file.folder] / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as stream:
            for reference in file.pieces:
                stream.write(get(reference))


class FolderSender:
    """Sends what has changed in run folders.

    Arguments:
        folders: The folders.
        send: Sends a message, and returns when it has arrived.
    """

    def __init__(
        self, folders: Sequence[Path], send: Callable[[FilePiece | FolderState], None]
    ) -> None:
        self._folders, self._send = folders, send
        self._sent = {key: _stamp(path) for key, path in list_files(folders).items()}

    def send_saved(self) -> None:
        """Send all changes if more than the logs has changed, such as a checkpoint."""
        files = list_files(self._folders)
        changed = {key: path for key, path in files.items() if self._sent.get(key) != _stamp(path)}
        if any(path.suffix != ".jsonl" for path in changed.values()):
            self._send_files(files, changed)

    def send_all(self) -> None:
        """Send all changes."""
        files = list_files(self._folders)
        self._send_files(files, files)

    def _send_files(self, files: dict[FileKey, Path], changed: dict[FileKey, Path]) -> None:
        for key, path in changed.items():
            stamp = _stamp(path)
            if self._sent.get(key) != stamp:
                for piece in read_pieces(path):
                    self._send(FilePiece(*key, piece))
                self._sent[key] = stamp
        self._send(FolderState(frozenset(files)))


def _stamp(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns, status.st_ino


class FolderReceiver:
    """Receives files into run folders, which the driver has locked.

    Arguments:
        folders: The folders.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders
        self.discard()

    def receive(self, message: FilePiece | FolderState) -> None:
        """Keep a piece apart, or change the folders once all pieces have come.

        Arguments:
            message: The piece, or what ends them.
        """
        if isinstance(message, FolderState):
            self._replace_files(message)
            return
        path = self._staging_folder(message.folder) / message.name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(message.content)

    def discard(self) -> None:
        """Remove pieces of files that will not be completed."""
        for position in range(len(self._folders)):
            shutil.rmtree(self._staging_folder(position), ignore_errors=True)

    def _replace_files(self, state: FolderState) -> None:
        """Replace logs first, which may be ahead of checkpoints, but never behind."""
        staging_folders = [self._staging_folder(i) for i in range(len(self._folders))]
        received = {
            (i, path.relative_to(folder).as_posix()): path
            for i, folder in enumerate(staging_folders)
            for path in folder.rglob("*")
            if path.is_file()
        }
        for (position, name), path in sorted(received.items(), key=_order_of_replacement):
            target = self._folders[position] / name
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, target)
        for key, path in list_files(self._folders).items():
            if key not in state.names:
                path.unlink()
                if not any(path.parent.iterdir()):
                    path.parent.rmdir()
        self.discard()

    def _staging_folder(self, position: int) -> Path:
        return self._folders[position] / STAGING_FOLDER


def _order_of_replacement(item: tuple[FileKey, Path]) -> tuple[bool, bool]:
    """Manifests come last: a checkpoint without one is incomplete, and ignored."""
    path = item[1]
    return path.suffix != ".jsonl", path.name == DIGESTS_FILE
