"""Virtual time over real sockets: when nobody has anything to do, the clock jumps to what is next.

Every loopback byte is read before a moment passes, because both ends live in this one loop: a frame
that was sent has been handled when the time is another. So hours take as long as the work in them,
and the same seed gives the same run. What is not simulated is slowness: all work takes no time.
"""

import asyncio
from asyncio import AbstractEventLoop
from collections.abc import Callable, Generator
from concurrent.futures import Executor
from contextlib import contextmanager
import datetime as dt
import functools
import os
import random
import selectors
import sys
import time
from types import ModuleType
from typing import Any, override

# The first moment of every run, POSIX seconds.
EPOCH = 1_790_000_000.0
# So that no code takes the first moment for "never".
_MONOTONIC = 100_000.0
# Threads are waited for in real time, but not for ever.
_THREAD_SECONDS = 60.0
# More than so many turns of the loop in one moment are a loop that never ends.
_TURNS = 100_000


class Clock:
    """The time of everything in this process; `elapsed` seconds since the run began."""

    def __init__(self) -> None:
        """Start at the first moment."""
        self.elapsed = 0.0

    def time(self) -> float:
        """Return POSIX seconds."""
        return EPOCH + self.elapsed

    def monotonic(self) -> float:
        """Return the event loop's seconds."""
        return _MONOTONIC + self.elapsed


CLOCK = Clock()


class _Now(dt.datetime):
    """A `datetime` whose present is the virtual one."""

    @override
    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:  # type: ignore[override]  # plain ones compare equal everywhere
        return dt.datetime.fromtimestamp(CLOCK.time(), tz)


def install() -> None:
    """Put the virtual clock in the place of Python's; to be called before other imports."""
    time.time = CLOCK.time
    time.monotonic = CLOCK.monotonic


def install_in_home_assistant() -> None:
    """Put the virtual clock in the place of Home Assistant's; before its other modules load."""
    from homeassistant.util import dt as dt_util  # noqa: PLC0415 - after `install`

    dt_util.utcnow = functools.partial(_Now.now, dt.UTC)
    dt_util.now = lambda time_zone=None: dt.datetime.fromtimestamp(
        CLOCK.time(), time_zone or dt_util.get_default_time_zone()
    )


def install_in(package: str, seed: int) -> None:
    """Give a package's modules the virtual present, and dice that a seed repeats."""
    dice = functools.partial(random.Random, seed)
    for name, module in sys.modules.items():
        if name.startswith(package) and isinstance(module, ModuleType):
            attributes: dict[str, Any] = vars(module)
            if attributes.get("datetime") is dt.datetime:
                attributes["datetime"] = _Now
            if attributes.get("Random") is random.Random:
                attributes["Random"] = dice


class _Selector(selectors.EpollSelector):
    """Waits by moving the clock, unless a thread is at work."""

    def __init__(self) -> None:
        super().__init__()
        self.threads = 0
        self._turns = 0

    @override
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._turns += 1
        if self._turns > _TURNS:
            raise RuntimeError(f"Somebody is busy without end at {CLOCK.elapsed:.3f} s")
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        # The kernel may still be carrying a byte over.
        os.sched_yield()
        if ready := super().select(0):
            return ready
        if self.threads or timeout is None:
            return super().select(_THREAD_SECONDS)
        self._turns = 0
        CLOCK.elapsed += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in virtual time."""

    def __init__(self) -> None:
        """Start a loop whose time is that of `CLOCK`."""
        self._waiter = _Selector()
        super().__init__(self._waiter)

    @override
    def time(self) -> float:
        return CLOCK.monotonic()

    @override
    def run_in_executor[*Ts, T](
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        future = super().run_in_executor(executor, func, *args)
        self._waiter.threads += 1
        future.add_done_callback(self._thread_done)
        return future

    @override
    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        with self._thread():
            await super().shutdown_default_executor(timeout)

    @contextmanager
    def _thread(self) -> Generator[None]:
        self._waiter.threads += 1
        try:
            yield
        finally:
            self._waiter.threads -= 1

    def _thread_done(self, _: object) -> None:
        self._waiter.threads -= 1


def new_loop() -> AbstractEventLoop:
    """Return a loop in virtual time, for `asyncio.Runner`."""
    return VirtualLoop()
