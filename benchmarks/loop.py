"""How long Home Assistant's loop is held, and whether a burst is lost, through a real socket."""

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
from .received import Heard
from .rows import CORE, OURS, Figure, Row
from .server import hear_all, send_all, send_roams, serving
from .workers import Worker, all_ready, serve

_CLIENTS = 1_000
_BURST = 5_000
# So long nothing happens when all is done.
_QUIET = 0.5


@dataclass(slots=True, kw_only=True)
class Watched:
    """A home, how long its loop was held (milliseconds of the processor), and what it told.

    Other processes do not count.
    """

    home: Home
    longest: float = 0.0
    busy: float = 0.0
    heard: Heard = field(default_factory=Heard)

    def run(self, handle: asyncio.Handle) -> None:
        """Run what is next in the loop."""
        began = time.thread_time()
        _RUN(handle)
        took = (time.thread_time() - began) * 1000
        self.longest = max(self.longest, took)
        self.busy += took

    async def quiet(self) -> None:
        """Wait until nothing has been done for a while."""
        while True:
            busy = self.busy
            await asyncio.sleep(_QUIET)
            # Looking takes time, too.
            if self.busy - busy < 1.0:
                return


_RUN = asyncio.Handle._run  # noqa: SLF001 - nothing else sees all that a loop does


def live(pipe: Connection, whose: str, address: Address) -> None:
    """Live in a process of one's own."""
    asyncio.run(_live(pipe, whose, address))


async def _live(pipe: Connection, whose: str, address: Address) -> None:
    async with home(whose, address, Crowd(_CLIENTS).macs) as one:
        watched = Watched(home=one)

        @callback
        def listen(event: Event[Any]) -> None:
            watched.heard.hear(event.data["client_mac"])

        one.hass.bus.async_listen("unifi_scanner_roam", listen)
        await asyncio.sleep(2)
        gc.collect()
        # Else looking through all that a home holds would be blamed on the frame.
        gc.freeze()

        def run(handle: asyncio.Handle) -> None:
            watched.run(handle)

        with patch.object(asyncio.Handle, "_run", run):
            await serve(pipe, watched)


async def reset(watched: Watched) -> None:
    """Look from now on."""
    await watched.quiet()
    watched.longest = 0.0


async def longest(watched: Watched) -> float:
    """Wait until all is done, and return how long the loop was held at most."""
    await watched.quiet()
    return watched.longest


async def take_snapshot(watched: Watched) -> None:
    """Ask the controller for all clients."""
    await watched.home.entry.runtime_data.async_refresh()


async def heard(watched: Watched, count: int) -> list[tuple[float, str]]:
    """Wait until so many roams have been told, or for long enough; return those there are."""
    await watched.heard.wait(count)
    return watched.heard.roams


def rows(effort: Effort) -> list[Row]:
    """Measure a frame and a snapshot with all clients, and a burst."""
    with _served(OURS) as (worker, server):
        frames = {OURS: _frames(worker, server, effort)}
        snapshots = _snapshots(worker, server, effort)
        bursts = _burst(worker, server)
        moved = _frames(worker, server, effort, moved=True)
    if effort.all_of_core:
        with _served(CORE) as (worker, server):
            frames[CORE] = _frames(worker, server, effort)
    hold = "longest hold of the loop"
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
def _served(whose: str) -> Generator[tuple[Worker, Worker]]:
    with (
        serving(_CLIENTS) as (server, address),
        all_ready({whose: Worker(live, whose, address)}) as workers,
    ):
        yield workers[whose], server


def _frames(worker: Worker, server: Worker, effort: Effort, *, moved: bool = False) -> Figure:
    taken = []
    for _ in range(effort.attempts):
        worker.ask(reset)
        server.ask(send_all, moved=moved)
        taken.append(worker.ask(longest))
    return Figure.of(taken)


def _snapshots(worker: Worker, server: Worker, effort: Effort) -> Figure:
    taken = []
    for _ in range(effort.attempts):
        server.ask(hear_all)
        worker.ask(reset)
        worker.ask(take_snapshot)
        taken.append(worker.ask(longest))
    return Figure.of(taken)


def _burst(worker: Worker, server: Worker) -> list[Row]:
    worker.ask(reset)
    sent = server.ask(send_roams, _BURST, float(_BURST))
    hold = worker.ask(longest)
    roams = worker.ask(heard, _BURST)
    if len(roams) > _BURST:
        raise RuntimeError(f"{_BURST} roams were sent, {len(roams)} told")
    took, late = sent[-1][0] - sent[0][0], roams[-1][0] - sent[-1][0]
    burst = f"{_BURST:,} frames with roams in a second, through a socket"
    return [
        Row(
            key="burst_lost",
            work=f"{burst}: events lost",
            unit="",
            figures={OURS: Figure.exactly(_BURST - len(roams))},
            note=f"sent in {took:.2f} s, the last was told {late:.2f} s later",
        ),
        Row(
            key="burst_hold",
            work=f"{burst}: longest hold",
            unit="ms",
            figures={OURS: Figure.exactly(hold)},
        ),
    ]
