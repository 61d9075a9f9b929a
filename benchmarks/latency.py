"""Latency from a frame sent over TLS on loopback to its event: ours and a bare event loop."""

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
from .received import RoamReceiver, received_roams
from .rows import OURS, Figure, Row
from .server import send_roams, serving
from .targets import BARE
from .workers import Worker, all_ready, serve

_CLIENTS = 500
_PER_SECOND = 200.0
# Roams at the start of each run that are not counted.
_WARM_UP = 100


def run_in_home(pipe: Connection, address: Address) -> None:
    """Receive roams through Home Assistant with our integration."""
    asyncio.run(_run_in_home(pipe, address))


async def _run_in_home(pipe: Connection, address: Address) -> None:
    async with home(OURS, address, Crowd(_CLIENTS).macs) as one:
        receiver = RoamReceiver()

        @callback
        def on_roam(event: Event[Any]) -> None:
            receiver.receive(event.data["client_mac"])

        one.hass.bus.async_listen("unifi_scanner_roam", on_roam)
        # Let the initial snapshot finish.
        await asyncio.sleep(2)
        await serve(pipe, receiver)


def run_bare_loop(pipe: Connection, address: Address) -> None:
    """Receive roams with only a socket and a JSON parser."""
    asyncio.run(_run_bare_loop(pipe, address))


async def _run_bare_loop(pipe: Connection, address: Address) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    socket = await connect(
        f"wss://127.0.0.1:{address.port}/proxy/network/wss/s/default/events",
        ssl=context,
        additional_headers={"Cookie": f"TOKEN={address.session}"},
        compression=None,
    )
    receiver = RoamReceiver()
    listener = asyncio.create_task(_listen(socket, receiver))
    await asyncio.sleep(1)
    await serve(pipe, receiver)
    listener.cancel()


async def _listen(socket: ClientConnection, receiver: RoamReceiver) -> None:
    while True:
        frame = orjson.loads(await socket.recv())
        if frame["meta"]["message"] == "events":
            receiver.receive(frame["data"][0]["user"])


def rows(effort: Effort) -> list[Row]:
    """Measure roams at a steady rate, in alternating runs."""
    receivers = {OURS: run_in_home, BARE: run_bare_loop}
    latencies: dict[str, list[list[float]]] = {contender: [] for contender in receivers}
    for _ in range(effort.runs):
        for contender, run in receivers.items():
            # A fresh controller, so that it has no requests of the other contender to answer.
            with (
                serving(_CLIENTS) as (server, address),
                all_ready({contender: Worker(run, address)}) as workers,
            ):
                sent = server.call(send_roams, effort.roams + _WARM_UP, _PER_SECOND)
                roams = workers[contender].call(received_roams, len(sent))
            latencies[contender].append(delays(sent, roams)[_WARM_UP:])
    work = f"TLS on loopback, {effort.roams * effort.runs:,} roams at {_PER_SECOND:.0f}/s"
    return [
        Row(
            key=f"latency_p{percent}",
            work=f"{work}: frame sent to event received, p{percent}",
            unit="µs",
            figures={
                contender: Figure.of([quantiles(run, n=100)[percent - 1] for run in runs])
                for contender, runs in latencies.items()
            },
        )
        for percent in (50, 99)
    ]


def delays(sent: list[tuple[float, str]], roams: list[tuple[float, str]]) -> list[float]:
    """Return the microseconds from sending to receiving; raise RuntimeError if a roam was lost."""
    times: defaultdict[str, deque[float]] = defaultdict(deque)
    for at, mac in roams:
        times[mac].append(at)
    if len(sent) != len(roams):
        raise RuntimeError(f"{len(sent)} roams were sent, {len(roams)} received")
    return [(times[mac].popleft() - at) * 1e6 for at, mac in sent]
