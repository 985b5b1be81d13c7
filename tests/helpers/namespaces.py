"""Two network namespaces, which are to programs what two machines on one cable are."""

import os
import shutil
import subprocess
from contextlib import contextmanager

import pytest

ADDRESSES = "10.77.0.1", "10.77.0.2"


def configure(*words):
    return subprocess.run(["ip", *words], capture_output=True, check=True, text=True)


@contextmanager
def create_hosts():
    """Creates two hosts; gives the names of their namespaces, and of their interfaces."""
    if shutil.which("ip") is None:
        pytest.skip("this system has no command ip, which creates network namespaces")
    hosts = [f"iidgan-{os.getpid()}-{i}" for i in (1, 2)]
    interfaces = [f"ig{os.getpid()}-{i}" for i in (1, 2)]
    try:
        for host in hosts:
            configure("netns", "add", host)
        first, second = interfaces
        configure("link", "add", first, "type", "veth", "peer", "name", second)
        for host, interface, address in zip(hosts, interfaces, ADDRESSES):
            configure("link", "set", interface, "netns", host)
            configure("-n", host, "addr", "add", f"{address}/24", "dev", interface)
            configure("-n", host, "link", "set", interface, "up")
            configure("-n", host, "link", "set", "lo", "up")
    except subprocess.CalledProcessError as error:
        remove_hosts(hosts)
        pytest.skip(f"this system creates no network namespaces: {error.stderr.strip()}")
    try:
        yield hosts, interfaces
    finally:
        remove_hosts(hosts)


def remove_hosts(hosts):
    for host in hosts:
        subprocess.run(["ip", "netns", "delete", host], capture_output=True, check=False)
