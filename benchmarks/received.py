"""Collects the roams that a contender has reported."""

import asyncio
import time

_TIMEOUT_SECONDS = 20.0


class RoamReceiver:
    """Roams as (time, MAC), by `time.perf_counter`, which all processes share."""

    def __init__(self) -> None:
        """Start without any roams."""
        self.roams: list[tuple[float, str]] = []
        self._more = asyncio.Event()

    def receive(self, mac: str) -> None:
        """Record a roam of this client, received now."""
        self.roams.append((time.perf_counter(), mac))
        self._more.set()

    async def wait(self, count: int) -> None:
        """Wait for this many roams in total, up to a timeout."""
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                while len(self.roams) < count:
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            return


async def received_roams(receiver: RoamReceiver, count: int) -> list[tuple[float, str]]:
    """Wait for this many roams, up to a timeout, and return those received."""
    await receiver.wait(count)
    return receiver.roams
