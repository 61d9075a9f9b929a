"""Run the demo: `scripts/demo --help`."""

import signal
import sys

if __name__ == "__main__":
    # While the rest is loaded there is nothing to stop in order: an early Ctrl-C just ends it.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

    from .command import run_command

    sys.exit(run_command())
