"""A home that tracks a site's clients, and the work of a round."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
import gc
from multiprocessing.connection import Connection
import time

from homeassistant.components.sensor import SensorEntity
import orjson
from pytest_homeassistant_custom_component.common import MockEntityPlatform

from tests.controller.models import Client

from .frames import Crowd
from .instances import Home, address_of, controller_of, counting, home
from .measure import undisturbed
from .workers import serve

# Frames of a round, and the clients in them: the same few however many are tracked, so that rows
# differ by the work and not by the contents of the CPU cache.
_FRAMES, CLIENTS = 200, 5
ROAMS = 100
# Records have whole seconds: a client that moves again sooner looks like a repetition.
_PAUSE = 3.0


@dataclass(slots=True, kw_only=True)
class Scene:
    """A home and the clients it tracks; `first` is the index of the next client to report."""

    home: Home
    crowd: Crowd
    first: int = 0
    moved_at: dict[str, float] = field(default_factory=dict)

    def next_clients(self, most: int) -> list[Client]:
        """Return the next clients in turn, each once."""
        clients = self.crowd.clients
        chosen = (clients[self.first :] + clients[: self.first])[:most]
        self.first = (self.first + len(chosen)) % len(clients)
        return chosen

    async def next_movers(self, most: int) -> list[Client]:
        """Return the next clients to move, once their last move is long enough ago."""
        clients = self.next_clients(most)
        rested = max(self.moved_at.get(client.mac, 0.0) for client in clients) + _PAUSE
        await asyncio.sleep(max(0.0, rested - time.monotonic()))
        self.moved_at.update(dict.fromkeys((client.mac for client in clients), time.monotonic()))
        return clients


def run_home(pipe: Connection, contender: str, clients: int) -> None:
    """Run a home that tracks this many clients in a worker process."""
    asyncio.run(_run_home(pipe, contender, clients))


async def _run_home(pipe: Connection, contender: str, clients: int) -> None:
    crowd = Crowd(clients, clock=time.time)
    async with (
        controller_of(crowd) as controller,
        home(contender, address_of(controller), crowd.macs) as one,
    ):
        # Let the initial snapshot finish.
        await asyncio.sleep(1)
        gc.collect()
        # Otherwise garbage collection would visit all objects of the home before each round.
        gc.freeze()
        await serve(pipe, Scene(home=one, crowd=crowd))


# Functions called in a worker: they return microseconds per frame, or what was fired.


def _unchanged(scene: Scene, clients: int) -> list[bytes]:
    chosen, frames = scene.next_clients(clients), []
    for _ in range(_FRAMES // len(chosen)):
        for client in chosen:
            scene.crowd.update([client])
            frames.append(scene.crowd.sync(client))
    return frames


async def unchanged(scene: Scene) -> float:
    """Handle records in which only `last_seen`, counters and the signal differ."""
    return await scene.home.handle(_unchanged(scene, CLIENTS))


async def unchanged_of_many(scene: Scene) -> float:
    """Handle such records, each of a different client."""
    return await scene.home.handle(_unchanged(scene, _FRAMES))


async def json_of_records(scene: Scene) -> float:
    """Only parse the JSON of such records."""
    return _json_only(_unchanged(scene, CLIENTS))


async def moved(scene: Scene) -> float:
    """Handle records of clients that have roamed, without an event."""
    frames = []
    for client in await scene.next_movers(CLIENTS):
        scene.crowd.move(client)
        frames.append(scene.crowd.sync(client))
    return await scene.home.handle(frames)


async def roamed(scene: Scene) -> float:
    """Handle roam events, each of a different client."""
    clients = await scene.next_movers(ROAMS)
    return await scene.home.handle([scene.crowd.move(client) for client in clients])


def _all_changed(scene: Scene) -> list[bytes]:
    clients = scene.crowd.clients
    scene.crowd.update(clients)
    scene.crowd.draw_rates(clients)
    return [scene.crowd.sync(*clients)]


async def all_changed(scene: Scene) -> float:
    """Handle one frame with all clients, with new rates and signals."""
    return await scene.home.handle(_all_changed(scene))


async def json_of_frame(scene: Scene) -> float:
    """Only parse the JSON of such a frame."""
    return _json_only(_all_changed(scene))


async def steady(scene: Scene, seconds: int) -> list[float]:
    """Handle such a frame every second for this many seconds."""
    timings = []
    for _ in range(seconds):
        timings.append(await all_changed(scene))
        await asyncio.sleep(1.0 - timings[-1] / 1e6)
    return timings


async def counted(scene: Scene, work: Callable[[Scene], Awaitable[float]]) -> dict[str, int]:
    """Run some work and return the number of fired events by type."""
    with counting(scene.home.hass) as fired:
        await work(scene)
    return dict(fired)


async def saved(scene: Scene) -> float:
    """Save what roams have left to be saved later; return the CPU time of all threads in ms."""
    coordinator = scene.home.entry.runtime_data
    began = time.process_time()
    await coordinator.history.async_save()
    await coordinator.roam_log.async_save()
    return (time.process_time() - began) * 1000


async def states_only(scene: Scene, states: int, roams: int) -> float:
    """Write this many states of minimal sensors and fire an event: the least a roam can cost."""
    hass = scene.home.hass
    entities = [SensorEntity() for _ in range(states)]
    await MockEntityPlatform(hass).async_add_entities(entities)
    with undisturbed():
        began = time.thread_time()
        for number in range(roams):
            for entity in entities:
                entity._attr_native_value = number  # noqa: SLF001 - as sensors do
                entity.async_write_ha_state()
            hass.bus.async_fire("benchmark", {"number": number})
        took = time.thread_time() - began
    for entity in entities:
        await entity.async_remove()
    return took * 1e6 / roams


def _json_only(frames: list[bytes]) -> float:
    with undisturbed():
        began = time.thread_time()
        for frame in frames:
            orjson.loads(frame)
        took = time.thread_time() - began
    return took * 1e6 / len(frames)
