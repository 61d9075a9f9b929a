"""From a frame sent, over TLS on loopback, to its event: ours beside a bare loop."""

import asyncio
from collections import defaultdict, deque
from multiprocessing.connection import Connection
import ssl
from statistics import quantiles
from typing import Any

from homeassistant.core import Event, callback
import orjson
from websockets.asyncio.client import ClientConnection, connect

from .address import Address
from .effort import Effort
from .frames import Crowd
from .instances import home
from .received import Heard, heard
from .rows import OURS, Figure, Row
from .server import send_roams, serving
from .targets import BARE
from .workers import Worker, all_ready, serve

_CLIENTS = 500
_PER_SECOND = 200.0
# Those at the beginning of each run that do not count.
_WARM_UP = 100


def live_in_home(pipe: Connection, address: Address) -> None:
    """Listen as Home Assistant does, with our integration."""
    asyncio.run(_live_in_home(pipe, address))


async def _live_in_home(pipe: Connection, address: Address) -> None:
    async with home(OURS, address, Crowd(_CLIENTS).macs) as one:
        listening = Heard()

        @callback
        def listen(event: Event[Any]) -> None:
            listening.hear(event.data["client_mac"])

        one.hass.bus.async_listen("unifi_scanner_roam", listen)
        # The stream begins with a snapshot.
        await asyncio.sleep(2)
        await serve(pipe, listening)


def live_in_bare_loop(pipe: Connection, address: Address) -> None:
    """Listen with nothing but a socket and a parser."""
    asyncio.run(_live_in_bare_loop(pipe, address))


async def _live_in_bare_loop(pipe: Connection, address: Address) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    socket = await connect(
        f"wss://127.0.0.1:{address.port}/proxy/network/wss/s/default/events",
        ssl=context,
        additional_headers={"Cookie": f"TOKEN={address.session}"},
        compression=None,
    )
    listening = Heard()
    listener = asyncio.create_task(_listen(socket, listening))
    await asyncio.sleep(1)
    await serve(pipe, listening)
    listener.cancel()


async def _listen(socket: ClientConnection, listening: Heard) -> None:
    while True:
        frame = orjson.loads(await socket.recv())
        if frame["meta"]["message"] == "events":
            listening.hear(frame["data"][0]["user"])


def rows(effort: Effort) -> list[Row]:
    """Measure roams at a steady rate, in runs of both in turn."""
    lives = {OURS: live_in_home, BARE: live_in_bare_loop}
    taken: dict[str, list[list[float]]] = {whose: [] for whose in lives}
    for _ in range(effort.runs):
        for whose, life in lives.items():
            # A fresh controller has no requests of the other's to answer.
            with (
                serving(_CLIENTS) as (server, address),
                all_ready({whose: Worker(life, address)}) as workers,
            ):
                sent = server.ask(send_roams, effort.roams + _WARM_UP, _PER_SECOND)
                roams = workers[whose].ask(heard, len(sent))
            taken[whose].append(delays(sent, roams)[_WARM_UP:])
    work = f"TLS on loopback, {effort.roams * effort.runs:,} roams at {_PER_SECOND:.0f}/s"
    return [
        Row(
            key=f"latency_p{percent}",
            work=f"{work}: frame sent to event received, p{percent}",
            unit="µs",
            figures={
                whose: Figure.of([quantiles(run, n=100)[percent - 1] for run in runs])
                for whose, runs in taken.items()
            },
        )
        for percent in (50, 99)
    ]


def delays(sent: list[tuple[float, str]], roams: list[tuple[float, str]]) -> list[float]:
    """Return the microseconds between sending and hearing; RuntimeError when one was lost."""
    times: defaultdict[str, deque[float]] = defaultdict(deque)
    for at, mac in roams:
        times[mac].append(at)
    if len(sent) != len(roams):
        raise RuntimeError(f"{len(sent)} roams were sent, {len(roams)} heard of")
    return [(times[mac].popleft() - at) * 1e6 for at, mac in sent]
