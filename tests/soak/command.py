"""The soak's command line."""

import argparse
import asyncio
import logging
import random
import time

from . import clock
from .run import KINDS, Soak


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="scripts/soak")
    add = parser.add_argument
    add("--roams", type=int, default=10_000)
    add("--clients", type=int, default=24)
    add("--seed", type=int, default=1)
    add("--kind", type=int, choices=range(len(KINDS)), action="append")
    add("--write", action="store_true")
    return parser.parse_args()


def main() -> int:
    """Soak, and return the exit status."""
    options = parse_arguments()
    logging.disable(logging.WARNING)
    for index in options.kind or range(len(KINDS)):
        kind = KINDS[index]
        random.seed(options.seed)
        clock.install_in("custom_components.unifi_scanner", options.seed)
        soak = Soak(
            kind, roams=options.roams // len(KINDS), clients=options.clients, seed=options.seed
        )
        began = time.perf_counter()
        with asyncio.Runner(loop_factory=clock.new_loop) as runner:
            outcome = runner.run(soak.run())
        print(kind.name, f"{time.perf_counter() - began:.1f} s real")
        v = outcome.verdict
        for name in ("arrivals", "once", "missed", "departures", "departures_once", "missed_departures"):
            print("  ", name, getattr(v, name))
        print("   doubled", len(v.doubled), "invented", len(v.invented), "unexplained", len(v.unexplained))
        for x in v.doubled[:5]: print("    D", x)
        for x in v.invented[:5]: print("    I", x)
        for x in v.unexplained[:5]: print("    U", x)
        print({k: getattr(outcome, k) for k in ("roams", "hours", "weather", "frames", "start", "end", "logins", "attempts", "reconnects", "snapshots", "log_pages", "misplaced")})
        for t in outcome.complaints[:3]: print(t)
    return 0
