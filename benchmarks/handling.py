"""Frames to the end of Home Assistant's work: ours beside its own integration."""

from collections.abc import Awaitable, Callable, Iterator, Mapping

from homeassistant.const import EVENT_STATE_CHANGED, EVENT_STATE_REPORTED

from .effort import Effort
from .rows import CORE, OURS, SIGNALS, Figure, Row
from .targets import AT_10
from .workers import Worker, all_ready
from .workload import (
    CLIENTS,
    ROAMS,
    Scene,
    all_changed,
    counted,
    frame_alone,
    live,
    moved,
    records_alone,
    roamed,
    saved,
    states_alone,
    steady,
    unchanged,
    unchanged_of_many,
)

_BUSY = 500
_STATES, _JSON = "the states alone", "orjson"


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
        ours = {whose: one for whose, one in workers.items() if whose.startswith(OURS)}
        json = _in_turn(ours, records_alone, effort.rounds)
        roamed_unheard = _in_turn(workers, moved, effort.rounds)
        fewest = workers[f"{OURS} {effort.tracked[0]}"]
        states = _states_alone(fewest, fewest.ask(counted, moved), CLIENTS, effort)
    work = "`sta:sync` of 1 client to the end of HA's work"
    return [
        *_tracked_rows(
            "unchanged",
            f"{work}, nothing shown changed",
            unmoved,
            {count: {_JSON: json[f"{OURS} {count}"]} for count in effort.tracked},
            effort,
        ),
        Row(
            key="unchanged_of_many",
            work=f"the same, {effort.tracked[-1]:,} tracked, each record of another client",
            unit="µs",
            figures=far_apart,
            note="what the processor's cache no longer holds",
        ),
        *_tracked_rows(
            "moved",
            f"{work}, access point changed",
            roamed_unheard,
            {count: {_STATES: states} for count in effort.tracked},
            effort,
        ),
    ]


def _tracked_rows(
    key: str,
    work: str,
    figures: Mapping[str, Figure],
    floors: Mapping[int, Mapping[str, Figure]],
    effort: Effort,
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
                **floors[count],
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
    taken |= {_JSON: _in_turn({OURS: workers[OURS]}, frame_alone, effort.rounds)[OURS]}
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
            work=f"{work}: state events, changed or reported anew",
            unit="",
            figures={whose: Figure.exactly(_states_of(types)) for whose, types in fired.items()},
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
    taken = _in_turn(workers, roamed, effort.rounds)
    fired = {whose: worker.ask(counted, roamed) for whose, worker in workers.items()}
    states = _states_alone(workers[OURS], fired[OURS], ROAMS, effort)
    later = workers[OURS].ask(saved)
    told = ", ".join(
        f"{whose} {count / ROAMS:g} `{kind}`"
        for whose, types in fired.items()
        for kind, count in sorted(types.items())
    )
    return Row(
        key="roam",
        work=f"roam event, {_BUSY} tracked: frame to bus event and states",
        unit="µs",
        figures={**taken, _STATES: states},
        note=f"of each: {told}; ours is saved later, once for many: {later:.0f} ms after all these",
    )


def _states_alone(worker: Worker, fired: Mapping[str, int], roams: int, effort: Effort) -> Figure:
    states = round(_states_of(fired) / roams)
    taken = [worker.ask(states_alone, states, roams) for _ in range(effort.rounds + 1)]
    return Figure.of(taken[1:])


def _states_of(fired: Mapping[str, int]) -> int:
    return sum(fired.get(str(kind), 0) for kind in (EVENT_STATE_CHANGED, EVENT_STATE_REPORTED))


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
