"""Read the current state of a site, and what happened while its event stream was down."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import callback
from homeassistant.exceptions import HomeAssistantError

from ..api import DeviceRecord, EventRecord, StationRecord, UnifiClient
from ..capture.recording_tracker import RecordingTracker
from ..const import CONF_SITE
from ..roaming import ClientEvent
from .backfill import SystemLogBackfill
from .errors import async_request
from .session import ControllerSession
from .stream import SiteStream
from .stream_watchdog import StreamWatchdog


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All devices and connected clients of a site, and earlier events from its system log."""

    devices: Sequence[DeviceRecord]
    stations: Sequence[StationRecord]
    log: Sequence[EventRecord]


class SnapshotReader:
    """Reads the snapshots of a site, and reopens its stream if they show that it is silent."""

    def __init__(
        self,
        entry: ConfigEntry,
        session: ControllerSession,
        stream: SiteStream,
        tracker: RecordingTracker,
    ) -> None:
        """Prepare without sending anything."""
        self._entry = entry
        self._session = session
        self._site: str = entry.data[CONF_SITE]
        self._stream = stream
        self._tracker = tracker
        self._watchdog = StreamWatchdog()
        self._backfill = SystemLogBackfill(self._site, tracker.controller_time)
        # The time of the previous snapshot.
        self._previous: float | None = None

    @property
    def has_log(self) -> bool | None:
        """Whether the system log can be read, None until it has been requested."""
        return self._backfill.supported if self._backfill.is_readable else False

    @property
    def truncated_gaps(self) -> int:
        """Number of gaps that were too long to be read from the system log completely."""
        return self._backfill.truncated

    @property
    def gap_began(self) -> float | None:
        """Start of the gap that the system log is still read for, None for no such gap.

        Event-loop time. After a restart, the gap is to be read from here again.
        """
        return self._backfill.gap_began

    @property
    def next_log_read(self) -> float | None:
        """When `async_read_log` is to be called, in event-loop time; None for not at all.

        It changes with every snapshot and every read of the log.
        """
        return self._backfill.next_read_due if self._stream.is_continuous else None

    async def async_read(self) -> Snapshot:
        """Return a snapshot. Raises the exceptions of `async_request`."""
        try:
            return await async_request(self._session, self._entry, self._async_fetch)
        except HomeAssistantError:
            now = asyncio.get_running_loop().time()
            self._tracker.suspend_departures(now)
            self.async_expect_log(now)
            raise

    async def _async_fetch(self, client: UnifiClient) -> Snapshot:
        devices = await client.devices(self._site)
        stations = await client.stations(self._site)
        # Let other tasks run: parsing a large site and acting on it would block the loop too long.
        await asyncio.sleep(0)
        stream = self._stream
        stream.async_resume(self._session)
        now = asyncio.get_running_loop().time()
        if stream.is_continuous and self._watchdog.is_silent(
            stations,
            opened_at=stream.opened_at,
            last_activity=stream.last_activity,
            regular_frame_count=stream.regular_frame_count,
            now=now,
        ):
            stream.async_reopen()
        if (since := self._tracker.resume(stations, now)) is not None:
            self._backfill.open_gap(since)
        self.async_expect_log(now)
        log: Sequence[EventRecord] = ()
        due = self.next_log_read
        if due is None or due <= now:
            # Read the log after the clients, so that it covers every change that they show.
            log = await self._backfill.async_read(
                self._session,
                is_over=stream.is_continuous,
                guests=self._guests(stations),
            )
        return Snapshot(devices=devices, stations=stations, log=log)

    async def async_read_log(self) -> Sequence[EventRecord]:
        """Return earlier events from the system log without a snapshot, oldest first.

        Rows are written seconds after they happened, so the log is read again after a gap. Never
        raises UnifiError.
        """
        self._async_extend_gap()
        return await self._backfill.async_read(
            self._session, is_over=self._stream.is_continuous, guests=self._guests(())
        )

    @callback
    def async_expect_log(self, now: float) -> None:
        """Let the tracker wait for what will be read from the system log."""
        self._async_extend_gap()
        self._tracker.expect_log(
            self._backfill.known_until, now, unread_since=self._backfill.gap_began
        )

    @callback
    def async_process_log(
        self, rows: Sequence[EventRecord], now: float, *, is_last: bool
    ) -> list[ClientEvent]:
        """Process some rows, oldest first, and return the tracker's events."""
        known_until = self._backfill.known_until
        if not is_last and (time := rows[-1].time) is not None:
            applied_until = self._tracker.loop_time(time)
            known_until = min(applied_until, now if known_until is None else known_until)
        return self._tracker.process_log(rows, known_until, now)

    @callback
    def async_process(self, snapshot: Snapshot, now: float) -> list[ClientEvent]:
        """Process the clients of a snapshot, and return the tracker's events.

        If it implies what an open stream has not said, the system log is read before that is
        reported.
        """
        self.async_expect_log(now)
        previous, self._previous = self._previous, now
        is_complete = (
            self._backfill.is_readable
            and self._backfill.known_until is None
            and self._stream.last_event is not None
        )
        if is_complete:
            self._tracker.expect_log(previous, now)
        events = self._tracker.process_snapshot(snapshot.stations, now)
        if is_complete:
            if previous is not None and self._tracker.waits_for_log:
                self._backfill.open_gap(previous)
            self.async_expect_log(now)
        return events

    @callback
    def _async_extend_gap(self) -> None:
        if (since := self._stream.async_consume_gap_start()) is not None:
            self._backfill.open_gap(since)

    def _guests(self, stations: Sequence[StationRecord]) -> set[str]:
        """Return the MACs of the guests among these clients and those known before."""
        known = {mac for mac, state in self._tracker.clients.items() if state.guest}
        return known | {station.mac for station in stations if station.guest}
