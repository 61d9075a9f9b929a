"""Virtual time over real sockets: hours pass in seconds, as time skips over all waiting."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from datetime import UTC, datetime, tzinfo
import time
from typing import Any, override

from homeassistant.util import dt as dt_util
import pytest

from custom_components.unifi_scanner.api import frames

# Longest time that data needs between two sockets of this process, in real seconds.
IN_TRANSIT = 0.001


class VirtualTime:
    """Virtual time of the running event loop and of `time.time`.

    When the loop is idle, time skips to the next timer. Threads are waited for in real time.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Replace the clocks until `monkeypatch` restores them."""
        loop: Any = asyncio.get_running_loop()
        # Debug mode records where each future was created, which takes most of the real time.
        loop.set_debug(False)
        self._skipped = 0.0
        self._in_threads = 0
        self._select = loop._selector.select
        self._run_in_executor = loop.run_in_executor
        self._loop_time = loop.time
        self._time = time.time
        monkeypatch.setattr(loop._selector, "select", self._wait, raising=False)
        monkeypatch.setattr(loop, "run_in_executor", self._run_in_thread, raising=False)
        monkeypatch.setattr(loop, "time", lambda: self._loop_time() + self._skipped, raising=False)
        monkeypatch.setattr(time, "time", self.time)
        monkeypatch.setattr(dt_util, "utcnow", lambda: datetime.fromtimestamp(self.time(), UTC))
        monkeypatch.setattr(frames, "datetime", self._datetime())

    def time(self) -> float:
        """Return POSIX seconds; also the `clock` for a simulated controller."""
        return self._time() + self._skipped

    async def until(self, condition: Callable[[], object], seconds: float) -> float:
        """Wait until a condition is true and return how long it took; fail after `seconds`."""
        began = self.time()
        while not condition():
            assert self.time() < began + seconds, "the condition did not become true in time"
            await asyncio.sleep(max(0.1, seconds / 50))
        return self.time() - began

    def _wait(self, timeout: float | None = None) -> list[Any]:
        ready: list[Any] = self._select(0)
        if ready or timeout is None or timeout <= 0:
            return ready or self._select(timeout)
        if self._in_threads:
            return self._select(timeout)
        ready = self._select(min(timeout, IN_TRANSIT))
        if not ready:
            self._skipped += timeout
        return ready

    def _run_in_thread(
        self, executor: Executor | None, function: Callable[..., Any], *arguments: Any
    ) -> asyncio.Future[Any]:
        self._in_threads += 1
        work: asyncio.Future[Any] = self._run_in_executor(executor, function, *arguments)
        work.add_done_callback(self._thread_done)
        return work

    def _thread_done(self, _work: asyncio.Future[Any]) -> None:
        self._in_threads -= 1

    def _datetime(self) -> type[datetime]:
        now = self.time

        class Datetime(datetime):
            """Replaces `datetime` in the frame parser."""

            @classmethod
            @override
            def now(cls, tz: tzinfo | None = None) -> Datetime:
                return cls.fromtimestamp(now(), tz)

        return Datetime
