"""What the recorder would write in an hour in which nobody moves, lived through in virtual time."""

import asyncio
from collections.abc import Collection
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from tests.soak import clock

from .effort import Effort
from .rows import CORE, OURS, SIGNALS, Figure, Row
from .workers import run_each_apart

if TYPE_CHECKING:
    from .instances import Home

# What is fired, but not recorded.
_UNRECORDED = "state_reported"
# Of a state that has a `state_class` the recorder writes statistics, changed or not: a row every
# five minutes, and one every hour.
_STATISTICS = 12 + 1
_CLIENTS = 20
_SEED = 1
_HOUR = 3_600
# Until the first snapshots have been taken, and the rates are known.
_SETTLING = 120


def rows(effort: Effort) -> list[Row]:
    """Count for ours the whole hour, for core a part of it."""
    seconds = {OURS: effort.seconds, SIGNALS: effort.seconds}
    if effort.all_of_core:
        seconds[CORE] = effort.seconds_of_core
    # Nothing is timed, so they may run at the same time.
    told = run_each_apart({who: partial(write, who, count) for who, count in seconds.items()})
    counted = ", ".join(f"{whose} {count:,} s" for whose, count in seconds.items())
    return [
        Row(
            key="hour",
            work="recorder rows per client and hour, 1 sync/s, nobody moving",
            unit="",
            figures={
                whose: Figure.exactly(
                    (written.states * _HOUR / seconds[whose] + written.statistics * _STATISTICS)
                    / _CLIENTS
                )
                for whose, written in told.items()
            },
            note=f"{_CLIENTS} clients; lived through and scaled: {counted}; of them are statistics "
            + ", ".join(
                f"{whose} {written.statistics * _STATISTICS / _CLIENTS:g}"
                for whose, written in told.items()
            ),
        )
    ]


class Written(NamedTuple):
    """How many events were fired that are written down, and of how many states statistics are."""

    states: int
    statistics: int


def write(whose: str, seconds: int) -> Written:
    """Live through so many seconds, and return what the recorder would write.

    To be run in a process of its own: its clocks are virtual from then on.
    """
    clock.install()
    clock.install_in_home_assistant()
    from . import instances  # noqa: PLC0415 - whatever asks for the time comes after the clock

    clock.install_in(instances.PACKAGE, _SEED)
    with asyncio.Runner(loop_factory=clock.new_loop) as runner:
        return runner.run(_write(whose, seconds))


async def _write(whose: str, seconds: int) -> Written:
    from .frames import Crowd  # noqa: PLC0415 - as above
    from .instances import address_of, controller_of, counting, home  # noqa: PLC0415 - as above

    crowd = Crowd(_CLIENTS, clock=clock.CLOCK.time)
    async with (
        controller_of(crowd) as controller,
        home(whose, address_of(controller), crowd.macs) as one,
    ):
        with counting(one.hass) as fired:
            for second in range(_SETTLING + seconds):
                if second == _SETTLING:
                    fired.clear()
                crowd.hear(crowd.clients)
                crowd.draw_rates(crowd.clients)
                for client in crowd.clients:
                    one.feed(one.prepare(crowd.sync(client)))
                await asyncio.sleep(1)
        del fired[_UNRECORDED]
        return Written(fired.total(), _measured(one, crowd.macs))


def _measured(home: Home, macs: Collection[str]) -> int:
    """Return of how many of the clients' states statistics are kept."""
    from homeassistant.components.sensor import ATTR_STATE_CLASS  # noqa: PLC0415 - as above
    from homeassistant.helpers import entity_registry as er  # noqa: PLC0415 - as above

    registry = er.async_get(home.hass)
    entries = er.async_entries_for_config_entry(registry, home.entry.entry_id)
    states = (
        home.hass.states.get(entry.entity_id)
        for entry in entries
        if any(mac in entry.unique_id for mac in macs)
    )
    return sum(state is not None and ATTR_STATE_CLASS in state.attributes for state in states)
