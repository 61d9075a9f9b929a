"""A site as its controller describes it now, with what has happened since the stream broke."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
import time

from homeassistant.config_entries import ConfigEntry
from homeassistant.exceptions import HomeAssistantError

from ..api import DeviceRecord, EventRecord, StationRecord, UnifiClient
from ..const import CONF_SITE
from ..roaming import RoamTracker
from .backfill import SystemLogBackfill
from .errors import async_request
from .session import ControllerSession
from .stream import SiteStream
from .stream_watchdog import StreamWatchdog


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All devices and all connected clients of a site; `log` goes before them."""

    devices: Sequence[DeviceRecord]
    stations: Sequence[StationRecord]
    log: Sequence[EventRecord]


class SnapshotReader:
    """Takes the snapshots of a site, and draws from them what they say of its stream."""

    def __init__(
        self,
        entry: ConfigEntry,
        session: ControllerSession,
        stream: SiteStream,
        tracker: RoamTracker,
    ) -> None:
        """Prepare, without a request."""
        self._entry = entry
        self._session = session
        self._site: str = entry.data[CONF_SITE]
        self._stream = stream
        self._tracker = tracker
        self._watchdog = StreamWatchdog()
        self._log = SystemLogBackfill(self._site, tracker)

    @property
    def has_log(self) -> bool | None:
        """Whether the controller has a system log to read; None before one was asked for."""
        return self._log.supported

    async def async_read(self) -> Snapshot:
        """Return a snapshot; raise as `async_request` does."""
        try:
            return await async_request(self._session, self._entry, self._async_fetch)
        except HomeAssistantError:
            self._tracker.suspend_departures(time.time())
            raise

    async def _async_fetch(self, client: UnifiClient) -> Snapshot:
        devices = await client.access_points(self._site)
        stations = await client.stations(self._site)
        # For a large site, to read this and to act on it takes too long for one turn of the loop.
        await asyncio.sleep(0)
        stream = self._stream
        stream.async_resume(self._session)
        now = asyncio.get_running_loop().time()
        if stream.is_continuous and self._watchdog.is_silent(
            stations,
            opened=stream.opened_at,
            heard=stream.last_activity,
            traffic=stream.regular_frame_count,
            now=now,
        ):
            stream.async_reopen()
        if (since := stream.async_consume_gap_start()) is not None:
            self._log.open(since)
        # After the clients, so that it explains all that they show.
        log = await self._log.async_read(client, is_over=stream.is_continuous)
        return Snapshot(devices=devices, stations=stations, log=log)
