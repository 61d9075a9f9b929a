"""The soak's command line."""

import argparse
import asyncio
import logging
from multiprocessing import get_context
from multiprocessing.connection import Connection
import random
import sys
import time

from . import clock
from .footprint import PACKAGE
from .report import failures, table, write
from .run import KINDS, Outcome, Soak

# Cases of each failure that are shown.
SHOWN = 5


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/soak",
        description="Roams under random faults, through the whole integration: truth and outcome.",
        epilog="Status 1 when something was doubled, invented, leaked, or missed without a reason.",
    )
    add = parser.add_argument
    add("--roams", type=int, default=10_000, help="with each kind of controller (%(default)s)")
    add("--clients", type=int, default=24, help="that roam (%(default)s)")
    add("--seed", type=int, default=1, help="of all dice: the same one, the same run (%(default)s)")
    kinds = "; ".join(f"{index}: {kind.name}" for index, kind in enumerate(KINDS))
    add(
        "--kind",
        type=int,
        choices=range(len(KINDS)),
        action="append",
        help=f"of controller, may be repeated; all unless told ({kinds})",
    )
    add("--write", action="store_true", help="write the table into docs/reliability.md")
    return parser.parse_args()


def soak(index: int, options: argparse.Namespace) -> Outcome:
    """Run one kind of controller."""
    random.seed(options.seed)
    clock.install_in(PACKAGE, options.seed)
    run = Soak(KINDS[index], roams=options.roams, clients=options.clients, seed=options.seed)
    with asyncio.Runner(loop_factory=clock.new_loop) as runner:
        return runner.run(run.run())


def main() -> int:
    """Soak, and return the exit status."""
    options = parse_arguments()
    logging.disable(logging.WARNING)
    began = time.perf_counter()
    outcomes = []
    # Each in a process of its own: none is in the state, or the memory, that another one left.
    runs = [_start(index, options) for index in options.kind or range(len(KINDS))]
    for run in runs:
        outcome: Outcome = run.recv()
        _say(f"{outcome.kind.name}: {outcome.hours:.1f} hours")
        outcomes.append(outcome)
    seconds = time.perf_counter() - began
    _say(f"\n{table(outcomes)}")
    status = 0
    for outcome in outcomes:
        for name, cases in failures(outcome).items():
            status = 1
            _say(f"{outcome.kind.name}: {name}: {len(cases)}")
            for case in cases[:SHOWN]:
                _say(f"  {case}")
    _say(f"{seconds:.0f} s")
    if options.write:
        write(outcomes, seed=options.seed, seconds=seconds)
    return status


def _start(index: int, options: argparse.Namespace) -> Connection:
    """Begin to soak in another process; the outcome comes over the pipe, EOFError if none does."""
    context = get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    context.Process(target=lambda: sender.send(soak(index, options))).start()
    sender.close()
    return receiver


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
