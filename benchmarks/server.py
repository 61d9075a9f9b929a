"""A controller in a separate process, so that its work is not measured."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
import logging
from multiprocessing.connection import Connection
import time
from typing import cast

from tests.controller import SimulatedController

from .address import Address
from .frames import Crowd
from .instances import address_of, controller_of
from .workers import Worker, serve

# The shortest sleep between frames; at higher rates, several frames are sent at once.
_SHORTEST_SLEEP = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A controller and its clients: what the functions called in a server work on."""

    controller: SimulatedController
    crowd: Crowd


@contextmanager
def serving(clients: int) -> Generator[tuple[Worker, Address]]:
    """Run a server whose site has the clients of `Crowd(clients)`."""
    server = Worker(_run, clients)
    try:
        yield server, cast("Address", server.result())
    finally:
        server.end()


async def send_roams(site: Site, count: int, per_second: float) -> list[tuple[float, str]]:
    """Move clients in turn at this rate; return the time and the client of each frame.

    Times are of `time.perf_counter`, which all processes of a machine share.
    """
    sent = []
    began = time.perf_counter()
    for number in range(count):
        wait = began + number / per_second - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(
                max(wait, _SHORTEST_SLEEP if per_second > 1 / _SHORTEST_SLEEP else 0)
            )
        client = site.crowd.clients[number % len(site.crowd.clients)]
        frame = site.crowd.move(client).decode()
        sent.append((time.perf_counter(), client.mac))
        await site.controller.send(frame)
    return sent


async def send_all(site: Site, *, moved: bool = False) -> None:
    """Send a frame with all clients, with new rates and signals and, if `moved`, access points."""
    crowd = site.crowd
    if moved:
        for client in crowd.clients:
            crowd.move(client)
    crowd.update(crowd.clients)
    crowd.draw_rates(crowd.clients)
    await site.controller.send(crowd.sync(*crowd.clients).decode())


async def update_all(site: Site) -> None:
    """Update all clients without sending a frame."""
    site.crowd.update(site.crowd.clients)


def _run(pipe: Connection, clients: int) -> None:
    # Contenders exit as soon as they have been measured, even during a response.
    logging.disable(logging.ERROR)
    asyncio.run(_serve(pipe, clients))


async def _serve(pipe: Connection, clients: int) -> None:
    crowd = Crowd(clients, clock=time.time)
    async with controller_of(crowd) as controller:
        site = Site(controller=controller, crowd=crowd)
        await serve(pipe, site, address_of(controller))
