"""A controller in a process of its own, so that its work is not measured with others'."""

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

# Frames that are sent in one go when there are more of them a second than the loop has turns.
_SENDING_TURN = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A controller and its clients; what a server is asked is done on this."""

    controller: SimulatedController
    crowd: Crowd


@contextmanager
def serving(clients: int) -> Generator[tuple[Worker, Address]]:
    """Give a server whose site has that many clients, those of `Crowd(clients)`."""
    server = Worker(_live, clients)
    try:
        yield server, cast("Address", server.answer())
    finally:
        server.end()


async def send_roams(site: Site, count: int, per_second: float) -> list[tuple[float, str]]:
    """Let clients roam in turn, at that rate; return when each frame was sent, and whose it was.

    The times are `time.perf_counter`'s, which all processes of a machine share.
    """
    sent = []
    began = time.perf_counter()
    for number in range(count):
        wait = began + number / per_second - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(max(wait, _SENDING_TURN if per_second > 1 / _SENDING_TURN else 0))
        client = site.crowd.clients[number % len(site.crowd.clients)]
        frame = site.crowd.move(client).decode()
        sent.append((time.perf_counter(), client.mac))
        await site.controller.send(frame)
    return sent


async def send_all(site: Site, *, moved: bool = False) -> None:
    """Send a frame with all clients, whose rates and signals have changed, and their places too."""
    crowd = site.crowd
    if moved:
        for client in crowd.clients:
            crowd.move(client)
    crowd.hear(crowd.clients)
    crowd.draw_rates(crowd.clients)
    await site.controller.send(crowd.sync(*crowd.clients).decode())


async def hear_all(site: Site) -> None:
    """Let all clients be heard, without telling it."""
    site.crowd.hear(site.crowd.clients)


def _live(pipe: Connection, clients: int) -> None:
    # Those who ask end when they have been measured, be it amid an answer.
    logging.disable(logging.ERROR)
    asyncio.run(_serve(pipe, clients))


async def _serve(pipe: Connection, clients: int) -> None:
    crowd = Crowd(clients, clock=time.time)
    async with controller_of(crowd) as controller:
        site = Site(controller=controller, crowd=crowd)
        await serve(pipe, site, address_of(controller))
