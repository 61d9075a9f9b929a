"""What happened while the stream was down, from the controller's system log."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
import logging
import time

from ..api import EventRecord, LogRow, NotSupportedError, UnifiClient, UnifiError
from ..roaming import RoamTracker

_LOGGER = logging.getLogger(__name__)

# Both clocks and the log's own delay are allowed for by this much, in seconds.
_MARGIN = 30.0
# A snapshot must not wait for the log longer than this, in seconds.
_TIMEOUT = 20.0
# A log that cannot be read is left alone for a while, doubling, in seconds.
_FIRST_WAIT = 60.0
_LONGEST_WAIT = 3600.0
_MOST_IDS = 10_000


class SystemLogBackfill:
    """Reads the system log of a site for the time in which nothing else told what happened.

    A controller without one is asked once (Network before 10: protocol.md 4).
    """

    def __init__(self, site: str, tracker: RoamTracker) -> None:
        """Start without a gap; the tracker knows the controller's clock."""
        self.supported: bool | None = None
        self._site = site
        self._tracker = tracker
        self._since: float | None = None
        self._not_before = 0.0
        self._wait = _FIRST_WAIT
        self._told: OrderedDict[str, None] = OrderedDict()

    def open(self, since: float) -> None:
        """Begin a gap, unless there is an earlier one, at a POSIX time by our clock."""
        self._since = since if self._since is None else min(since, self._since)

    async def async_read(self, client: UnifiClient, *, is_over: bool) -> Sequence[EventRecord]:
        """Return what the log tells of the gap and has not told before; never raises UnifiError.

        A gap that is over is closed by that; one that is not goes on.
        """
        clock = asyncio.get_running_loop().time
        if self._since is None or self.supported is False or clock() < self._not_before:
            return ()
        now = time.time()
        # Our clock may have been set back.
        since = min(self._since, now)
        # From here on another gap may be opened.
        self._since = None if is_over else now
        to_controller = self._tracker.controller_time
        try:
            async with asyncio.timeout(_TIMEOUT):
                rows: Sequence[LogRow] = await client.client_log(
                    self._site, to_controller(since) - _MARGIN, to_controller(now) + _MARGIN
                )
        except (UnifiError, TimeoutError) as err:
            if isinstance(err, NotSupportedError) and not self.supported:
                _LOGGER.debug("Site %s has no system log to read: %s", self._site, err)
                self.supported = False
                return ()
            # Even a refused session is none to renew: others have just been answered in it.
            _LOGGER.debug("The system log of site %s was not read: %r", self._site, err)
            self.open(since)
            self._not_before = clock() + self._wait
            self._wait = min(self._wait * 2, _LONGEST_WAIT)
            return ()
        self.supported = True
        self._wait = _FIRST_WAIT
        # In order by the controller's clock: by ours, several may have been just now.
        rows = sorted(rows, key=lambda row: row.event.time or since)
        return [row.event for row in rows if self._is_new(row.id)]

    def _is_new(self, row_id: str | None) -> bool:
        if row_id is None:
            return True
        if row_id in self._told:
            return False
        self._told[row_id] = None
        if len(self._told) > _MOST_IDS:
            self._told.popitem(last=False)
        return True
