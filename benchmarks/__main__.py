"""Run the benchmark: `scripts/bench --help`."""

from .command import main

if __name__ == "__main__":
    raise SystemExit(main())
