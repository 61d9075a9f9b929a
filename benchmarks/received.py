"""Which roams have been heard of, and when."""

import asyncio
import time

_PATIENCE = 20.0


class Heard:
    """Roams by their clients' MACs, with `time.perf_counter`, which all processes share."""

    def __init__(self) -> None:
        """Begin with none."""
        self.roams: list[tuple[float, str]] = []
        self._more = asyncio.Event()

    def hear(self, mac: str) -> None:
        """Take note of one, now."""
        self.roams.append((time.perf_counter(), mac))
        self._more.set()

    async def wait(self, count: int) -> None:
        """Wait until there are so many in all, or for long enough."""
        try:
            async with asyncio.timeout(_PATIENCE):
                while len(self.roams) < count:
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            return


async def heard(listening: Heard, count: int) -> list[tuple[float, str]]:
    """Return so many roams, or those there are after long enough."""
    await listening.wait(count)
    return listening.roams
