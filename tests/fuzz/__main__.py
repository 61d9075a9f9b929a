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
# Share of a run after which all caches are full, so that memory must not grow any more.
WARM_UP = 0.6
MIB = 2**20
MAX_GROWTH = 32 * MIB  # detects a leak of 50 bytes per frame


def main(arguments: list[str] | None = None) -> int:
    """Run the fuzzer, print a report, and return the exit status."""
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description=__doc__.partition(":")[0])
    parser.add_argument("--frames", type=int, default=FRAMES, help="(default: %(default)s)")
    parser.add_argument(
        "--seed", type=int, default=1, help="of the random numbers (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    harness = Harness(Random(options.seed))  # noqa: S311 - not for security
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
    late = memory[int(len(memory) * WARM_UP) :] or [resident()]
    growth = max(late) - late[0]
    sys.stdout.write(report(harness, time.perf_counter() - began))
    sys.stdout.write(f"memory {late[-1] / MIB:.0f} MiB, growth in the last {1 - WARM_UP:.0%} ")
    sys.stdout.write(f"of the run {growth / MIB:.1f} MiB\n")
    return 0 if growth <= MAX_GROWTH else 1


def report(harness: Harness, seconds: float) -> str:
    """Return a report of the frames, the emitted events and the memory in use."""
    statistics = harness.statistics
    rows = [
        ("frames", statistics.frames),
        ("frames per second", round(statistics.frames / seconds)),
        ("bytes", statistics.bytes),
        ("skipped unparsed", statistics.skipped),
        ("unreadable", statistics.unreadable),
        *((f"emitted: {kind}", count) for kind, count in sorted(harness.emitted.items())),
        *((f"suppressed: {why}", count) for why, count in sorted(harness.tracker.counters.items())),
    ]
    lines = [f"{name:<24} {count:>10}" for name, count in rows]
    lines += [f"{'size of':<24} {'at the end':>10} {'limit':>10}"]
    lines += [f"{name:<24} {size:>10} {limit:>10}" for name, size, limit in harness.sizes()]
    return "\n".join(lines) + "\n"


def resident() -> int:
    """Return the resident memory in bytes, or its peak where the system does not report it."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return pages * resource.getpagesize()


if __name__ == "__main__":
    sys.exit(main())
