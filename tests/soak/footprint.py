"""Resources held by the process, and errors in its log."""

import asyncio
from dataclasses import dataclass
import gc
import logging
from pathlib import Path
import threading
from typing import override

POOLS = ("asyncio_", "ImportExecutor", "SyncWorker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """Resources held by the process, including the simulation; thread pools are not counted."""

    tasks: int
    sockets: int
    threads: int

    @classmethod
    def now(cls) -> Footprint:
        """Measure the current footprint."""
        gc.collect()
        descriptors = list(Path("/proc/self/fd").iterdir())
        links = [str(fd.readlink()) for fd in descriptors if fd.is_symlink()]
        return cls(
            tasks=len(asyncio.all_tasks()),
            sockets=sum(link.startswith("socket:") for link in links),
            threads=sum(not t.name.startswith(POOLS) for t in threading.enumerate()),
        )


class ErrorLog(logging.Handler):
    """Collects log records that indicate a bug: exceptions and errors of the event loop."""

    def __init__(self) -> None:
        """Handle records of level ERROR and above."""
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    @override
    def emit(self, record: logging.LogRecord) -> None:
        """Keep the record if it has an exception or comes from asyncio."""
        if record.exc_info or record.name == "asyncio":
            self.texts.append(self.format(record))
