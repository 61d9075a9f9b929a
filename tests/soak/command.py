"""The soak's command line."""

import argparse
import asyncio
from collections.abc import Iterator
import logging
from multiprocessing import connection, get_context
from multiprocessing.connection import Connection
from pathlib import Path
from random import SystemRandom
import sys
import time

import orjson

from .clock import CLOCK, new_loop
from .home import load_integration
from .outcome import Case, Outcome, details, line, shortfalls
from .run import Soak
from .situations import FAULT_SEEDS, FRESH_SEEDS, SITUATIONS
from .table import write

# Number of bad cases printed for each kind of fault.
SHOWN = 3
STAYS = (60.0, 300.0)


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/soak",
        description="Let clients roam in difficult situations, and compare the events on the bus "
        "with the truth. Without options, run every situation with a mean stay of 60 s and of "
        f"300 s, and random faults with {len(FAULT_SEEDS)} seeds and {FRESH_SEEDS} fresh ones.",
        epilog="Exits with 1 if a situation misses its bar.",
    )
    add = parser.add_argument
    add("--situation", action="append", choices=[*SITUATIONS], metavar="NAME", help="repeatable")
    add("--seed", type=int, action="append", help="the same seed repeats a run; repeatable")
    add("--roams", type=int, help="roams per run (2,000; with random faults 10,000)")
    add("--clients", type=int, default=20, help="number of clients (%(default)s)")
    add("--stay", type=float, action="append", help="mean stay in seconds; repeatable")
    add("--jobs", type=int, default=2, help="parallel processes, 0: all in this one (%(default)s)")
    add("--details", type=int, default=SHOWN, help="bad cases shown of each kind (%(default)s)")
    add("--json", type=Path, metavar="FILE", help="write all outcomes with all reports to a file")
    add("--list", action="store_true", help="list the situations")
    add("--write", action="store_true", help="write the table to docs/reliability.md")
    return parser.parse_args()


def cases(options: argparse.Namespace) -> list[Case]:
    """Return what to run."""
    fresh = [SystemRandom().randrange(1_000, 10**9) for _ in range(FRESH_SEEDS)]
    found = []
    for name in options.situation or SITUATIONS:
        faults = SITUATIONS[name].faults
        stays = options.stay or (STAYS[:1] if faults else STAYS)
        seeds = options.seed or ([*FAULT_SEEDS, *fresh] if faults else [1])
        found += [
            Case(
                situation=name,
                seed=seed,
                roams=options.roams or (10_000 if faults else 2_000),
                clients=options.clients,
                stay=stay,
            )
            for stay in stays
            for seed in seeds
        ]
    if not options.seed and any(SITUATIONS[case.situation].faults for case in found):
        _print(f"fresh seeds: {' '.join(map(str, fresh))}")
    return found


def soak(case: Case) -> Outcome:
    """Run one case."""
    CLOCK.reset()
    with asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(Soak(case).run())


def main() -> int:
    """Run the soak and return the exit status."""
    options = parse_arguments()
    if options.list:
        for situation in SITUATIONS.values():
            _print(f"{situation.name:<17} {situation.title}")
        return 0
    logging.disable(logging.WARNING)
    load_integration()
    began = time.perf_counter()
    outcomes = []
    for outcome in _outcomes(cases(options), options.jobs):
        outcomes.append(outcome)
        _print(line(outcome))
        if shortfalls(outcome):
            for text in details(outcome, options.details):
                _print(f"  {text}")
            _print(f"  again: scripts/soak {outcome.case}")
        if not options.json:
            # A long run has millions.
            outcome.reports.clear()
            outcome.verdict.judged.clear()
    seconds = time.perf_counter() - began
    bad = [outcome for outcome in outcomes if shortfalls(outcome)]
    _print(f"{len(outcomes) - len(bad)} of {len(outcomes)} runs reached their bar, {seconds:.0f} s")
    if options.json:
        options.json.write_bytes(orjson.dumps(outcomes, option=orjson.OPT_NON_STR_KEYS))
    if options.write:
        write(outcomes, seconds=seconds)
    return 1 if bad else 0


def _outcomes(waiting: list[Case], jobs: int) -> Iterator[Outcome]:
    """Run the cases, a process for each, and yield their outcomes in the order of the cases."""
    if jobs <= 0:
        yield from map(soak, waiting)
        return
    running: dict[Connection, int] = {}
    finished: dict[int, Outcome] = {}
    started = printed = 0
    while printed < len(waiting):
        while started < len(waiting) and len(running) < jobs:
            running[_start(waiting[started])] = started
            started += 1
        for ready in connection.wait([*running]):
            assert isinstance(ready, connection.Connection)
            finished[running.pop(ready)] = ready.recv()
        while printed in finished:
            yield finished.pop(printed)
            printed += 1


def _start(case: Case) -> Connection:
    """Start a run in another process that sends its outcome; EOFError if it fails."""
    context = get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    context.Process(target=lambda: sender.send(soak(case))).start()
    sender.close()
    return receiver


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
