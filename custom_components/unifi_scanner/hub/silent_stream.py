"""Notices a controller that tells nothing of its clients, though its stream is open."""

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

# How long clients must have been active without a word of it, in seconds. The watchdog has opened
# the stream anew five times by then.
SILENT_FOR = 3600.0
# How many changes must have been missed: one may have got lost.
_MISSED = 2
# The entries that complain, by account: it takes them all to fall silent.
_REPORTING_ENTRIES: HassKey[dict[Account, set[str]]] = HassKey(f"{DOMAIN}_no_live_updates")


class SilenceDetector:
    """How long a site's stream has told nothing of what snapshots show.

    Activity alone proves nothing: where only `events` come (core#72240) they come when somebody
    moves, and that may be in the morning. So silence begins with a change that only a snapshot
    has told.
    """

    def __init__(self) -> None:
        """Start without suspicion."""
        self._told: object = None
        self._opened: float | None = None
        self._at = 0.0
        self._seen: float | None = None
        self._missed = 0
        self._lasted = 0.0

    @property
    def is_proven(self) -> bool:
        """Whether the controller keeps back what happens."""
        return self._missed >= _MISSED and self._lasted >= SILENT_FOR

    def update(
        self,
        stations: Iterable[StationRecord],
        *,
        missed: int,
        told: object,
        opened: float | None,
        now: float,
    ) -> None:
        """Take a snapshot's clients, and how many changes nothing else has told of.

        `told` is another value whenever the stream has told something of a client; `opened` is
        when it was opened, None when it is not open, in seconds by the clock of `now`.
        """
        before, self._opened = self._opened, opened
        step, self._at = now - self._at, now
        last, self._seen = self._seen, newest_activity(stations)
        if told != self._told:
            self._told, self._missed, self._lasted = told, 0, 0.0
        elif opened is not None and opened == before:
            if self._missed and was_active(last, self._seen):
                self._lasted += step
            self._missed += missed


class SilentStreamMonitor:
    """A site's voice in the issue about a controller that tells nothing; sites share the issue."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, stream: SiteStream) -> None:
        """Start without a complaint."""
        self._hass = hass
        self._entry_id = entry.entry_id
        self._account = Account.of(entry)
        self._stream = stream
        self._silence = SilenceDetector()

    @callback
    def async_update(
        self, stations: Sequence[StationRecord], events: Iterable[ClientEvent]
    ) -> None:
        """Take a snapshot's clients and what came of them; raise the issue or take it back."""
        stream = self._stream
        told = (stream.last_event, stream.last_sync)
        self._silence.update(
            stations,
            missed=sum(event.source is Source.RESYNC for event in events),
            told=told,
            opened=stream.opened_at if stream.is_continuous else None,
            now=self._hass.loop.time(),
        )
        if self._silence.is_proven:
            self._reporting_entries.add(self._entry_id)
            async_create_issue(self._hass, NO_LIVE_UPDATES, self._account)
        elif any(told):
            self.async_close()
            if not self._reporting_entries:
                async_delete_issue(self._hass, NO_LIVE_UPDATES, self._account)

    @callback
    def async_close(self) -> None:
        """Complain no more. Whoever ignores the issue finds it so after a reload or a restart."""
        self._reporting_entries.discard(self._entry_id)

    @property
    def _reporting_entries(self) -> set[str]:
        return self._hass.data.setdefault(_REPORTING_ENTRIES, {}).setdefault(self._account, set())
