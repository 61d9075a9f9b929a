"""Sizes of a full run and of a quick one."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """Number of rounds, clients and so on. `roams` is per run and contender, at 200 a second.

    Without `all_of_core`, Home Assistant's own integration is only measured in rows whose target
    refers to it.
    """

    rounds: int
    tracked: tuple[int, ...]
    tracked_by_core: tuple[int, ...]
    all_of_core: bool
    roams: int
    runs: int
    remembered: int
    seconds: int
    seconds_of_core: int
    set_ups: int
    attempts: int
    steady_seconds: int


FULL = Effort(
    rounds=30,
    tracked=(10, 100, 1_000, 10_000),
    tracked_by_core=(10, 100, 1_000, 10_000),
    all_of_core=True,
    roams=1_000,
    runs=2,
    remembered=10_000,
    seconds=3_600,
    seconds_of_core=60,
    set_ups=7,
    attempts=7,
    steady_seconds=65,
)
QUICK = Effort(
    rounds=3,
    tracked=(10, 1_000),
    tracked_by_core=(10,),
    all_of_core=False,
    roams=400,
    runs=1,
    remembered=2_000,
    seconds=120,
    seconds_of_core=0,
    set_ups=1,
    attempts=2,
    steady_seconds=0,
)
