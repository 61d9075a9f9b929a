"""Detect a controller that keeps the event stream open but reports nothing about its clients."""

from collections.abc import Iterable, Sequence

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from ..api import StationRecord
from ..const import DOMAIN
from ..issues.account import NO_LIVE_UPDATES, Account, async_create_issue, async_delete_issue
from ..roaming import ClientEvent, Source
from .stream import SiteStream
from .stream_watchdog import newest_activity, was_active

# How long clients must have been active while the stream reported nothing. By then the watchdog has
# reopened the stream five times.
SILENT_FOR = 3600.0  # seconds
# A single missed change may be a lost frame.
_MIN_MISSED = 2
# Entries reporting the issue, per account; it is deleted once none of them does.
_REPORTING_ENTRIES: HassKey[dict[Account, set[str]]] = HassKey(f"{DOMAIN}_no_live_updates")


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


class SilentStreamMonitor:
    """Raises and deletes the repair issue about a silent stream, shared by an account's sites."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, stream: SiteStream) -> None:
        """Start without reporting the issue."""
        self._hass = hass
        self._entry_id = entry.entry_id
        self._account = Account.of(entry)
        self._stream = stream
        self._detector = SilenceDetector()

    @callback
    def async_update(
        self, stations: Sequence[StationRecord], events: Iterable[ClientEvent]
    ) -> None:
        """Process a snapshot's clients and the events they caused; raise or delete the issue."""
        stream = self._stream
        last_report = (stream.last_event, stream.last_sync)
        self._detector.update(
            stations,
            missed=sum(event.source is Source.RESYNC for event in events),
            last_report=last_report,
            opened_at=stream.opened_at if stream.is_continuous else None,
            now=self._hass.loop.time(),
        )
        if self._detector.is_proven:
            self._reporting_entries.add(self._entry_id)
            async_create_issue(self._hass, NO_LIVE_UPDATES, self._account)
        elif any(last_report):
            self.async_close()
            if not self._reporting_entries:
                async_delete_issue(self._hass, NO_LIVE_UPDATES, self._account)

    @callback
    def async_close(self) -> None:
        """Stop reporting the issue without deleting it, so that it stays ignored after a reload."""
        self._reporting_entries.discard(self._entry_id)

    @property
    def _reporting_entries(self) -> set[str]:
        return self._hass.data.setdefault(_REPORTING_ENTRIES, {}).setdefault(self._account, set())
