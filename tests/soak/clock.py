"""Virtual time over real sockets: when the event loop is idle, the clock jumps to the next timer.

Both ends of every socket are in this loop, so all bytes on loopback are read before time advances:
a frame that was sent has been processed by the next moment. Hours pass as fast as the work in them,
and the same seed repeats the same run. Slowness is not simulated: all work takes no virtual time.
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

# Start of every run, in POSIX seconds.
EPOCH = 1_790_000_000.0
# Not 0, so that no code mistakes the start for "never".
_MONOTONIC = 100_000.0
# Longest wait for threads, in real seconds.
_THREAD_SECONDS = 60.0
# More iterations of the loop than this without time passing mean an endless loop.
_MAX_ITERATIONS = 100_000


class Clock:
    """The virtual clocks of the process.

    `elapsed` counts the seconds of event-loop time since the start of the run, `slept` those in
    which the host was suspended and the event loop stood still. `step` is how far Home Assistant's
    wall clock has been set forward.
    """

    def __init__(self) -> None:
        """Start at zero elapsed seconds."""
        self.reset()

    def reset(self) -> None:
        """Start again, for another run in the same process."""
        self.elapsed = self.slept = self.step = 0.0

    def true_time(self) -> float:
        """Return the controller's time, in POSIX seconds."""
        return EPOCH + self.elapsed + self.slept

    def time(self) -> float:
        """Return the time of Home Assistant's wall clock, in POSIX seconds."""
        return self.true_time() + self.step

    def monotonic(self) -> float:
        """Return event-loop time in seconds."""
        return _MONOTONIC + self.elapsed


CLOCK = Clock()


class _Now(dt.datetime):
    """A `datetime` whose `now` is virtual."""

    @override
    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:  # type: ignore[override]
        # A plain datetime, which compares equal to any other.
        return dt.datetime.fromtimestamp(CLOCK.time(), tz)


class _SeededRandom(random.Random):
    """A `Random` that is repeatable even if it is created without a seed."""

    default_seed = 0

    def __init__(self, x: float | str | bytes | bytearray | None = None) -> None:
        super().__init__(self.default_seed if x is None else x)


def install() -> None:
    """Replace Python's clocks with the virtual one; must run before other imports."""
    time.time = CLOCK.time
    time.monotonic = CLOCK.monotonic


def install_in_home_assistant() -> None:
    """Replace Home Assistant's clock; must run before its other modules are imported."""
    from homeassistant.util import dt as dt_util  # noqa: PLC0415 - after `install`

    dt_util.utcnow = functools.partial(_Now.now, dt.UTC)
    dt_util.now = lambda time_zone=None: dt.datetime.fromtimestamp(
        CLOCK.time(), time_zone or dt_util.get_default_time_zone()
    )


def install_in(package: str, seed: int) -> None:
    """Give a package's modules the virtual time, and random numbers repeatable by `seed`.

    May be called again, to start another run with another seed.
    """
    random.seed(seed)
    _SeededRandom.default_seed = seed
    for name, module in sys.modules.items():
        if name.startswith(package) and isinstance(module, ModuleType):
            attributes: dict[str, Any] = vars(module)
            if attributes.get("datetime") is dt.datetime:
                attributes["datetime"] = _Now
            if attributes.get("Random") is random.Random:
                attributes["Random"] = _SeededRandom


class _Selector(selectors.EpollSelector):
    """A selector that waits by advancing the clock, unless a thread is running."""

    def __init__(self) -> None:
        super().__init__()
        self.threads = 0
        self._iterations = 0

    @override
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._iterations += 1
        if self._iterations > _MAX_ITERATIONS:
            raise RuntimeError(f"The event loop never becomes idle at {CLOCK.elapsed:.3f} s")
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        # The kernel may still be delivering bytes.
        os.sched_yield()
        if ready := super().select(0):
            return ready
        if self.threads or timeout is None:
            return super().select(_THREAD_SECONDS)
        self._iterations = 0
        CLOCK.elapsed += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in virtual time."""

    def __init__(self) -> None:
        """Create a loop on the time of `CLOCK`."""
        self._virtual_selector = _Selector()
        super().__init__(self._virtual_selector)

    @override
    def time(self) -> float:
        return CLOCK.monotonic()

    @override
    def run_in_executor[*Ts, T](
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        future = super().run_in_executor(executor, func, *args)
        self._virtual_selector.threads += 1
        future.add_done_callback(self._thread_done)
        return future

    @override
    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        with self._thread():
            await super().shutdown_default_executor(timeout)

    @contextmanager
    def _thread(self) -> Generator[None]:
        self._virtual_selector.threads += 1
        try:
            yield
        finally:
            self._virtual_selector.threads -= 1

    def _thread_done(self, _: object) -> None:
        self._virtual_selector.threads -= 1


def new_loop() -> AbstractEventLoop:
    """Return a loop in virtual time, as `loop_factory` of `asyncio.Runner`."""
    return VirtualLoop()
