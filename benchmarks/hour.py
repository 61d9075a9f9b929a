"""What the recorder would write in an hour in which nobody moves, lived through in virtual time."""

import asyncio
from functools import partial

from tests.soak import clock

from .effort import Effort
from .rows import CORE, OURS, SIGNALS, Figure, Row
from .workers import run_each_apart

# What is fired, but not recorded.
_UNRECORDED = "state_reported"
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
    written = run_each_apart({who: partial(write, who, count) for who, count in seconds.items()})
    counted = ", ".join(f"{whose} {count:,} s" for whose, count in seconds.items())
    return [
        Row(
            key="hour",
            work="recorder rows per client and hour, 1 sync/s, nobody moving",
            unit="",
            figures={
                whose: Figure.exactly(sum(types.values()) / _CLIENTS * _HOUR / seconds[whose])
                for whose, types in written.items()
            },
            note=f"{_CLIENTS} clients; lived through and scaled: {counted}",
        )
    ]


def write(whose: str, seconds: int) -> dict[str, int]:
    """Live through so many seconds, and return how many events of which type were fired.

    To be run in a process of its own: its clocks are virtual from then on.
    """
    clock.install()
    clock.install_in_home_assistant()
    from . import homes  # noqa: PLC0415 - whatever asks for the time comes after the clock

    clock.install_in(homes.PACKAGE, _SEED)
    with asyncio.Runner(loop_factory=clock.new_loop) as runner:
        return runner.run(_write(whose, seconds))


async def _write(whose: str, seconds: int) -> dict[str, int]:
    from .frames import Crowd  # noqa: PLC0415 - as above
    from .homes import address_of, controller_of, counting, home  # noqa: PLC0415 - as above

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
        return dict(fired)
