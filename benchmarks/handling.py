"""Frames to the end of Home Assistant's work: ours beside its own integration."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
import gc
from multiprocessing.connection import Connection
import time
from typing import Any

from homeassistant.components.sensor import SensorEntity
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, HomeAssistant, callback
from pytest_homeassistant_custom_component.common import MockEntityPlatform

from tests.controller.models import Client

from .effort import Effort
from .frames import Crowd
from .homes import Home, address_of, controller_of, home
from .measure import undisturbed
from .rows import CORE, OURS, SIGNALS, Figure, Row
from .targets import AT_10
from .workers import Worker, all_ready, serve

_BUSY = 500
# Frames of a round, and the clients they are of: the same few however many are tracked, so that
# rows differ by the work there is, not by what the processor still has in its cache.
_CALLS, _CLIENTS = 200, 5
_ROAMS = 100
# Records count in whole seconds: sooner another move of the same client is not told from the last.
_PAUSE = 3.0
_STATES = "the states alone"


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


async def unchanged(scene: Scene, clients: int = _CLIENTS) -> float:
    """Handle records in which only last_seen, counters and signal differ."""
    chosen, frames = scene.next_clients(clients), []
    for _ in range(_CALLS // len(chosen)):
        for client in chosen:
            scene.crowd.hear([client])
            frames.append(scene.crowd.sync(client))
    return await scene.home.handle(frames)


async def unchanged_of_many(scene: Scene) -> float:
    """Handle such records, each of another client."""
    return await unchanged(scene, _CALLS)


async def moved(scene: Scene) -> float:
    """Handle records of clients that are at another access point, told by nothing else."""
    frames = []
    for client in await scene.next_movers(_CLIENTS):
        scene.crowd.move(client)
        frames.append(scene.crowd.sync(client))
    return await scene.home.handle(frames)


async def roamed(scene: Scene) -> float:
    """Handle events of roams, each of another client."""
    clients = await scene.next_movers(_ROAMS)
    return await scene.home.handle([scene.crowd.move(client) for client in clients])


async def all_changed(scene: Scene) -> float:
    """Handle one frame with all clients, whose rates and signals have changed."""
    clients = scene.crowd.clients
    scene.crowd.hear(clients)
    scene.crowd.draw_rates(clients)
    return await scene.home.handle([scene.crowd.sync(*clients)])


async def steady(scene: Scene, seconds: int) -> list[float]:
    """Handle such a frame every second, for so many."""
    taken = []
    for _ in range(seconds):
        taken.append(await all_changed(scene))
        await asyncio.sleep(1.0 - taken[-1] / 1e6)
    return taken


async def counted(scene: Scene, work: Callable[[Scene], Awaitable[float]]) -> dict[str, int]:
    """Do some work and return how many events of which type were fired."""
    with _counting(scene.home.hass) as fired:
        await work(scene)
        return dict(fired)


async def states_alone(scene: Scene, states: int) -> float:
    """Write so many states of the simplest sensors and fire an event: the least a roam costs."""
    hass = scene.home.hass
    entities = [SensorEntity() for _ in range(states)]
    await MockEntityPlatform(hass).async_add_entities(entities)
    with undisturbed():
        began = time.thread_time()
        for number in range(_ROAMS):
            for entity in entities:
                entity._attr_native_value = number  # noqa: SLF001 - as sensors do
                entity.async_write_ha_state()
            hass.bus.async_fire("benchmark", {"number": number})
        took = time.thread_time() - began
    for entity in entities:
        await entity.async_remove()
    return took * 1e6 / _ROAMS


@contextmanager
def _counting(hass: HomeAssistant) -> Iterator[Counter[str]]:
    fired: Counter[str] = Counter()

    @callback
    def count(event: Event[Any]) -> None:
        fired[str(event.event_type)] += 1

    remove = hass.bus.async_listen("*", count)
    try:
        yield fired
    finally:
        remove()


# The rows


def sync_rows(effort: Effort) -> list[Row]:
    """Measure the record of one client with ever more of them tracked."""
    homes = [(OURS, count) for count in effort.tracked]
    homes += [(CORE, count) for count in effort.tracked_by_core]
    lives = {f"{whose} {count}": Worker(live, whose, count) for whose, count in homes}
    with all_ready(lives) as workers:
        unmoved = _in_turn(workers, unchanged, effort.rounds)
        many = {
            whose: workers[f"{whose} {most}"]
            for whose, most in ((OURS, effort.tracked[-1]), (CORE, effort.tracked_by_core[-1]))
            if most == effort.tracked[-1]
        }
        far_apart = _in_turn(many, unchanged_of_many, effort.rounds)
        roamed_unheard = _in_turn(workers, moved, effort.rounds)
    work = "`sta:sync` of 1 client to the end of HA's work"
    return [
        *_tracked_rows("unchanged", f"{work}, nothing shown changed", unmoved, effort),
        Row(
            key="unchanged_of_many",
            work=f"the same, {effort.tracked[-1]:,} tracked, each record of another client",
            unit="µs",
            figures=far_apart,
            note="what the processor's cache no longer holds",
        ),
        *_tracked_rows("moved", f"{work}, access point changed", roamed_unheard, effort),
    ]


def _tracked_rows(
    key: str, work: str, figures: Mapping[str, Figure], effort: Effort
) -> Iterator[Row]:
    least = effort.tracked[0]
    for count in effort.tracked:
        of_core = figures.get(f"{CORE} {count}")
        yield Row(
            key=f"{key}_{count}",
            work=f"{work}, {count:,} tracked",
            unit="µs",
            figures={
                OURS: figures[f"{OURS} {count}"],
                **({CORE: of_core} if of_core else {}),
                **({AT_10: figures[f"{OURS} {least}"]} if count != least else {}),
            },
            note="" if of_core else "core is left out by --quick",
        )


def busy_rows(effort: Effort) -> list[Row]:
    """Measure, at a busy site, a frame with all clients and the event of a roam."""
    names = (OURS, CORE, SIGNALS) if effort.steady_seconds else (OURS, CORE)
    with all_ready({whose: Worker(live, whose, _BUSY) for whose in names}) as workers:
        rows = _frame_rows(workers, effort)
        if SIGNALS in workers:
            rows.append(_steady_row(workers.pop(SIGNALS), effort))
        return [*rows, _roam_row(workers, effort)]


def _frame_rows(workers: Mapping[str, Worker], effort: Effort) -> list[Row]:
    taken = _in_turn(workers, all_changed, effort.rounds)
    fired = {whose: worker.ask(counted, all_changed) for whose, worker in workers.items()}
    work = f"frame of {_BUSY} clients, all rates changed"
    return [
        Row(
            key="frame",
            work=work,
            unit="ms",
            figures={whose: _thousandth(figure) for whose, figure in taken.items()},
            note="with signal sensors: a frame between those by which they are written"
            if SIGNALS in workers
            else "",
        ),
        Row(
            key="frame_writes",
            work=f"{work}: state events",
            unit="",
            figures={
                whose: Figure.exactly(types.get(str(EVENT_STATE_CHANGED), 0))
                for whose, types in fired.items()
            },
        ),
    ]


def _steady_row(worker: Worker, effort: Effort) -> Row:
    milliseconds = [each / 1000 for each in worker.ask(steady, effort.steady_seconds)]
    mean = sum(milliseconds) / len(milliseconds)
    return Row(
        key="frame_steady",
        work=f"such a frame every second, {SIGNALS.removeprefix('ours, ')}",
        unit="ms",
        figures={OURS: Figure.of(milliseconds)},
        note=f"{effort.steady_seconds} s long; mean {mean:.1f}, most {max(milliseconds):.1f}, "
        "when signals are written",
    )


def _roam_row(workers: Mapping[str, Worker], effort: Effort) -> Row:
    fired = {whose: worker.ask(counted, roamed) for whose, worker in workers.items()}
    taken = _in_turn(workers, roamed, effort.rounds)
    states = round(fired[OURS].get(str(EVENT_STATE_CHANGED), 0) / _ROAMS)
    floor = [workers[OURS].ask(states_alone, states) for _ in range(effort.rounds + 1)][1:]
    told = ", ".join(
        f"{whose} {count / _ROAMS:g} `{kind}`"
        for whose, types in fired.items()
        for kind, count in sorted(types.items())
    )
    return Row(
        key="roam",
        work=f"roam event, {_BUSY} tracked: frame to bus event and states",
        unit="µs",
        figures={**taken, _STATES: Figure.of(floor)},
        note=f"of each: {told}",
    )


def _in_turn(
    workers: Mapping[str, Worker], work: Callable[[Scene], Awaitable[float]], rounds: int
) -> dict[str, Figure]:
    """Ask each worker for one round, one after the other; the first ones do not count."""
    samples: dict[str, list[float]] = {name: [] for name in workers}
    for _ in range(rounds + 1):
        for name, worker in workers.items():
            samples[name].append(worker.ask(work))
    return {name: Figure.of(taken[1:]) for name, taken in samples.items()}


def _thousandth(figure: Figure) -> Figure:
    return Figure(median=figure.median / 1e3, low=figure.low / 1e3, high=figure.high / 1e3)
