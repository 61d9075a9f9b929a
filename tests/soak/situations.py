"""The situations in which the soak runs, and what has to be reached in each of them."""

from dataclasses import dataclass
from enum import StrEnum

from tests.controller import Generation

from .expectations import Kind
from .interruptions import Interruption, asleep, clock_step, half_open, outage, unloaded
from .reporter import ALTERNATING, PUNCTUAL, SOMETIMES_LATE, UNRELIABLE, Manner

ROAMS_ONLY = frozenset({Kind.ROAM})
MOVES = frozenset({Kind.ROAM, Kind.CONNECTED, Kind.DISCONNECTED})
# Seeds of the random faults that are always run; a fresh one that fails is added here.
FAULT_SEEDS = (*range(1, 41), 335523789, 669011970)
FRESH_SEEDS = 10


class Controller(StrEnum):
    """A kind of controller: what it sends, and whether it has a system log."""

    EVENTS = "Network 9, events"
    LOG = "Network 10, events and system log"
    RECORDS = "sync records only"

    @property
    def generation(self) -> Generation:
        """What its socket sends."""
        return Generation.SYNC_ONLY if self is Controller.RECORDS else Generation.EVENTS

    @property
    def network_version(self) -> str:
        """Version of its Network application."""
        return "10.4.57" if self is Controller.LOG else "9.4.19"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """What has to be reached; that nothing is doubled or invented is part of every bar.

    `once` is the share reported once of the events of `kinds`, or with `of_mentioned` of those
    that any source mentioned. `origins` is the share of the reported roams that have the right
    origin, `p99` the 99th percentile of the latency of roams in seconds. With `in_order`, the
    events of a client appear in the order in which they happened. With `last_arrivals`, a client's
    last arrival of each interruption has its exact time.
    """

    kinds: frozenset[Kind] = MOVES
    once: float = 1.0
    of_mentioned: bool = False
    origins: float | None = 1.0
    p99: float | None = None
    in_order: bool = False
    last_arrivals: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """A situation; with an `interruption`, it is repeated after `calm` seconds, and lasts `lasts`.

    With `faults`, random faults of all kinds happen one after the other.
    """

    name: str
    title: str
    controller: Controller = Controller.LOG
    manner: Manner = PUNCTUAL
    interruption: Interruption | None = None
    calm: float = 180.0
    lasts: float = 0.0
    faults: bool = False
    bar: Bar


def _outage(name: str, title: str, seconds: float, calm: float) -> list[Situation]:
    return [
        Situation(
            name=f"outage-{name}-log",
            title=f"outage of {title}, with log",
            interruption=outage(seconds),
            calm=calm,
            lasts=seconds,
            bar=Bar(p99=seconds + 60, in_order=True),
        ),
        Situation(
            name=f"outage-{name}",
            title=f"outage of {title}, without log",
            controller=Controller.EVENTS,
            interruption=outage(seconds),
            calm=calm,
            lasts=seconds,
            bar=Bar(kinds=ROAMS_ONLY, of_mentioned=True, origins=None, last_arrivals=True),
        ),
    ]


_ALL = (
    Situation(
        name="steady",
        title="steady, prompt events",
        controller=Controller.EVENTS,
        bar=Bar(p99=1.0, in_order=True),
    ),
    Situation(
        name="steady-late",
        title="steady, 10 % of events 5 to 40 s late",
        controller=Controller.EVENTS,
        manner=SOMETIMES_LATE,
        bar=Bar(origins=0.999),
    ),
    Situation(
        name="records",
        title="sync records only",
        controller=Controller.RECORDS,
        bar=Bar(kinds=ROAMS_ONLY, once=0.995, of_mentioned=True, origins=None),
    ),
    *_outage("5s", "5 s", 5, 120),
    *_outage("60s", "60 s", 60, 180),
    *_outage("10min", "10 min", 600, 420),
    *_outage("1h", "1 h", 3600, 600),
    Situation(
        name="half-open",
        title="half-open socket, with log",
        interruption=half_open,
        lasts=120,
        bar=Bar(in_order=True),
    ),
    Situation(
        name="reload",
        title="entry reloaded (0.2 s), with log",
        interruption=unloaded(0.2),
        calm=120,
        lasts=0.2,
        bar=Bar(in_order=True),
    ),
    Situation(
        name="down-60s",
        title="entry down for 60 s, with log",
        interruption=unloaded(60),
        lasts=60,
        bar=Bar(in_order=True),
    ),
    Situation(
        name="clock-forward",
        title="clock of Home Assistant set 1 h forward, with log",
        interruption=clock_step(3600),
        bar=Bar(),
    ),
    Situation(
        name="clock-back",
        title="clock of Home Assistant set 1 h back, with log",
        interruption=clock_step(-3600),
        bar=Bar(),
    ),
    Situation(
        name="asleep",
        title="host asleep for 30 min, with log",
        interruption=asleep(1800),
        calm=420,
        lasts=1800,
        bar=Bar(in_order=True),
    ),
    Situation(
        name="old-record",
        title="old access point goes on reporting, events",
        controller=Controller.EVENTS,
        manner=ALTERNATING,
        bar=Bar(p99=1.0),
    ),
    Situation(
        name="old-record-only",
        title="old access point goes on reporting, sync records only",
        controller=Controller.RECORDS,
        manner=ALTERNATING,
        bar=Bar(kinds=ROAMS_ONLY, once=0.995, of_mentioned=True, origins=None),
    ),
    *(
        Situation(
            name=name,
            title=f"random faults, {controller.value}",
            controller=controller,
            manner=UNRELIABLE,
            faults=True,
            bar=Bar(of_mentioned=True, origins=None),
        )
        for name, controller in (
            ("faults", Controller.EVENTS),
            ("faults-log", Controller.LOG),
            ("faults-records", Controller.RECORDS),
        )
    ),
)
SITUATIONS = {situation.name: situation for situation in _ALL}
