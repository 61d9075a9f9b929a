"""One site: its snapshot, its stream, its tracker, and who is told of what has changed."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
import logging
import time
from typing import override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_change
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.loader import async_get_loaded_integration

from .api.records import DeviceRecord, Observation, SystemInfo
from .capture.recorder import CaptureRecorder
from .capture.recording_tracker import RecordingTracker
from .const import (
    CONF_DISCONNECT_DELAY,
    CONF_LOW_DATA,
    CONF_SITE,
    DOMAIN,
    option,
)
from .hub.errors import async_request
from .hub.known_clients import async_known_clients, names_of
from .hub.metrics import StreamMetrics
from .hub.session import ControllerSession
from .hub.silent_stream import SilentStreamMonitor
from .hub.snapshot import SnapshotReader
from .hub.stream import SiteStream
from .roaming import ClientEvent, ClientState, RoamTracker
from .site.areas import SiteAreas
from .site.devices import SiteDevices
from .site.history import SiteHistory
from .site.listeners import SiteListeners
from .site.new_clients import NewClientDetector
from .site.publisher import EventPublisher
from .site.roam_log import RoamLog
from .site.timers import Timers
from .site.tracked import TrackedClients

_LOGGER = logging.getLogger(__name__)

# Snapshots heal what the stream never told, and stand in for it while it is down.
SNAPSHOT_INTERVAL = timedelta(seconds=60)
# With little data, as long as the stream tells what happens.
LOW_DATA_INTERVAL = timedelta(minutes=5)
# The controller is not asked again sooner than this, whatever is to be confirmed, in seconds.
SOONEST_RECHECK = 5.0
# How long what is known is believed while the controller cannot be reached in any way.
GRACE = 60.0  # seconds

type UnifiScannerConfigEntry = ConfigEntry[UnifiScannerCoordinator]


class UnifiScannerCoordinator(DataUpdateCoordinator[None]):
    """Knows where the wireless clients of a site are, and tells it as soon as it changes.

    Listeners added by `async_add_listener` are called after each snapshot and when clients have
    been added; `listeners` are for what is shown. `available` stays True through short gaps.
    """

    config_entry: UnifiScannerConfigEntry
    system_info: SystemInfo

    def __init__(
        self, hass: HomeAssistant, config_entry: UnifiScannerConfigEntry, session: ControllerSession
    ) -> None:
        """Prepare; the first refresh asks the controller, `async_start` listens to it."""
        super().__init__(
            hass,
            _LOGGER,
            config_entry=config_entry,
            name=config_entry.title,
            update_interval=SNAPSHOT_INTERVAL,
        )
        self.session = session
        self.site: str = config_entry.data[CONF_SITE]
        self.tracked = TrackedClients(hass, config_entry)
        self.recorder = CaptureRecorder()
        self.tracker = RecordingTracker(
            RoamTracker(option(config_entry, CONF_DISCONNECT_DELAY)), self.recorder
        )
        self.clients = self.tracker.clients
        self.history = SiteHistory(hass, config_entry.entry_id, self.tracked)
        self.roam_log = RoamLog(hass, config_entry.entry_id, self.tracked)
        self.devices = SiteDevices(hass, config_entry)
        self._publisher = EventPublisher(hass, config_entry, self.devices, self.tracked)
        self.available = True
        self._low_data: bool = option(config_entry, CONF_LOW_DATA)
        self._stream = SiteStream(
            hass,
            config_entry,
            on_batch=self._async_take_batch,
            on_change=self._async_take_stream_change,
            on_refusal=self._async_take_refusal,
            recorder=self.recorder,
            records_of=self.tracked if self._low_data else None,
        )
        self.metrics = StreamMetrics(self._stream, hass.loop.time)
        self._snapshots = SnapshotReader(config_entry, session, self._stream, self.tracker)
        self._silent_stream = SilentStreamMonitor(hass, config_entry, self._stream)
        self._timers = Timers(hass)
        self.listeners = SiteListeners()
        self.areas = SiteAreas(
            hass,
            config_entry,
            devices=self.devices,
            clients=self.clients,
            tracked=self.tracked,
            client_listeners=self.listeners.clients,
            timers=self._timers,
            on_areas=self.async_update_listeners,
        )
        self._new_clients = NewClientDetector(
            hass,
            history=self.history,
            clients=self.clients,
            timers=self._timers,
            on_due=self._async_welcome_waiting,
        )
        self._snapshot_requested = False
        # What ends that which is done again and again.
        self._unsubscribe: list[CALLBACK_TYPE] = []

    async def async_start(self) -> None:
        """Listen to the controller until `async_shutdown`; to be called after the first refresh."""
        self._unsubscribe = [
            # Every hour: where the clocks are changed at midnight there may be none.
            async_track_time_change(self.hass, self._async_begin_day, minute=0, second=0),
            self.metrics.async_start(self.hass, self.listeners.async_notify_site),
        ]
        self._new_clients.async_start()
        self._stream.async_start(self.session)

    @override
    async def async_shutdown(self) -> None:
        """End the stream and all that is scheduled, and write down what would be lost."""
        await super().async_shutdown()
        self._timers.async_close()
        self._silent_stream.async_close()
        while self._unsubscribe:
            self._unsubscribe.pop()()
        await self._stream.async_stop()
        await self.history.async_save()
        await self.roam_log.async_save()

    # What there is to see

    @property
    def access_points(self) -> Mapping[str, DeviceRecord]:
        """The access points by MAC, and whatever else clients have been on."""
        return self.devices.access_points

    @property
    def stream_connected(self) -> bool:
        """Whether the controller tells what happens as it happens."""
        return self._stream.connected

    @property
    def stream(self) -> SiteStream:
        """The site's event stream."""
        return self._stream

    @property
    def has_log(self) -> bool | None:
        """Whether the controller has a system log to read; None before one was asked for."""
        return self._snapshots.has_log

    def client(self, mac: str) -> ClientState | None:
        """Return a client's present state, None when it has not been seen lately."""
        return self.clients.get(mac)

    def access_point_of(self, mac: str) -> str | None:
        """Return the MAC of the access point a client is on, None when it is not connected."""
        state = self.clients.get(mac)
        return None if state is None else state.ap_mac

    def access_point_name(self, mac: str | None) -> str | None:
        """Return what people call an access point, None for none."""
        return None if mac is None else self.devices.access_point_name(mac)

    # What comes in

    @override
    async def _async_setup(self) -> None:
        await self.history.async_load()
        await self.roam_log.async_load()
        self.system_info = await async_request(
            self.session, self.config_entry, lambda client: client.system_info(self.site)
        )
        self.recorder.versions["network_version"] = self.system_info.version
        integration = async_get_loaded_integration(self.hass, DOMAIN)
        self.recorder.versions["integration_version"] = str(integration.version)
        self.devices.async_register_controller(self.system_info)
        names = self.devices.names_of(self.tracked)
        nameless = self.tracked - names.keys()
        if nameless or not self.history.is_seeded:
            known = await async_known_clients(self.session, self.site)
            self.devices.fallback_names = names_of(known, nameless)
            self._new_clients.seen_before = [client.mac for client in known]
        self.tracker.set_names({**names, **self.devices.fallback_names})
        self.areas.async_start()
        self.tracked.async_add_listener(self.areas.async_write_all_states)

    @override
    async def _async_update_data(self) -> None:
        self._snapshot_requested = False
        snapshot = await self._snapshots.async_read()
        now = time.time()
        before: dict[str, ClientState | None] = dict(self.clients)
        # What is known in detail comes before what only shows that something has happened.
        events = self.tracker.process_batch(snapshot.log, now)
        events += self.tracker.process_snapshot(snapshot.stations, now)
        self._silent_stream.async_update(snapshot.stations, events)
        self.recorder.record_devices(snapshot.devices)
        known = self.devices.access_points
        self.devices.async_update_from_snapshot(
            snapshot.devices, self.tracker.clients_per_access_point
        )
        self.devices.async_update_names(self.clients)
        self.areas.async_refresh()
        new = self._new_clients.async_process_snapshot()
        self.tracked.async_add_new_clients(self.clients[mac] for mac in new)
        self.devices.async_remove_stale(self.tracked, self.hass.loop.time())
        # Whoever is told finds states that are there.
        self._async_recover()
        for mac in self.clients.keys() - before.keys():
            before[mac] = None
        if self.devices.access_points != known:
            # Their names are shown by clients that are there or have been.
            self.listeners.clients.async_notify_all()
        self._async_apply(events, self._async_changed(before))
        self._async_tell_new(new)
        self.areas.async_reconcile()
        if (due := self.tracker.recheck_due) is not None:
            self._timers.async_set(
                "recheck", max(SOONEST_RECHECK, due - now), self._async_request_snapshot
            )

    @override
    @callback
    def _async_refresh_finished(self) -> None:
        self._async_judge_availability()
        self._async_show_numbers()

    @callback
    def _async_request_snapshot(self) -> None:
        """Take a snapshot, once the one that is under way, if any, is finished."""
        if self._snapshot_requested or self._shutdown_requested:
            return
        self._snapshot_requested = True
        self.config_entry.async_create_background_task(
            self.hass, self.async_refresh(), f"{self.name} snapshot"
        )

    @callback
    def _async_take_stream_change(self) -> None:
        saves = self._low_data and self.stream_connected
        self.update_interval = LOW_DATA_INTERVAL if saves else SNAPSHOT_INTERVAL
        if self.available or not self.stream_connected:
            self._async_judge_availability()
        self.listeners.async_notify_site()
        # Connected: what has happened meanwhile? Whoever was unavailable shows only what is true
        # after that. Lost: does the controller answer at all?
        self._async_request_snapshot()

    @callback
    def _async_take_refusal(self) -> None:
        self.tracker.suspend_departures(time.time())

    @callback
    def _async_take_batch(self, batch: Sequence[Observation | None]) -> None:
        before = {seen.mac: self.clients.get(seen.mac) for seen in batch if seen is not None}
        events = self.tracker.process_batch(batch, time.time())
        changed = self._async_changed(before)
        new = self._new_clients.async_check(changed)
        self.tracked.async_add_new_clients(self.clients[mac] for mac in new)
        self._async_apply(events, changed)
        self._async_tell_new(new)

    @callback
    def _async_changed(self, before: Mapping[str, ClientState | None]) -> list[str]:
        """Return the clients that are in another state than before, but for their signals."""
        changed: list[str] = []
        for mac, state in before.items():
            if (now := self.clients.get(mac)) is state:
                continue
            if now is not None and now.differs_in_signal_only(state):
                self.listeners.signals.async_notify_key(mac)
            else:
                changed.append(mac)
        return changed

    @callback
    def _async_advance(self) -> None:
        self._async_apply(self.tracker.release_due(time.time()))

    # What goes out

    @callback
    def _async_apply(self, events: Sequence[ClientEvent], changed: Sequence[str] = ()) -> None:
        """Make states, then events, of what the tracker has told, and of clients that have changed.

        In this order an automation that an event starts finds states that agree with it.
        """
        if not events:
            self.listeners.clients.async_notify(changed)
        else:
            moves = self.areas.async_apply_events(events)
            self._async_show(events, changed)
            self.areas.async_write_states(moves)
            for event in events:
                self._publisher.async_publish(event)
            self.areas.async_publish(moves)
            self._new_clients.async_process_events(events)
        if (due := self.tracker.next_due) is not None:
            self._timers.async_set("departure", due - time.time(), self._async_advance)

    @callback
    def _async_show(self, events: Sequence[ClientEvent], changed: Sequence[str]) -> None:
        ahead = self.tracker.controller_time(0.0)
        for event in events:
            self.history.async_record(event, self.clients.get(event.mac), event.time - ahead)
            self.roam_log.async_record(event)
        ends = {end for event in events for end in (event.ap_from, event.ap_to) if end is not None}
        if self.devices.async_ensure_access_points(ends):
            self._async_request_snapshot()
        self.listeners.clients.async_notify({*changed, *(event.mac for event in events)})
        self.listeners.access_points.async_notify(ends)
        self.listeners.async_notify_site()

    @callback
    def _async_show_all(self) -> None:
        self.listeners.clients.async_notify_all()
        self._async_show_numbers()

    @callback
    def _async_show_numbers(self) -> None:
        """Show all that is not only of one client, and the signals that were too early."""
        self.listeners.signals.async_notify_all()
        self.listeners.access_points.async_notify_all()
        self.listeners.async_notify_site()
        self.areas.async_write_all_states()

    @callback
    def _async_welcome_waiting(self) -> None:
        new = self._new_clients.async_check_waiting()
        self.tracked.async_add_new_clients(self.clients[mac] for mac in new)
        self._async_tell_new(new)

    @callback
    def _async_tell_new(self, macs: Sequence[str]) -> None:
        for mac in macs:
            self._publisher.async_publish_new_client(self.clients[mac])

    @callback
    def _async_begin_day(self, _now: datetime) -> None:
        if self.history.async_begin_day():
            self._async_show_all()

    @callback
    def _async_judge_availability(self) -> None:
        if self.stream_connected or self.last_update_success:
            self._async_recover()
        elif self.available:
            self._timers.async_set("grace", GRACE, self._async_give_up)

    @callback
    def _async_recover(self) -> None:
        self._timers.async_cancel("grace")
        if not self.available:
            self.available = True
            self._async_show_all()

    @callback
    def _async_give_up(self) -> None:
        self.available = False
        self._async_show_all()
