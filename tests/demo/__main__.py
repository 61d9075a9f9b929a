"""Run the demo: `scripts/demo --help`."""

import signal
import sys

if __name__ == "__main__":
    # During the imports there is nothing to shut down: an early Ctrl-C just ends the process.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

    from .command import run_command

    sys.exit(run_command())
