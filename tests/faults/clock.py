"""Hours that pass in seconds, over real sockets: time jumps where all that is left is to wait."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from datetime import UTC, datetime, tzinfo
import time
from typing import Any, override

from homeassistant.util import dt as dt_util
import pytest

from custom_components.unifi_scanner.api import frames

# What is on its way between two sockets of this process arrives sooner, in real seconds.
ON_ITS_WAY = 0.001


class VirtualTime:
    """The time of the running event loop and of `time.time`.

    When nobody has anything to do before the next timer, its time comes at once. Work in threads
    is waited for in real time.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Take over the clocks until `monkeypatch` gives them back."""
        loop: Any = asyncio.get_running_loop()
        # Where every future came from would cost most of the real time.
        loop.set_debug(False)
        self._skipped = 0.0
        self._in_threads = 0
        self._select = loop._selector.select
        self._run_in_executor = loop.run_in_executor
        self._loop_time = loop.time
        self._time = time.time
        monkeypatch.setattr(loop._selector, "select", self._wait, raising=False)
        monkeypatch.setattr(loop, "run_in_executor", self._count, raising=False)
        monkeypatch.setattr(loop, "time", lambda: self._loop_time() + self._skipped, raising=False)
        monkeypatch.setattr(time, "time", self.time)
        monkeypatch.setattr(dt_util, "utcnow", lambda: datetime.fromtimestamp(self.time(), UTC))
        monkeypatch.setattr(frames, "datetime", self._datetime())

    def time(self) -> float:
        """Return POSIX seconds; the `clock` of a simulated controller, too."""
        return self._time() + self._skipped

    async def until(self, condition: Callable[[], object], seconds: float) -> float:
        """Wait for something to become true and return how long it took; fail after `seconds`."""
        began = self.time()
        while not condition():
            assert self.time() < began + seconds, "it did not come true in time"
            await asyncio.sleep(max(0.1, seconds / 50))
        return self.time() - began

    def _wait(self, timeout: float | None = None) -> list[Any]:
        ready: list[Any] = self._select(0)
        if ready or timeout is None or timeout <= 0:
            return ready or self._select(timeout)
        if self._in_threads:
            return self._select(timeout)
        ready = self._select(min(timeout, ON_ITS_WAY))
        if not ready:
            self._skipped += timeout
        return ready

    def _count(
        self, executor: Executor | None, function: Callable[..., Any], *arguments: Any
    ) -> asyncio.Future[Any]:
        self._in_threads += 1
        work: asyncio.Future[Any] = self._run_in_executor(executor, function, *arguments)
        work.add_done_callback(self._uncount)
        return work

    def _uncount(self, _work: asyncio.Future[Any]) -> None:
        self._in_threads -= 1

    def _datetime(self) -> type[datetime]:
        now = self.time

        class Datetime(datetime):
            """What the parser of frames reads the time from."""

            @classmethod
            @override
            def now(cls, tz: tzinfo | None = None) -> Datetime:
                return cls.fromtimestamp(now(), tz)

        return Datetime
