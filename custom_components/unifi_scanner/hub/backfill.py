"""Read what happened while the stream was down from the controller's system log."""

import asyncio
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
import logging

from ..api import (
    ClientLog,
    EventRecord,
    LogRow,
    NotPermittedError,
    NotSupportedError,
    UnifiError,
)
from ..api.turns import in_turns, parse_records
from .session import ControllerSession

_LOGGER = logging.getLogger(__name__)

# Rows before and after the gap are read too, as the clocks are only known approximately.
_MARGIN = 30.0  # seconds
# Rows are written seconds later than they happen (docs/protocol.md 4). The log is read this long
# after the end of a gap, then once a minute until two reads have brought nothing new.
_REPEATS = (5.0, 15.0, 30.0, 60.0)  # seconds
_REPEAT_INTERVAL = 60.0  # seconds
_QUIET_READS = 2
# Late rows may be written one by one. They are held back until a read, this much later, has found
# no more of them: a roam between two others would otherwise seem not to have happened.
_CONFIRMATION = 5.0  # seconds
# A row is written at most this much later, so older parts of the gap are not read again.
_LATEST_ROW = 300.0  # seconds
# Only the end of a longer gap is read.
_LONGEST_GAP = 2 * 3600.0  # seconds
# After a failure the log is not read again for a while, which grows with each failure in a row.
_FIRST_WAIT = 5.0  # seconds
_WAIT_FACTOR = 4.0
_LONGEST_WAIT = 3600.0  # seconds
# After as many, it is not expected to be readable soon.
_MAX_FAILURES = 3


@dataclass(slots=True)
class _Gap:
    """A gap in the event stream, and how far it has been read; in event-loop time.

    `ended` is its end and `last_read` the last read since then, None while the stream is down. The
    log is `read` up to a time, apart from rows that were written later. `quiet_reads` counts the
    reads in a row that found nothing new; `held` are late events that are returned after such a
    read. `confirmed` is the time up to which even rows that were written late have been read.
    """

    began: float
    ended: float | None = None
    read: float | None = None
    last_read: float | None = None
    quiet_reads: int = 0
    held: list[EventRecord] = field(default_factory=list)
    confirmed: float | None = None

    @property
    def unread_since(self) -> float:
        """The time from which rows may still be found."""
        return self.began if self.read is None else max(self.began, self.read - _LATEST_ROW)

    @property
    def next_read_due(self) -> float:
        """The event-loop time of the next read while the stream is open."""
        if self.ended is None or self.last_read is None:
            return self.began
        if self.held:
            return self.last_read + _CONFIRMATION
        passed = self.last_read - self.ended
        repeats = (self.ended + delay for delay in _REPEATS if delay > passed + 1.0)
        return next(repeats, self.last_read + _REPEAT_INTERVAL)

    @property
    def known_until(self) -> float | None:
        """Up to when all rows have been read, except for very late ones; None for all of the gap.

        It is the beginning of the gap before the first read.
        """
        if self.confirmed is None:
            return self.began
        is_over = not self.held and self.ended is not None and self.confirmed >= self.ended
        return None if is_over else self.confirmed

    @property
    def is_complete(self) -> bool:
        """Whether no further rows are expected."""
        if self.ended is None or self.last_read is None:
            return False
        passed = self.last_read - self.ended
        is_quiet = self.quiet_reads >= _QUIET_READS and passed >= _REPEATS[-1]
        return is_quiet or passed >= _LATEST_ROW

    def time_range(self, now: float) -> tuple[float, float]:
        """Return the times to read, without margins."""
        until = now if self.ended is None else self.ended
        return self.unread_since, until


