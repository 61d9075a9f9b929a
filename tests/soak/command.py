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

# Number of cases printed for each kind of failure.
SHOWN = 5


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/soak",
        description="Let clients roam under random faults and compare reported events with the "
        "truth.",
        epilog="Exits with 1 if an event was doubled, invented or missed without a reason, or if "
        "resources leaked.",
    )
    add = parser.add_argument
    add("--roams", type=int, default=10_000, help="roams per kind of controller (%(default)s)")
    add("--clients", type=int, default=24, help="number of clients (%(default)s)")
    add("--seed", type=int, default=1, help="the same seed repeats the run (%(default)s)")
    kinds = "; ".join(f"{index}: {kind.name}" for index, kind in enumerate(KINDS))
    add(
        "--kind",
        type=int,
        choices=range(len(KINDS)),
        action="append",
        help=f"kind of controller, may be repeated; default: all ({kinds})",
    )
    add("--write", action="store_true", help="write the results to docs/reliability.md")
    return parser.parse_args()


def soak(index: int, options: argparse.Namespace) -> Outcome:
    """Run the soak with one kind of controller."""
    random.seed(options.seed)
    clock.install_in(PACKAGE, options.seed)
    run = Soak(KINDS[index], roams=options.roams, clients=options.clients, seed=options.seed)
    with asyncio.Runner(loop_factory=clock.new_loop) as runner:
        return runner.run(run.run())


def main() -> int:
    """Run the soak and return the exit status."""
    options = parse_arguments()
    logging.disable(logging.WARNING)
    began = time.perf_counter()
    outcomes = []
    # One process for each, so that no run inherits state or memory from another.
    runs = [_start(index, options) for index in options.kind or range(len(KINDS))]
    for run in runs:
        outcome: Outcome = run.recv()
        _print(f"{outcome.kind.name}: {outcome.hours:.1f} hours")
        outcomes.append(outcome)
    seconds = time.perf_counter() - began
    _print(f"\n{table(outcomes)}")
    status = 0
    for outcome in outcomes:
        for name, cases in failures(outcome).items():
            status = 1
            _print(f"{outcome.kind.name}: {name}: {len(cases)}")
            for case in cases[:SHOWN]:
                _print(f"  {case}")
    _print(f"{seconds:.0f} s")
    if options.write:
        write(outcomes, seed=options.seed, seconds=seconds)
    return status


def _start(index: int, options: argparse.Namespace) -> Connection:
    """Start a run in another process that sends its outcome; EOFError if it fails."""
    context = get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    context.Process(target=lambda: sender.send(soak(index, options))).start()
    sender.close()
    return receiver


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
