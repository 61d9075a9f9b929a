"""Replay a capture: see `scripts/replay --help`."""

from .command import main

if __name__ == "__main__":
    raise SystemExit(main())