class SystemLogBackfill:
    """Reads the system log of a site for the gaps in its event stream.

    Times are in seconds, on the event loop's clock unless the controller's is mentioned. Read a gap
    with every snapshot while the stream is down and with the first one afterwards, then whenever
    `next_read_due` says so. It becomes None when the log has been quiet for a while.

    A controller without a system log (Network before 10, docs/protocol.md 4) is asked only once.
    `supported` is None until the log has been requested. `truncated` counts the gaps that were too
    long to be read completely.
    """

    def __init__(self, site: str, controller_time: Callable[[float], float]) -> None:
        """Start without a gap.

        `controller_time` converts an event-loop time to POSIX seconds on the controller's clock.
        """
        self.supported: bool | None = None
        self.truncated = 0
        self._site = site
        self._controller_time = controller_time
        self._gap: _Gap | None = None
        self._retry_at = 0.0
        self._wait = _FIRST_WAIT
        self._failures = 0
        self._is_denied = False
        # When the rows that have been read happened, by id.
        self._known_rows: dict[str, float] = {}
        self._is_truncated = False
        self._lock = asyncio.Lock()

    @property
    def next_read_due(self) -> float | None:
        """When to read the log while the stream is open, in event-loop time; None for never."""
        if self._gap is None:
            return None
        return max(self._gap.next_read_due, self._retry_at)

    @property
    def is_readable(self) -> bool:
        """Whether the log can be read, as far as the latest requests have shown."""
        return self.supported is not False and self._failures < _MAX_FAILURES

    @property
    def known_until(self) -> float | None:
        """Up to when the log is known while more of a gap will be; None if no more will be."""
        if self._gap is None or not self.is_readable:
            return None
        oldest = asyncio.get_running_loop().time() - _LONGEST_GAP
        known_until = self._gap.known_until
        return None if known_until is None or known_until < oldest else known_until

    @property
    def gap_began(self) -> float | None:
        """Start of what may still be read of the gap, None without a gap."""
        return None if self._gap is None else self._gap.unread_since

    def open_gap(self, since: float) -> None:
        """Start a gap at a time, or extend the current one."""
        if self.supported is False:
            return
        if self._gap is None:
            self._gap = _Gap(since)
            self._is_truncated = False
            return
        gap = self._gap
        gap.began = min(gap.began, since)
        if gap.read is not None:
            gap.read = min(gap.read, since)
        if gap.confirmed is not None:
            gap.confirmed = min(gap.confirmed, since)
        gap.ended, gap.last_read, gap.quiet_reads = None, None, 0

    async def async_read(
        self,
        session: ControllerSession,
        *,
        is_over: bool,
        guests: Container[str] = (),
    ) -> Sequence[EventRecord]:
        """Return all events of the gap that have not been returned yet, oldest first.

        `is_over` says whether the stream is open. `guests` are the MACs of guests: rows do not say
        who is one. A failure is logged instead of raised, and the gap is read again later.
        """
        async with self._lock:
            now = asyncio.get_running_loop().time()
            gap = self._gap
            if gap is None or now < self._retry_at:
                return ()
            if gap.ended is None and is_over:
                gap.ended, gap.last_read = now, None
            began, ended = map(self._controller_time, gap.time_range(now))
            since, until = max(began, ended - _LONGEST_GAP) - _MARGIN, ended + _MARGIN
            try:
                log = await session.client_log(self._site, since, until)
            except UnifiError as err:
                self._process_failure(err)
                return self._release(gap)
            self.supported = True
            self._retry_at, self._wait, self._failures = 0.0, _FIRST_WAIT, 0
            self._is_denied = False
            if ended - began > _LONGEST_GAP or log.unread:
                self._note_truncated(log)

            def event_of(row: LogRow) -> EventRecord | None:
                return self._new_event(row, since, until, guests)

            events = await in_turns(parse_records(log.rows, event_of))
            is_quiet = all(event.time is not None and event.time > ended for event in events)
            gap.held += reversed(events)
            gap.held.sort(key=lambda event: event.time or since)
            # Another gap may have been opened meanwhile: then the stream is down again.
            is_first = gap.ended is None or gap.last_read is None
            gap.read, gap.last_read = min(now, gap.ended or now), now
            gap.quiet_reads = gap.quiet_reads + 1 if is_quiet else 0
            oldest = ended - _LATEST_ROW - _MARGIN
            self._known_rows = {
                key: time for key, time in self._known_rows.items() if time >= oldest
            }
            if gap.is_complete:
                self._gap = None
            elif not is_first and not is_quiet:
                return ()
            gap.confirmed = now - _REPEATS[0]
            return self._release(gap)

    @staticmethod
    def _release(gap: _Gap) -> list[EventRecord]:
        events, gap.held = gap.held, []
        return events

    def _new_event(
        self, row: LogRow, since: float, until: float, guests: Container[str]
    ) -> EventRecord | None:
        """Return a row's event, None if it was read before or is from another time."""
        event = row.event
        time = until if event.time is None else event.time
        key = row.id or f"{event.mac} {event.kind} {event.time} {event.ap_from} {event.ap_to}"
        if key in self._known_rows or not since <= time <= until:
            return None
        self._known_rows[key] = time
        return event._replace(guest=True) if event.mac in guests else event

    def _process_failure(self, err: UnifiError) -> None:
        if isinstance(err, NotSupportedError) and not self.supported:
            _LOGGER.debug("Site %s has no system log: %s", self._site, err)
            self.supported = False
            self._gap = None
            return
        if isinstance(err, NotPermittedError) and not self._is_denied:
            self._is_denied = True
            _LOGGER.warning(
                "The account lacks the right to read the system log of site %s, so what happens "
                "while the event stream is down is only found out in part",
                self._site,
            )
        _LOGGER.debug("Failed to read the system log of site %s: %r", self._site, err)
        self._retry_at = asyncio.get_running_loop().time() + self._wait
        self._wait = min(self._wait * _WAIT_FACTOR, _LONGEST_WAIT)
        self._failures += 1

    def _note_truncated(self, log: ClientLog) -> None:
        if self._is_truncated:
            return
        self._is_truncated = True
        self.truncated += 1
        _LOGGER.info(
            "The event stream of site %s was down for too long to find out everything that "
            "happened meanwhile: %s system log rows were read, older ones were not",
            self._site,
            len(log.rows),
        )
