"""Read what happened while the stream was down from the controller's system log."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
import logging

from ..api import EventRecord, LogRow, NotSupportedError, UnifiClient, UnifiError
from ..capture.recording_tracker import RecordingTracker

_LOGGER = logging.getLogger(__name__)

# Allows for differences between the clocks and for the log's own delay.
_MARGIN = 30.0  # seconds
# The snapshot waits for the log.
_TIMEOUT = 20.0  # seconds
# After a failure the log is not read again for a while, which doubles with each failure.
_FIRST_WAIT = 60.0  # seconds
_LONGEST_WAIT = 3600.0  # seconds
_MAX_IDS = 10_000


class SystemLogBackfill:
    """Reads the system log of a site for the gaps in its event stream.

    A controller without a system log (Network before 10, docs/protocol.md 4) is asked only once.
    `supported` is None until the log has been requested.
    """

    def __init__(self, site: str, tracker: RecordingTracker) -> None:
        """Start without a gap; `tracker` converts times to the controller's clock."""
        self.supported: bool | None = None
        self._site = site
        self._tracker = tracker
        self._since: float | None = None
        self._retry_at = 0.0
        self._wait = _FIRST_WAIT
        self._returned_ids: OrderedDict[str, None] = OrderedDict()

    def open_gap(self, since: float) -> None:
        """Start a gap at an event-loop time, or extend the open one back to it."""
        self._since = since if self._since is None else min(since, self._since)

    async def async_read(self, client: UnifiClient, *, is_over: bool) -> Sequence[EventRecord]:
        """Return the events of the gap that have not been returned yet, oldest first.

        Closes the gap if it is over; otherwise the next call continues from here. Logs a failure
        instead of raising UnifiError, and reads the gap again later.
        """
        clock = asyncio.get_running_loop().time
        if self._since is None or self.supported is False or clock() < self._retry_at:
            return ()
        now, since = clock(), self._since
        # Before the request, so that a gap opened while it runs is kept.
        self._since = None if is_over else now
        to_controller = self._tracker.controller_time
        try:
            async with asyncio.timeout(_TIMEOUT):
                rows: Sequence[LogRow] = await client.client_log(
                    self._site, to_controller(since) - _MARGIN, to_controller(now) + _MARGIN
                )
        except (UnifiError, TimeoutError) as err:
            if isinstance(err, NotSupportedError) and not self.supported:
                _LOGGER.debug("Site %s has no system log: %s", self._site, err)
                self.supported = False
                return ()
            # Not even a refusal is worth a new login: the session has just answered other requests.
            _LOGGER.debug("Failed to read the system log of site %s: %r", self._site, err)
            self.open_gap(since)
            self._retry_at = clock() + self._wait
            self._wait = min(self._wait * 2, _LONGEST_WAIT)
            return ()
        self.supported = True
        self._wait = _FIRST_WAIT
        # Sort by the controller's clock: converted to ours, several times may be clamped to now.
        rows = sorted(rows, key=lambda row: row.event.time or since)
        return [row.event for row in rows if self._is_new(row.id)]

    def _is_new(self, row_id: str | None) -> bool:
        if row_id is None:
            return True
        if row_id in self._returned_ids:
            return False
        self._returned_ids[row_id] = None
        if len(self._returned_ids) > _MAX_IDS:
            self._returned_ids.popitem(last=False)
        return True
