"""The actor through which tasks reach the driver, and the driver reaches tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

MAX_HELD_BYTES = 2**26
"""Bytes of messages that are held before further tasks that send files have to wait."""


class Mailbox:
    """Holds messages until the driver takes them, and the driver's request to stop.

    Messages are pickled: their classes are not imported here.
    """

    def __init__(self) -> None:
        self._messages: list[tuple[int, bytes]] = []
        self._num_bytes = 0
        self._stop = asyncio.Event()
        self._has_room = asyncio.Event()
        self._has_room.set()

    async def post(self, attempt_id: int, message: bytes) -> None:
        """Hold a message.

        Arguments:
            attempt_id: Attempt that sends it.
            message: The message; a large one waits until there is room.
        """
        if len(message) > 2**16:
            await self._has_room.wait()
        self._messages.append((attempt_id, message))
        self._num_bytes += len(message)
        if self._num_bytes > MAX_HELD_BYTES:
            self._has_room.clear()

    async def take(self) -> Sequence[tuple[int, bytes]]:
        """Return the messages since the last call."""
        messages, self._messages, self._num_bytes = self._messages, [], 0
        self._has_room.set()
        return messages

    async def request_stop(self) -> None:
        """Ask all tasks to save and end."""
        self._stop.set()

    async def wait_for_stop(self, seconds: float) -> bool:
        """Return whether tasks have to stop, after waiting for it.

        Arguments:
            seconds: How long to wait at most.
        """
        try:
            await asyncio.wait_for(self._stop.wait(), seconds)
        except TimeoutError:
            return False
        return True
