"""What is to happen in a simulated site, and when, on the controller's clock."""

import asyncio
from collections.abc import Callable
import heapq
from itertools import count

from .clock import CLOCK

type Action = Callable[[], object]


class Agenda:
    """Runs actions at their time; those due at the same time run in the order they were added."""

    def __init__(self) -> None:
        """Start empty, in a running event loop."""
        self._due: list[tuple[float, int, Action]] = []
        self._numbers = count()
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def after(self, seconds: float, action: Action) -> None:
        """Run an action in some seconds."""
        heapq.heappush(
            self._due, (CLOCK.true_time() + max(0.0, seconds), next(self._numbers), action)
        )
        self._arm()

    def sleep(self, seconds: float) -> None:
        """Suspend the host: everything happens meanwhile, but no time passes in the event loop."""
        wake = CLOCK.true_time() + seconds
        while self._due and self._due[0][0] <= wake:
            at, _, action = heapq.heappop(self._due)
            CLOCK.slept += max(0.0, at - CLOCK.true_time())
            action()
        CLOCK.slept += max(0.0, wake - CLOCK.true_time())
        self._arm()

    def clear(self) -> None:
        """Drop everything that has not happened yet."""
        self._due.clear()
        self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._due:
            wait = self._due[0][0] - CLOCK.true_time()
            self._timer = self._loop.call_later(max(0.0, wait), self._run)

    def _run(self) -> None:
        # Rounding may wake it a moment too early.
        while self._due and self._due[0][0] <= CLOCK.true_time() + 1e-6:
            heapq.heappop(self._due)[2]()
        self._arm()
