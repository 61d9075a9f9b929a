"""Coverage-guided fuzzing of the parser and the tracker with atheris.

`scripts/fuzz --guided` installs atheris and runs this module.
"""

import argparse
from pathlib import Path
from random import Random
import sys
import tempfile

import atheris

with atheris.instrument_imports(include=["custom_components.unifi_scanner"]):
    from .harness import Harness

SEEDS = 500
MAX_FRAME_SIZE = 4_000  # bytes
CHECK_EVERY = 10_000  # frames


def main() -> None:
    """Run atheris, which exits the process with a status above 0 if anything was raised."""
    parser = argparse.ArgumentParser(prog="scripts/fuzz --guided")
    parser.add_argument("--frames", type=int, default=1_000_000, help="(default: %(default)s)")
    parser.add_argument(
        "--seed", type=int, default=1, help="of the random numbers (default: %(default)s)"
    )
    options = parser.parse_args()
    harness = Harness(Random(options.seed))  # noqa: S311 - not for security

    def feed(frame: bytes) -> None:
        harness.pass_time()
        harness.feed([frame])
        if harness.statistics.frames % CHECK_EVERY == 0:
            harness.check()

    with tempfile.TemporaryDirectory() as corpus:
        for number in range(SEEDS):
            (Path(corpus) / str(number)).write_bytes(harness.frame())
        arguments = [
            f"-runs={options.frames}",
            f"-seed={options.seed}",
            f"-max_len={MAX_FRAME_SIZE}",
        ]
        atheris.Setup([sys.argv[0], *arguments, "-print_final_stats=1", corpus], feed)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
