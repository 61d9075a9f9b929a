"""Detect an event stream that is of no use: silent, always refused, or closed at once."""

from collections.abc import Iterable, Sequence

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from ..api import StationRecord
from ..const import DOMAIN
from ..issues.account import (
    NO_LIVE_UPDATES,
    STREAM_CLOSED,
    STREAM_REFUSED,
    Account,
    AccountIssue,
    async_create_issue,
    async_delete_issue,
)
from ..roaming import ClientEvent, Source
from .stream import SiteStream
from .stream_watchdog import newest_activity, was_active

# How long clients must have been active while the stream reported nothing. By then the watchdog has
# reopened the stream five times.
SILENT_FOR = 3600.0  # seconds
# A single missed change may be a lost frame.
_MIN_MISSED = 2
# How long snapshots must have been read while the stream could not be opened.
REFUSED_FOR = 3600.0  # seconds
# Between snapshots that are further apart, the controller did not respond at all.
_LONGEST_PAUSE = 660.0  # seconds
# Entries reporting an issue; it is deleted once none of them does.
_REPORTING_ENTRIES: HassKey[dict[tuple[AccountIssue, Account], set[str]]] = HassKey(
    f"{DOMAIN}_useless_streams"
)


class SilenceDetector:
    """Measures how long a site's stream has failed to report changes that snapshots show.

    Active clients alone prove nothing: some controllers only send `events` (core#72240), and those
    only when a client moves, which may take all night. So the silence is measured from a change
    that only a snapshot has shown.
    """

    def __init__(self) -> None:
        """Start without silence."""
        self._last_report: object = None
        self._opened_at: float | None = None
        self._updated_at = 0.0
        self._newest_activity: float | None = None
        self._missed = 0
        self._duration = 0.0

    @property
    def is_proven(self) -> bool:
        """Whether the stream has missed enough changes for long enough."""
        return self._missed >= _MIN_MISSED and self._duration >= SILENT_FOR

    def update(
        self,
        stations: Iterable[StationRecord],
        *,
        missed: int,
        last_report: object,
        opened_at: float | None,
        now: float,
    ) -> None:
        """Process a snapshot's clients; `missed` changes were shown by nothing else.

        `last_report` differs from call to call if the stream has reported a client in between.
        `opened_at` is the time the stream was opened, None if it is not open, on the clock of
        `now`, in seconds.
        """
        previous_opened_at, self._opened_at = self._opened_at, opened_at
        elapsed, self._updated_at = now - self._updated_at, now
        previous_activity, self._newest_activity = self._newest_activity, newest_activity(stations)
        if last_report != self._last_report:
            self._last_report, self._missed, self._duration = last_report, 0, 0.0
        elif opened_at is not None and opened_at == previous_opened_at:
            if self._missed and was_active(previous_activity, self._newest_activity):
                self._duration += elapsed
            self._missed += missed


class RefusalDetector:
    """Measures how long a site's stream could not be opened although snapshots were read."""

    def __init__(self) -> None:
        """Start without a refusal."""
        self._updated_at = 0.0
        self._connections = 0
        self._duration = 0.0

    @property
    def is_proven(self) -> bool:
        """Whether the stream has been refused for long enough."""
        return self._duration >= REFUSED_FOR

    def update(self, *, is_open: bool, connections: int, now: float) -> None:
        """Process a snapshot that was read; `now` is in seconds.

        `connections` is how often the stream was opened until now.
        """
        elapsed, self._updated_at = now - self._updated_at, now
        was_opened = is_open or connections != self._connections
        self._connections = connections
        if was_opened or elapsed > _LONGEST_PAUSE:
            self._duration = 0.0
        else:
            self._duration += elapsed


class SilentStreamMonitor:
    """Raises and deletes the repair issues about a useless stream, shared by an account's sites."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, stream: SiteStream) -> None:
        """Start without reporting an issue."""
        self._hass = hass
        self._entry_id = entry.entry_id
        self._account = Account.of(entry)
        self._stream = stream
        self._detector = SilenceDetector()
        self._refusal = RefusalDetector()

    @callback
    def async_update(
        self, stations: Sequence[StationRecord], events: Iterable[ClientEvent]
    ) -> None:
        """Process a snapshot's clients and the events they caused; raise or delete the issues."""
        stream, now = self._stream, self._hass.loop.time()
        last_report = (stream.last_event, stream.last_sync)
        self._detector.update(
            stations,
            missed=sum(event.source is Source.RESYNC for event in events),
            last_report=last_report,
            opened_at=stream.opened_at if stream.is_continuous else None,
            now=now,
        )
        self._refusal.update(is_open=stream.connected, connections=stream.connections, now=now)
        self._async_report(
            NO_LIVE_UPDATES, applies=self._detector.is_proven, is_over=any(last_report)
        )
        self._async_report(
            STREAM_REFUSED, applies=self._refusal.is_proven, is_over=stream.connections > 0
        )
        self._async_report(
            STREAM_CLOSED, applies=stream.closes_at_once, is_over=stream.statistics.frames > 0
        )

    @callback
    def async_close(self) -> None:
        """Stop reporting the issues without deleting them: ignored ones stay so after a reload."""
        for issue in (NO_LIVE_UPDATES, STREAM_REFUSED, STREAM_CLOSED):
            self._reporting_entries(issue).discard(self._entry_id)

    @callback
    def _async_report(self, issue: AccountIssue, *, applies: bool, is_over: bool) -> None:
        """Raise an issue if it applies; delete it if it is over for all sites of the account."""
        entries = self._reporting_entries(issue)
        if applies:
            entries.add(self._entry_id)
            async_create_issue(self._hass, issue, self._account)
        elif is_over:
            entries.discard(self._entry_id)
            if not entries:
                async_delete_issue(self._hass, issue, self._account)

    def _reporting_entries(self, issue: AccountIssue) -> set[str]:
        entries = self._hass.data.setdefault(_REPORTING_ENTRIES, {})
        return entries.setdefault((issue, self._account), set())
