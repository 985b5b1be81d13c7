"""Connecting to a Ray cluster, or starting one on this machine for as long as it is needed."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

import ray

from iidgan.errors import InputError
from iidgan.utils.extras import list_missing_modules
from iidgan.utils.files import describe_error
from iidgan.utils.processes import STOP_SIGNALS, num_cores

LOOPBACK = "127.0.0.1"
OBJECT_STORE_BYTES = 2**28
"""Size of the object store of a cluster that is started here, which holds pieces of files only."""


@contextmanager
def ray_connection(address: str | None) -> Iterator[None]:
    """Be connected to a cluster.

    A connection that exists is used, and stays. Nothing that somebody else has started is ended.

    Arguments:
        address: `ray://HOST:PORT`, or HOST:PORT of a cluster of which this machine is a node; None
            for the one that RAY_ADDRESS names, or else a new one on this machine alone.

    Raises:
        InputError: There is no connection.
    """
    # Ray prints there, such as that a worker has died, and standard output is for tables.
    with redirect_stdout(sys.stderr):
        if ray.is_initialized():
            yield
            return
        address = address or os.environ.get("RAY_ADDRESS")
        with _kept_signal_handlers():
            _connect(address)
        try:
            yield
        finally:
            ray.shutdown()


def _connect(address: str | None) -> None:
    if address and address.startswith("ray://") and list_missing_modules(["grpc"]):
        raise InputError("on: ray:// needs grpc: pip install 'ray[client]'")
    try:
        if address:
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        else:
            _set_cluster_defaults()
            ray.init(
                address="local",
                num_cpus=num_cores(),
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
                object_store_memory=OBJECT_STORE_BYTES,
                _node_ip_address=LOOPBACK,
            )
    except Exception as error:
        cluster = f"a cluster at {address}" if address else "a cluster of this machine"
        raise InputError(f"on: Ray cannot use {cluster} ({describe_error(error)})") from None


def _set_cluster_defaults() -> None:
    """Set what a new cluster reads: a token that nobody else knows, and no statistics.

    Ray requires a token where RAY_AUTH_MODE does not switch it off; without this one it would
    write one into the home folder. It is read once in a process.
    """
    os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")


@contextmanager
def _kept_signal_handlers() -> Iterator[None]:
    """Restore signal handlers: Ray installs its own, which would end the driver without saving."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
