"""How long Home Assistant's event loop is blocked, and whether it loses events of a burst."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
import gc
from multiprocessing.connection import Connection
import time
from typing import Any
from unittest.mock import patch

from homeassistant.core import Event, callback

from .address import Address
from .effort import Effort
from .frames import Crowd
from .instances import Home, home
from .received import RoamReceiver
from .rows import CORE, OURS, Figure, Row
from .server import send_all, send_roams, serving, update_all
from .workers import Worker, all_ready, serve

_CLIENTS = 1_000
_BURST = 5_000
# Idle for this long, a home has handled everything.
_IDLE_SECONDS = 0.5


@dataclass(slots=True, kw_only=True)
class WatchedHome:
    """A home, how long its event loop was blocked, and the roams it fired.

    Times are CPU time of the thread in milliseconds, so other processes do not count.
    """

    home: Home
    longest: float = 0.0
    busy: float = 0.0
    receiver: RoamReceiver = field(default_factory=RoamReceiver)

    def run(self, handle: asyncio.Handle) -> None:
        """Run a callback of the event loop and time it."""
        began = time.thread_time()
        _RUN(handle)
        took = (time.thread_time() - began) * 1000
        self.longest = max(self.longest, took)
        self.busy += took

    async def wait_until_idle(self) -> None:
        """Wait until the event loop has been idle for a while."""
        while True:
            busy = self.busy
            await asyncio.sleep(_IDLE_SECONDS)
            # Waking up here takes some time as well.
            if self.busy - busy < 1.0:
                return


_RUN = asyncio.Handle._run  # noqa: SLF001 - the only place that every callback passes


def run_home(pipe: Connection, contender: str, address: Address) -> None:
    """Run a home in a worker process."""
    asyncio.run(_run_home(pipe, contender, address))


async def _run_home(pipe: Connection, contender: str, address: Address) -> None:
    async with home(contender, address, Crowd(_CLIENTS).macs) as one:
        home_watch = WatchedHome(home=one)

        @callback
        def on_roam(event: Event[Any]) -> None:
            home_watch.receiver.receive(event.data["client_mac"])

        one.hass.bus.async_listen("unifi_scanner_roam", on_roam)
        await asyncio.sleep(2)
        gc.collect()
        # Otherwise garbage collection of the whole home would count as work for the frame.
        gc.freeze()

        def run(handle: asyncio.Handle) -> None:
            home_watch.run(handle)

        with patch.object(asyncio.Handle, "_run", run):
            await serve(pipe, home_watch)


async def reset(home_watch: WatchedHome) -> None:
    """Wait until idle, then start measuring."""
    await home_watch.wait_until_idle()
    home_watch.longest = 0.0


async def longest(home_watch: WatchedHome) -> float:
    """Wait until idle and return the longest time that the event loop was blocked."""
    await home_watch.wait_until_idle()
    return home_watch.longest


async def take_snapshot(home_watch: WatchedHome) -> None:
    """Take a snapshot of all clients."""
    await home_watch.home.entry.runtime_data.async_refresh()


async def received_roams(home_watch: WatchedHome, count: int) -> list[tuple[float, str]]:
    """Wait for this many roams, up to the timeout; return those received."""
    await home_watch.receiver.wait(count)
    return home_watch.receiver.roams


def rows(effort: Effort) -> list[Row]:
    """Measure a frame and a snapshot of all clients, and a burst of roams."""
    with _served(OURS) as (worker, server):
        frames = {OURS: _frames(worker, server, effort)}
        snapshots = _snapshots(worker, server, effort)
        bursts = _burst(worker, server)
        moved = _frames(worker, server, effort, moved=True)
    if effort.all_of_core:
        with _served(CORE) as (worker, server):
            frames[CORE] = _frames(worker, server, effort)
    hold = "longest event loop block"
    return [
        Row(
            key="hold_frame",
            work=f"{hold}, frame of {_CLIENTS:,} clients",
            unit="ms",
            figures=frames,
        ),
        Row(
            key="hold_moved",
            work=f"{hold}, frame of {_CLIENTS:,} clients that have all roamed",
            unit="ms",
            figures={OURS: moved},
        ),
        Row(
            key="hold_snapshot",
            work=f"{hold}, snapshot of {_CLIENTS:,} clients",
            unit="ms",
            figures={OURS: snapshots},
        ),
        *bursts,
    ]


@contextmanager
def _served(contender: str) -> Generator[tuple[Worker, Worker]]:
    with (
        serving(_CLIENTS) as (server, address),
        all_ready({contender: Worker(run_home, contender, address)}) as workers,
    ):
        yield workers[contender], server


def _frames(worker: Worker, server: Worker, effort: Effort, *, moved: bool = False) -> Figure:
    milliseconds = []
    for _ in range(effort.attempts):
        worker.call(reset)
        server.call(send_all, moved=moved)
        milliseconds.append(worker.call(longest))
    return Figure.of(milliseconds)


def _snapshots(worker: Worker, server: Worker, effort: Effort) -> Figure:
    milliseconds = []
    for _ in range(effort.attempts):
        server.call(update_all)
        worker.call(reset)
        worker.call(take_snapshot)
        milliseconds.append(worker.call(longest))
    return Figure.of(milliseconds)


def _burst(worker: Worker, server: Worker) -> list[Row]:
    worker.call(reset)
    sent = server.call(send_roams, _BURST, float(_BURST))
    hold = worker.call(longest)
    roams = worker.call(received_roams, _BURST)
    if len(roams) > _BURST:
        raise RuntimeError(f"{_BURST} roams were sent, {len(roams)} fired")
    took, late = sent[-1][0] - sent[0][0], roams[-1][0] - sent[-1][0]
    burst = f"{_BURST:,} frames with roams in a second, through a socket"
    return [
        Row(
            key="burst_lost",
            work=f"{burst}: events lost",
            unit="",
            figures={OURS: Figure.exactly(_BURST - len(roams))},
            note=f"sent in {took:.2f} s; the last event was fired {late:.2f} s later",
        ),
        Row(
            key="burst_hold",
            work=f"{burst}: longest event loop block",
            unit="ms",
            figures={OURS: Figure.exactly(hold)},
        ),
    ]
