"""Read the current state of a site, and what happened while its event stream was down."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from homeassistant.config_entries import ConfigEntry
from homeassistant.exceptions import HomeAssistantError

from ..api import DeviceRecord, EventRecord, StationRecord, UnifiClient
from ..capture.recording_tracker import RecordingTracker
from ..const import CONF_SITE
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
        self._backfill = SystemLogBackfill(self._site, tracker)

    @property
    def has_log(self) -> bool | None:
        """Whether the controller has a system log, None until it has been requested."""
        return self._backfill.supported

    async def async_read(self) -> Snapshot:
        """Return a snapshot. Raises the exceptions of `async_request`."""
        try:
            return await async_request(self._session, self._entry, self._async_fetch)
        except HomeAssistantError:
            self._tracker.suspend_departures(asyncio.get_running_loop().time())
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
        for since in (self._tracker.resume(stations, now), stream.async_consume_gap_start()):
            if since is not None:
                self._backfill.open_gap(since)
        # Read the log after the clients, so that it covers every change that they show.
        log = await self._backfill.async_read(client, is_over=stream.is_continuous)
        return Snapshot(devices=devices, stations=stations, log=log)
