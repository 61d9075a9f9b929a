"""Database rows of an hour without roams, simulated in virtual time."""

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

# Fired, but not recorded.
_UNRECORDED = "state_reported"
# For a state with a `state_class` the recorder writes statistics, changed or not: one row every
# five minutes, and one every hour.
_STATISTICS = 12 + 1
_CLIENTS = 20
_SEED = 1
_HOUR = 3_600
# Until the first snapshots have been taken and rates are known.
_WARM_UP_SECONDS = 120


def rows(effort: Effort) -> list[Row]:
    """Count a whole hour of ours, and a part of it of core."""
    seconds = {OURS: effort.seconds, SIGNALS: effort.seconds}
    if effort.all_of_core:
        seconds[CORE] = effort.seconds_of_core
    # Nothing is timed, so they can run in parallel.
    results = run_each_apart({who: partial(simulate, who, count) for who, count in seconds.items()})
    counted = ", ".join(f"{contender} {count:,} s" for contender, count in seconds.items())
    return [
        Row(
            key="hour",
            work="recorder rows per client and hour, 1 sync/s, no roams",
            unit="",
            figures={
                contender: Figure.exactly(
                    (written.states * _HOUR / seconds[contender] + written.statistics * _STATISTICS)
                    / _CLIENTS
                )
                for contender, written in results.items()
            },
            note=f"{_CLIENTS} clients; simulated, then scaled: {counted}; of these, statistics: "
            + ", ".join(
                f"{contender} {written.statistics * _STATISTICS / _CLIENTS:g}"
                for contender, written in results.items()
            ),
        )
    ]


class Written(NamedTuple):
    """Number of recorded events, and of states with statistics."""

    states: int
    statistics: int


def simulate(contender: str, seconds: int) -> Written:
    """Simulate this many seconds and return what the recorder would write.

    Run it in a separate process: its clocks are virtual from then on.
    """
    clock.install()
    clock.install_in_home_assistant()
    from . import instances  # noqa: PLC0415 - users of the time must be imported after the clock is installed

    clock.install_in(instances.PACKAGE, _SEED)
    with asyncio.Runner(loop_factory=clock.new_loop) as runner:
        return runner.run(_simulate(contender, seconds))


async def _simulate(contender: str, seconds: int) -> Written:
    from .frames import Crowd  # noqa: PLC0415 - as above
    from .instances import address_of, controller_of, counting, home  # noqa: PLC0415 - as above

    crowd = Crowd(_CLIENTS, clock=clock.CLOCK.time)
    async with (
        controller_of(crowd) as controller,
        home(contender, address_of(controller), crowd.macs) as one,
    ):
        with counting(one.hass) as fired:
            for second in range(_WARM_UP_SECONDS + seconds):
                if second == _WARM_UP_SECONDS:
                    fired.clear()
                crowd.update(crowd.clients)
                crowd.draw_rates(crowd.clients)
                for client in crowd.clients:
                    one.feed(one.prepare(crowd.sync(client)))
                await asyncio.sleep(1)
        del fired[_UNRECORDED]
        return Written(fired.total(), _states_with_statistics(one, crowd.macs))


def _states_with_statistics(home: Home, macs: Collection[str]) -> int:
    """Return the number of clients' states that have statistics."""
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
