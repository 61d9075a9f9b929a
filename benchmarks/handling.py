"""From a frame until Home Assistant is idle: ours and Home Assistant's own integration."""

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
    json_of_frame,
    json_of_records,
    moved,
    roamed,
    run_home,
    saved,
    states_only,
    steady,
    unchanged,
    unchanged_of_many,
)

_BUSY = 500
_STATES, _JSON = "states only", "orjson"


def sync_rows(effort: Effort) -> list[Row]:
    """Measure the record of one client, with an increasing number of tracked clients."""
    homes = [(OURS, count) for count in effort.tracked]
    homes += [(CORE, count) for count in effort.tracked_by_core]
    workers = {
        f"{contender} {count}": Worker(run_home, contender, count) for contender, count in homes
    }
    with all_ready(workers):
        unchanged_records = _in_turn(workers, unchanged, effort.rounds)
        many = {
            contender: workers[f"{contender} {most}"]
            for contender, most in ((OURS, effort.tracked[-1]), (CORE, effort.tracked_by_core[-1]))
            if most == effort.tracked[-1]
        }
        different_clients = _in_turn(many, unchanged_of_many, effort.rounds)
        ours = {contender: one for contender, one in workers.items() if contender.startswith(OURS)}
        json = _in_turn(ours, json_of_records, effort.rounds)
        moved_clients = _in_turn(workers, moved, effort.rounds)
        fewest = workers[f"{OURS} {effort.tracked[0]}"]
        states = _states_only(fewest, fewest.call(counted, moved), CLIENTS, effort)
    work = "`sta:sync` of 1 client until HA is idle"
    return [
        *_tracked_rows(
            "unchanged",
            f"{work}, no visible change",
            unchanged_records,
            {count: {_JSON: json[f"{OURS} {count}"]} for count in effort.tracked},
            effort,
        ),
        Row(
            key="unchanged_of_many",
            work=f"the same, {effort.tracked[-1]:,} tracked, each record from a different client",
            unit="µs",
            figures=different_clients,
            note="more than the CPU cache holds",
        ),
        *_tracked_rows(
            "moved",
            f"{work}, access point changed",
            moved_clients,
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
    """Measure a frame with all clients of a busy site, and a roam event."""
    names = (OURS, CORE, SIGNALS) if effort.steady_seconds else (OURS, CORE)
    with all_ready(
        {contender: Worker(run_home, contender, _BUSY) for contender in names}
    ) as workers:
        rows = _frame_rows(workers, effort)
        if SIGNALS in workers:
            rows.append(_steady_row(workers.pop(SIGNALS), effort))
        return [*rows, _roam_row(workers, effort)]


def _frame_rows(workers: Mapping[str, Worker], effort: Effort) -> list[Row]:
    timings = _in_turn(workers, all_changed, effort.rounds)
    timings |= {_JSON: _in_turn({OURS: workers[OURS]}, json_of_frame, effort.rounds)[OURS]}
    fired = {contender: worker.call(counted, all_changed) for contender, worker in workers.items()}
    work = f"frame of {_BUSY} clients, all rates changed"
    return [
        Row(
            key="frame",
            work=work,
            unit="ms",
            figures={contender: _in_milliseconds(figure) for contender, figure in timings.items()},
            note="with signal sensors: a frame between two that write their states"
            if SIGNALS in workers
            else "",
        ),
        Row(
            key="frame_writes",
            work=f"{work}: state events (changed or reported)",
            unit="",
            figures={
                contender: Figure.exactly(_states_of(types)) for contender, types in fired.items()
            },
        ),
    ]


def _steady_row(worker: Worker, effort: Effort) -> Row:
    milliseconds = [each / 1000 for each in worker.call(steady, effort.steady_seconds)]
    mean = sum(milliseconds) / len(milliseconds)
    return Row(
        key="frame_steady",
        work=f"the same frame every second, {SIGNALS.removeprefix('ours, ')}",
        unit="ms",
        figures={OURS: Figure.of(milliseconds)},
        note=f"for {effort.steady_seconds} s; mean {mean:.1f}, maximum {max(milliseconds):.1f} "
        "while signals are written",
    )


def _roam_row(workers: Mapping[str, Worker], effort: Effort) -> Row:
    timings = _in_turn(workers, roamed, effort.rounds)
    fired = {contender: worker.call(counted, roamed) for contender, worker in workers.items()}
    states = _states_only(workers[OURS], fired[OURS], ROAMS, effort)
    later = workers[OURS].call(saved)
    per_roam = ", ".join(
        f"{contender} {count / ROAMS:g} `{kind}`"
        for contender, types in fired.items()
        for kind, count in sorted(types.items())
    )
    return Row(
        key="roam",
        work=f"roam event, {_BUSY} tracked: frame to bus event and states",
        unit="µs",
        figures={**timings, _STATES: states},
        note=f"per roam: {per_roam}; ours are saved to disk later, {later:.0f} ms for all of them",
    )


def _states_only(worker: Worker, fired: Mapping[str, int], roams: int, effort: Effort) -> Figure:
    states = round(_states_of(fired) / roams)
    timings = [worker.call(states_only, states, roams) for _ in range(effort.rounds + 1)]
    return Figure.of(timings[1:])


def _states_of(fired: Mapping[str, int]) -> int:
    return sum(fired.get(str(kind), 0) for kind in (EVENT_STATE_CHANGED, EVENT_STATE_REPORTED))


def _in_turn(
    workers: Mapping[str, Worker], work: Callable[[Scene], Awaitable[float]], rounds: int
) -> dict[str, Figure]:
    """Run one round in each worker in turn, for all rounds; the first one does not count."""
    samples: dict[str, list[float]] = {name: [] for name in workers}
    for _ in range(rounds + 1):
        for name, worker in workers.items():
            samples[name].append(worker.call(work))
    return {name: Figure.of(timings[1:]) for name, timings in samples.items()}


def _in_milliseconds(figure: Figure) -> Figure:
    return Figure(median=figure.median / 1e3, low=figure.low / 1e3, high=figure.high / 1e3)
