"""What a task does: one attempt to train a job, on a machine of the cluster."""

from __future__ import annotations

import os
import pickle
import signal
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import ray
import torch
from ray.exceptions import RayActorError

from iidgan._version import __version__
from iidgan.engine.loop import LogRecord, StopRequest
from iidgan.parallel.batched_runs import RunProgressCallback
from iidgan.parallel.ray_cluster.messages import (
    NEEDS_FILES,
    Answer,
    Attempt,
    Message,
    Progress,
    Started,
)
from iidgan.parallel.ray_cluster.run_files import FolderSender, write_files
from iidgan.utils.files import describe_error

STOP_POLL_SECONDS = 2.0
"""Seconds after which a task asks again whether to stop."""


def run_attempt(attempt: Attempt, mailbox: Any) -> Answer:  # noqa: ANN401 - Ray's handle
    """Train a job, or go on with it.

    Arguments:
        attempt: What to train.
        mailbox: The actor that takes messages.

    Returns:
        Outcomes of its runs, or that it needs the files of the run folders.
    """

    def send(message: Message, *, wait: bool = True) -> None:
        reference = mailbox.post.remote(attempt.id, pickle.dumps(message))
        if wait:
            with suppress(RayActorError):  # the driver has ended: save first
                ray.get(reference)

    send(Started(socket.gethostname(), os.getpid(), time.time()))
    if attempt.files is None and not attempt.marker.exists():
        return NEEDS_FILES
    if reason := _find_obstacle(attempt):
        return [f"failed: {reason}"] * attempt.job.num_runs
    # A process is used for one task after another, and torch keeps its number of threads.
    torch.set_num_threads(max(1, int(attempt.resources.cpus)))

    def send_progress(position: int, message: str, record: LogRecord | None) -> None:
        send(Progress(position, message, record), wait=False)

    with _watched_stop(mailbox) as stop:
        try:
            if attempt.files is None:
                return attempt.job.train(send_progress, stop)
            return _train_elsewhere(attempt, send, send_progress, stop)
        except Exception as error:
            traceback.print_exc()
            return [f"failed: {describe_error(error)}"] * attempt.job.num_runs


def _train_elsewhere(
    attempt: Attempt,
    send: Callable[[Message], None],
    send_progress: RunProgressCallback,
    stop: StopRequest,
) -> list[str]:
    """Train in a temporary folder, and send what is saved there."""
    assert attempt.files is not None
    with TemporaryDirectory(prefix="iidgan-") as root:
        folders = [Path(root, folder.name) for folder in attempt.job.folders]
        write_files(folders, attempt.files, ray.get)
        sender = FolderSender(folders, send)

        def send_all_progress(position: int, message: str, record: LogRecord | None) -> None:
            sender.send_saved()
            send_progress(position, message, record)

        outcomes = attempt.job.move_to(folders).train(send_all_progress, stop)
        sender.send_all()
        return outcomes


def _find_obstacle(attempt: Attempt) -> str:
    """Say why this machine cannot train the job; nothing if it can."""
    if attempt.version != __version__:
        return f"{socket.gethostname()} has iidgan {__version__}, not {attempt.version}"
    if attempt.resources.gpus and not torch.cuda.is_available():
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        return (
            f"per-job: {socket.gethostname()} gave a GPU to the job (CUDA_VISIBLE_DEVICES="
            f"{visible}), where torch finds none"
        )
    return ""


@contextmanager
def _watched_stop(mailbox: Any) -> Iterator[StopRequest]:  # noqa: ANN401 - Ray's handle
    """Create a request to stop, made when the driver asks for it or has ended."""
    stop, has_ended = StopRequest(), threading.Event()

    def watch() -> None:
        try:
            while not ray.get(mailbox.wait_for_stop.remote(STOP_POLL_SECONDS)):
                if has_ended.is_set():
                    return
        except RayActorError:  # nobody would collect more results
            pass
        stop.signal = signal.SIGTERM

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield stop
    finally:
        has_ended.set()
