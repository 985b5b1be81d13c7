"""How a page that stands alone computes networks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from iidgan.training.model import Model


@dataclass(frozen=True, kw_only=True)
class NetworkFormat:
    """How networks are written into a page, and who computes them there.

    Arguments:
        encode: Encodes G, and F if there is one, of a model: JSON by these names.
        start: Text of the module that starts the page with `localBackend`.
        runtime: JSON that is in the page once, for all networks.
        script_sources: What the page may load scripts from, besides its own, in a
            Content-Security-Policy.
    """

    encode: Callable[[Model], dict[str, Any]]
    start: str
    runtime: dict[str, str] | None = None
    script_sources: str = ""
