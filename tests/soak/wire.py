"""The way from the simulated controller to its peer, and what passes on it."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from copy import copy
from random import Random
from typing import Any

from tests.controller import SimulatedController, rest
from tests.controller.frames import sync_frame
from tests.controller.models import Client, Json, Movement, object_id
from tests.controller.system_log import system_log_page
from tests.controller.world import World

from .agenda import Agenda
from .clock import CLOCK
from .truth import Move, Source, Truth

# How much later than the others a late frame arrives, in seconds.
LATE = (1.0, 30.0)
# Rows appear in the system log up to so many seconds after they happen.
LOG_DELAY = 5.0

type Mention = tuple[Move, Source]


class Wire:
    """Sends frames, some of which are lost, doubled or late, and notes what they mention.

    A frame sent to an open socket counts as delivered: in virtual time the other end reads it
    before time advances. `drop`, `double` and `late` are shares of the frames.
    """

    def __init__(
        self, controller: SimulatedController, truth: Truth, agenda: Agenda, *, seed: int
    ) -> None:
        """Send everything on time at first."""
        self.drop = self.double = self.late = 0.0
        self.counts: Counter[str] = Counter()
        self._controller = controller
        self._truth = truth
        self._agenda = agenda
        self._random = Random(f"{seed} wire")  # noqa: S311 - repeatable faults, not a secret
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, frame: Json, mentions: Iterable[Mention] = ()) -> None:
        """Send a frame to the sockets; `mentions` are the moves that its events mention."""
        self._pass(lambda: self._deliver(frame, tuple(mentions), v2=None))

    def sync(self, clients: list[Client]) -> None:
        """Send records of clients, as the sockets want them."""
        world = self._controller.world
        for v2 in sorted({socket.v2 for socket in self._live()}):
            self.send_records(sync_frame(world, clients, v2=v2), v2=v2)

    def send_records(self, frame: Json, *, v2: bool) -> None:
        """Send a frame of client records to the sockets of one kind."""
        self._pass(lambda: self._deliver(frame, (), v2=v2))

    @property
    def is_open(self) -> bool:
        """Whether anybody would receive a frame."""
        return bool(self._live())

    def _live(self) -> list[Any]:
        if self._controller.faults.silent:
            return []
        return [
            socket
            for socket in self._controller.state.hub.sockets
            if not socket.stuck and not socket.response.closed
        ]

    def _pass(self, deliver: Callable[[], None]) -> None:
        chance = self._random.random()
        if chance < self.drop:
            self.counts["dropped"] += 1
        elif chance < self.drop + self.double:
            self.counts["doubled"] += 1
            deliver()
            deliver()
        elif chance < self.drop + self.double + self.late:
            self.counts["late"] += 1
            self._agenda.after(self._random.uniform(*LATE), deliver)
        else:
            self.counts["passed"] += 1
            deliver()

    def _deliver(self, frame: Json, mentions: tuple[Mention, ...], *, v2: bool | None) -> None:
        if not any(v2 is None or socket.v2 is v2 for socket in self._live()):
            return
        now = CLOCK.true_time()
        for move, source in mentions:
            move.mention(source, now)
        if v2 is not None:
            mention_records(self._truth, frame["data"], Source.SYNC)
        task = asyncio.create_task(self._controller.state.hub.send(frame, v2=v2))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def mention_records(truth: Truth, records: Iterable[Json], source: Source) -> None:
    """Note which moves some client records mention."""
    now = CLOCK.true_time()
    for record in records:
        if "ap_mac" in record:
            truth.mention_record(
                record["mac"], record["ap_mac"], record["latest_assoc_time"], source, now
            )


class Archive:
    """What the controller answers: its lists of clients and the system log.

    Rows appear in the log some seconds after they happen.
    """

    def __init__(self, truth: Truth, *, seed: int) -> None:
        """Start without rows."""
        self.snapshots = 0
        self.log_pages = 0
        self._truth = truth
        self._random = Random(f"{seed} log")  # noqa: S311 - repeatable faults, not a secret
        self._written: dict[int, float] = {}
        self._moves: dict[str, Move] = {}

    def add(self, movement: Movement, move: Move) -> None:
        """Write a row about a movement."""
        delay = self._random.uniform(0, LOG_DELAY)
        self._written[movement.number] = CLOCK.true_time() + delay
        self._moves[object_id("log", movement.mac, str(movement.number))] = move

    @contextmanager
    def open(self) -> Iterator[None]:
        """Answer the requests to a controller; create it only after this."""
        stations = rest._stations

        def list_clients(world: World) -> list[Json]:
            records = stations(world)
            self.snapshots += 1
            mention_records(self._truth, records, Source.SNAPSHOT)
            return records

        def read_log(world: World, query: dict[str, Any]) -> Json:
            now = CLOCK.true_time()
            written = copy(world)
            written.truth = type(world.truth)(
                movement
                for movement in world.truth
                if self._written.get(movement.number, 0.0) <= now
            )
            page = system_log_page(written, query)
            self.log_pages += 1
            for row in page["data"]:
                if (move := self._moves.get(row["id"])) is not None:
                    move.mention(Source.LOG, now)
            return page

        rest._stations = list_clients
        vars(rest)["system_log_page"] = read_log
        try:
            yield
        finally:
            rest._stations = stations
            vars(rest)["system_log_page"] = system_log_page
