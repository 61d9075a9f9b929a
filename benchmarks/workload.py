"""A home that follows a site's clients, and the work that it is given: what a round is of."""

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

# Frames of a round, and the clients they are of: the same few however many are tracked, so that
# rows differ by the work there is, not by what the processor still has in its cache.
_CALLS, CLIENTS = 200, 5
ROAMS = 100
# Records count in whole seconds: sooner another move of the same client is not told from the last.
_PAUSE = 3.0


@dataclass(slots=True, kw_only=True)
class Scene:
    """A home and the clients it follows; `first` is the next one to be heard of."""

    home: Home
    crowd: Crowd
    first: int = 0
    moved_at: dict[str, float] = field(default_factory=dict)

    def next_clients(self, most: int) -> list[Client]:
        """Return the clients whose turn it is, each once."""
        clients = self.crowd.clients
        chosen = (clients[self.first :] + clients[: self.first])[:most]
        self.first = (self.first + len(chosen)) % len(clients)
        return chosen

    async def next_movers(self, most: int) -> list[Client]:
        """Return clients that may move, as long after their last move as it takes."""
        clients = self.next_clients(most)
        rested = max(self.moved_at.get(client.mac, 0.0) for client in clients) + _PAUSE
        await asyncio.sleep(max(0.0, rested - time.monotonic()))
        self.moved_at.update(dict.fromkeys((client.mac for client in clients), time.monotonic()))
        return clients


def live(pipe: Connection, whose: str, clients: int) -> None:
    """Live in a process of one's own: a home that follows so many clients."""
    asyncio.run(_live(pipe, whose, clients))


async def _live(pipe: Connection, whose: str, clients: int) -> None:
    crowd = Crowd(clients, clock=time.time)
    async with (
        controller_of(crowd) as controller,
        home(whose, address_of(controller), crowd.macs) as one,
    ):
        # The stream begins with a snapshot.
        await asyncio.sleep(1)
        gc.collect()
        # Else each round would begin with a look at all that a home holds.
        gc.freeze()
        await serve(pipe, Scene(home=one, crowd=crowd))


# What a worker is asked for: the microseconds that a frame took, or what it caused.


def _unchanged(scene: Scene, clients: int) -> list[bytes]:
    chosen, frames = scene.next_clients(clients), []
    for _ in range(_CALLS // len(chosen)):
        for client in chosen:
            scene.crowd.hear([client])
            frames.append(scene.crowd.sync(client))
    return frames


async def unchanged(scene: Scene) -> float:
    """Handle records in which only last_seen, counters and signal differ."""
    return await scene.home.handle(_unchanged(scene, CLIENTS))


async def unchanged_of_many(scene: Scene) -> float:
    """Handle such records, each of another client."""
    return await scene.home.handle(_unchanged(scene, _CALLS))


async def records_alone(scene: Scene) -> float:
    """Read the JSON of such records and do nothing with it."""
    return _json_alone(_unchanged(scene, CLIENTS))


async def moved(scene: Scene) -> float:
    """Handle records of clients that are at another access point, told by nothing else."""
    frames = []
    for client in await scene.next_movers(CLIENTS):
        scene.crowd.move(client)
        frames.append(scene.crowd.sync(client))
    return await scene.home.handle(frames)


async def roamed(scene: Scene) -> float:
    """Handle events of roams, each of another client."""
    clients = await scene.next_movers(ROAMS)
    return await scene.home.handle([scene.crowd.move(client) for client in clients])


def _all_changed(scene: Scene) -> list[bytes]:
    clients = scene.crowd.clients
    scene.crowd.hear(clients)
    scene.crowd.draw_rates(clients)
    return [scene.crowd.sync(*clients)]


async def all_changed(scene: Scene) -> float:
    """Handle one frame with all clients, whose rates and signals have changed."""
    return await scene.home.handle(_all_changed(scene))


async def frame_alone(scene: Scene) -> float:
    """Read the JSON of such a frame and do nothing with it."""
    return _json_alone(_all_changed(scene))


async def steady(scene: Scene, seconds: int) -> list[float]:
    """Handle such a frame every second, for so many."""
    taken = []
    for _ in range(seconds):
        taken.append(await all_changed(scene))
        await asyncio.sleep(1.0 - taken[-1] / 1e6)
    return taken


async def counted(scene: Scene, work: Callable[[Scene], Awaitable[float]]) -> dict[str, int]:
    """Do some work and return how many events of which type were fired."""
    with counting(scene.home.hass) as fired:
        await work(scene)
    return dict(fired)


async def saved(scene: Scene) -> float:
    """Write to disk what roams leave to be written later; return the milliseconds it took.

    They are those of the processor, on all threads.
    """
    coordinator = scene.home.entry.runtime_data
    began = time.process_time()
    await coordinator.history.async_save()
    await coordinator.roam_log.async_save()
    return (time.process_time() - began) * 1000


async def states_alone(scene: Scene, states: int, roams: int) -> float:
    """Write so many states of the simplest sensors and fire an event: the least a roam costs."""
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


def _json_alone(frames: list[bytes]) -> float:
    with undisturbed():
        began = time.thread_time()
        for frame in frames:
            orjson.loads(frame)
        took = time.thread_time() - began
    return took * 1e6 / len(frames)
