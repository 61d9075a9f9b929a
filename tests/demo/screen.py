"""The demo's output in the terminal."""

import asyncio
from collections.abc import Awaitable
from datetime import datetime
import re
import sys
import time

from .home_assistant import Json
from .process import DemoError

TICK_SECONDS = 5.0
STEP_SECONDS = 120.0
RECORD = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\S* (\w+) ")
# How long to wait for the rest of a record, such as its traceback.
RECORD_SECONDS = 0.5


def say(text: str = "") -> None:
    """Print and flush, so that output appears immediately in a pipe too."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def step[T](title: str, work: Awaitable[T]) -> T:
    """Wait for `work` and show progress; DemoError if it takes too long."""
    say(title)
    started = time.monotonic()
    task = asyncio.ensure_future(work)
    try:
        while not (await asyncio.wait([task], timeout=TICK_SECONDS))[0]:
            seconds = time.monotonic() - started
            if seconds > STEP_SECONDS:
                raise DemoError(f"{title}: timed out after {seconds:.0f} s")
            say(f"    ... {seconds:.0f} s")
    finally:
        task.cancel()
    return await task


HEADER = """
Roams as they arrive on Home Assistant's event bus. The signal is blank while it is unknown.
"inferred" means concluded from the controller's client records, not reported by an event.

time      client           from -> to                     band   signal"""


def roam_line(roam: Json) -> str:
    """Format a roam event as one line, in the columns of HEADER."""
    at = datetime.fromisoformat(roam["time"]).astimezone()
    path = f"{roam['ap_from_name']} -> {roam['ap_to_name']}"
    signal = "" if roam["signal"] is None else f"{roam['signal']} dBm"
    inferred = "inferred" if roam["inferred"] else ""
    line = f"{at:%H:%M:%S}  {roam['client_name']:<16} {path:<28} {roam['band_to']:>3} GHz"
    return f"{line}  {signal:<8} {inferred}".rstrip()


class LogWatch:
    """Shows the warnings and errors of Home Assistant's log that name the integration."""

    def __init__(self, word: str) -> None:
        """Show records that contain `word`, also in their traceback."""
        self.shown = 0
        self._word = word
        self._record: list[str] = []
        self._due: asyncio.TimerHandle | None = None

    def line(self, text: str) -> None:
        """Process the next line of the log."""
        if RECORD.match(text):
            self.flush()
        self._record.append(text)
        if self._due is None:
            self._due = asyncio.get_running_loop().call_later(RECORD_SECONDS, self.flush)

    def flush(self) -> None:
        """Show the pending record if it is a warning or error about the integration."""
        if self._due:
            self._due.cancel()
            self._due = None
        record, self._record = "\n".join(self._record), []
        level = RECORD.match(record)
        if level is None or level[1] not in {"WARNING", "ERROR", "CRITICAL"}:
            return
        # Home Assistant logs this for every custom integration.
        if self._word in record and "has not been tested by Home Assistant" not in record:
            self.shown += 1
            say(f"Home Assistant's log: {record}")
