"""Fuzz the parser and the tracker: `python -m tests.fuzz --help`."""

import argparse
from pathlib import Path
from random import Random
import resource
import sys
import time

from .harness import Harness

FRAMES = 1_000_000
CHUNK = 5_000
# What is kept has reached its bounds after this share of a run; from then on memory must stay.
WARM = 0.6
MIB = 2**20
GROWTH = 32 * MIB  # a leak of 50 bytes a frame would show


def main(arguments: list[str] | None = None) -> int:
    """Run, print what has come of it, and return the exit status."""
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description=__doc__.partition(":")[0])
    parser.add_argument("--frames", type=int, default=FRAMES, help="(default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of all dice (default: %(default)s)")
    options = parser.parse_args(arguments)
    harness = Harness(Random(options.seed))  # noqa: S311 - dice, no secret
    began = time.perf_counter()
    memory: list[int] = []
    while (done := harness.statistics.frames) < options.frames:
        try:
            harness.run(min(CHUNK, options.frames - done))
        except Exception:
            failed = f"failed at frame {harness.statistics.frames}, seed {options.seed}\n"
            sys.stderr.write(failed)
            raise
        memory.append(resident())
    late = memory[int(len(memory) * WARM) :] or [resident()]
    growth = max(late) - late[0]
    sys.stdout.write(report(harness, time.perf_counter() - began))
    sys.stdout.write(f"memory {late[-1] / MIB:.0f} MiB, growth in the last {1 - WARM:.0%} ")
    sys.stdout.write(f"of the run {growth / MIB:.1f} MiB\n")
    return 0 if growth <= GROWTH else 1


def report(harness: Harness, seconds: float) -> str:
    """Say what was done and what is kept after it."""
    statistics = harness.statistics
    rows = [
        ("frames", statistics.frames),
        ("frames a second", round(statistics.frames / seconds)),
        ("bytes", statistics.bytes),
        ("skipped unparsed", statistics.skipped),
        ("unreadable", statistics.unreadable),
        *((f"told: {kind}", count) for kind, count in sorted(harness.told.items())),
        *((f"untold: {why}", count) for why, count in sorted(harness.tracker.counters.items())),
    ]
    lines = [f"{name:<24} {count:>10}" for name, count in rows]
    lines += [f"{'kept':<24} {'at the end':>10} {'at most':>10}"]
    lines += [f"{name:<24} {size:>10} {most:>10}" for name, size, most in harness.sizes()]
    return "\n".join(lines) + "\n"


def resident() -> int:
    """Return the memory in use, in bytes; where the system does not tell, the peak."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return pages * resource.getpagesize()


if __name__ == "__main__":
    sys.exit(main())
