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
from .backfill import GapLog
from .errors import async_ask
from .session import ConsoleSession
from .stream import SiteStream
from .stream_watchdog import Watchdog


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
        console: ConsoleSession,
        stream: SiteStream,
        tracker: RoamTracker,
    ) -> None:
        """Prepare, without a request."""
        self._entry = entry
        self._console = console
        self._site: str = entry.data[CONF_SITE]
        self._stream = stream
        self._tracker = tracker
        self._watchdog = Watchdog()
        self._log = GapLog(self._site, tracker)

    @property
    def has_log(self) -> bool | None:
        """Whether the controller has a system log to read; None before one was asked for."""
        return self._log.supported

    async def async_read(self) -> Snapshot:
        """Return a snapshot; raise as `async_ask` does."""
        try:
            return await async_ask(self._console, self._entry, self._async_fetch)
        except HomeAssistantError:
            self._tracker.doubt(time.time())
            raise

    async def _async_fetch(self, client: UnifiClient) -> Snapshot:
        devices = await client.access_points(self._site)
        stations = await client.stations(self._site)
        # For a large site, to read this and to act on it takes too long for one turn of the loop.
        await asyncio.sleep(0)
        stream = self._stream
        stream.async_resume(self._console)
        now = asyncio.get_running_loop().time()
        if stream.unbroken and self._watchdog.is_mute(
            stations, opened=stream.opened, heard=stream.heard, traffic=stream.traffic, now=now
        ):
            stream.async_reopen()
        if (since := stream.async_take_gap()) is not None:
            self._log.open(since)
        # After the clients, so that it explains all that they show.
        log = await self._log.async_read(client, is_over=stream.unbroken)
        return Snapshot(devices=devices, stations=stations, log=log)
