"""The coordinator of one site: snapshots, event stream, roam tracker and notifications."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
import logging
import time
from typing import Any, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_change
from homeassistant.helpers.start import async_at_started
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.loader import async_get_loaded_integration

from .api.records import DeviceRecord, EventRecord, KnownClient, Observation, SystemInfo
from .capture.recorder import CaptureRecorder
from .capture.recording_tracker import RecordingTracker
from .const import CONF_DISCONNECT_DELAY, CONF_LOW_DATA, CONF_SITE, DOMAIN, option
from .hub.errors import async_request
from .hub.known_clients import async_known_clients, names_of
from .hub.metrics import StreamMetrics
from .hub.session import ControllerSession
from .hub.silent_stream import SilentStreamMonitor
from .hub.snapshot import SnapshotReader
from .hub.stream import SiteStream
from .roaming import ClientEvent, ClientState, RoamTracker
from .site.areas import AreaChange, SiteAreas
from .site.devices import SiteDevices
from .site.history import SiteHistory
from .site.listeners import SiteListeners
from .site.new_clients import NewClientDetector
from .site.publisher import EventPublisher
from .site.roam_log import RoamLog
from .site.timelines import SavedTimelines
from .site.timers import Timers
from .site.tracked import TrackedClients

_LOGGER = logging.getLogger(__name__)

# Snapshots correct what the stream missed, and replace it while it is down.
SNAPSHOT_INTERVAL = timedelta(seconds=60)
# The interval with the low-data option, while the stream is connected.
LOW_DATA_INTERVAL = timedelta(minutes=5)
# How long after a failure the list of known clients is requested again.
KNOWN_CLIENTS_RETRY = 300.0  # seconds
# The shortest time until a snapshot that the tracker asks for.
MIN_RECHECK_DELAY = 5.0  # seconds
# How long states stay available after the controller has become unreachable.
GRACE_PERIOD = 60.0  # seconds
# After a longer silence, a departure is confirmed by a snapshot.
_SILENCE = 2.0  # seconds
# Rows of the system log that are processed in one turn of the event loop, in up to 10 ms.
_ROWS_PER_TURN = 20

type UnifiScannerConfigEntry = ConfigEntry[UnifiScannerCoordinator]


class UnifiScannerCoordinator(DataUpdateCoordinator[None]):
    """Tracks the wireless clients of a site and publishes their changes.

    Listeners added by `async_add_listener` are called after each snapshot and when an access point
    was assigned to another area. Entities listen to `listeners`, `areas` and `tracked` instead.
    `available` stays True through short outages.
    """

    config_entry: UnifiScannerConfigEntry
    system_info: SystemInfo

    def __init__(
        self, hass: HomeAssistant, config_entry: UnifiScannerConfigEntry, session: ControllerSession
    ) -> None:
        """Prepare without sending anything.

        The first refresh reads a snapshot, then `async_start` opens the stream.
        """
        super().__init__(
            hass,
            _LOGGER,
            config_entry=config_entry,
            name=config_entry.title,
            update_interval=SNAPSHOT_INTERVAL,
        )
        self.session = session
        # Event-loop time, which nobody sets.
        self._clock = hass.loop.time
        self.site: str = config_entry.data[CONF_SITE]
        self.tracked = TrackedClients(hass, config_entry)
        self.recorder = CaptureRecorder()
        self.tracker = RecordingTracker(
            RoamTracker(option(config_entry, CONF_DISCONNECT_DELAY)), self.recorder
        )
        self.clients = self.tracker.clients
        self._timelines = SavedTimelines(hass, config_entry.entry_id, self._timelines_to_save)
        self._heard_at: float | None = None
        # What was found before anyone could listen; None once everything is published at once.
        self._unpublished: list[tuple[Sequence[ClientEvent], Sequence[AreaChange]]] | None = []
        self.history = SiteHistory(hass, config_entry.entry_id, self.tracked)
        self.roam_log = RoamLog(hass, config_entry.entry_id, self.tracked)
        self.devices = SiteDevices(hass, config_entry)
        self._publisher = EventPublisher(hass, config_entry, self.devices, self.tracked)
        self.available = True
        self._stream = SiteStream(
            hass,
            config_entry,
            on_batch=self._async_process_batch,
            on_change=self._async_handle_stream_change,
            on_refusal=self._async_handle_refusal,
            recorder=self.recorder,
            tracked=self.tracked,
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
            publisher=self._publisher,
            client_listeners=self.listeners.clients,
            timers=self._timers,
            on_areas=self.async_update_listeners,
        )
        self._new_clients = NewClientDetector(
            hass,
            history=self.history,
            clients=self.clients,
            timers=self._timers,
            on_due=self._async_check_waiting_clients,
        )
        self._snapshot_requested = False
        self._snapshot_in_progress = False
        self._snapshot_finished_at = self._clock()
        # Unsubscribe callbacks of recurring jobs.
        self._unsubscribe: list[CALLBACK_TYPE] = []

    async def async_start(self) -> None:
        """Open the event stream, after the first refresh, until `async_shutdown`."""
        self._unsubscribe = [
            # Hourly, as midnight does not exist on days when the clocks change at midnight.
            async_track_time_change(self.hass, self._async_begin_day, minute=0, second=0),
            self.metrics.async_start(self.hass, self.listeners.async_notify_site),
        ]
        self._new_clients.async_start()
        # At once if Home Assistant is running; before that, automations do not listen yet.
        self._unsubscribe.append(async_at_started(self.hass, self._async_publish_waiting))
        self._stream.async_start(self.session)

    @override
    async def async_shutdown(self) -> None:
        """Close the stream, cancel all jobs and save the history and the roam log."""
        await super().async_shutdown()
        self._timers.async_close()
        self._silent_stream.async_close()
        while self._unsubscribe:
            self._unsubscribe.pop()()
        if self._stream.is_continuous:
            self._heard_at = self._clock()
        await self._stream.async_stop()
        if self._heard_at is not None:
            await self._timelines.async_save()
        await self.tracked.async_save()
        await self.history.async_save()
        await self.roam_log.async_save()

    # Reading

    @property
    def access_points(self) -> Mapping[str, DeviceRecord]:
        """The access points, and other devices that clients have been on, by MAC."""
        return self.devices.access_points

    @property
    def stream(self) -> SiteStream:
        """The site's event stream."""
        return self._stream

    @property
    def stream_connected(self) -> bool:
        """Whether the event stream is connected."""
        return self._stream.connected

    @property
    def has_log(self) -> bool | None:
        """Whether the controller has a system log, None until it has been requested."""
        return self._snapshots.has_log

    @property
    def truncated_gaps(self) -> int:
        """Number of gaps in the stream that were too long to be read from the system log."""
        return self._snapshots.truncated_gaps

    @property
    def is_refreshing(self) -> bool:
        """Whether a snapshot has been requested or is being read."""
        return self._snapshot_requested or self._snapshot_in_progress

    def client(self, mac: str) -> ClientState | None:
        """Return a client's current state, None if it has not been connected lately."""
        return self.clients.get(mac)

    def access_point_of(self, mac: str) -> str | None:
        """Return the MAC of a client's access point, None if it is not connected."""
        state = self.clients.get(mac)
        return None if state is None else state.ap_mac

    def access_point_name(self, mac: str | None) -> str | None:
        """Return the name of an access point, None for None."""
        return None if mac is None else self.devices.access_point_name(mac)

    # Input from the controller

    @override
    async def _async_setup(self) -> None:
        await self.tracked.async_load()
        await self.history.async_load()
        await self.roam_log.async_load()
        self.tracker.resume_from(await self._timelines.async_load(), self._clock())
        self.system_info = await async_request(
            self.session, self.config_entry, lambda client: client.system_info(self.site)
        )
        self.recorder.versions["network_version"] = self.system_info.version
        integration = async_get_loaded_integration(self.hass, DOMAIN)
        self.recorder.versions["integration_version"] = str(integration.version)
        self.devices.async_register_controller(self.system_info)
        if not await self._async_read_known_clients():
            _LOGGER.warning(
                "%s has not listed the clients that it remembers; until it does, no client is "
                "reported as new",
                self.name,
            )
        self.areas.async_start()
        self.tracked.async_add_listener(self.areas.async_write_all_states)

    async def _async_read_known_clients(self) -> bool:
        """Read the remembered clients, which are not new, and names; return whether that worked.

        If not, they are read again later.
        """
        names = self.devices.names_of(self.tracked)
        unnamed = self.tracked - names.keys()
        known: Sequence[KnownClient] | None = ()
        if unnamed or not self.history.is_seeded:
            known = await async_known_clients(self.session, self.site)
        if known:
            self.devices.fallback_names = names_of(known, unnamed)
            self._new_clients.seen_before = [client.mac for client in known]
        elif known is None:
            self._timers.async_set(
                "known clients", KNOWN_CLIENTS_RETRY, self._async_retry_known_clients
            )
        self.tracker.set_names({**names, **self.devices.fallback_names})
        return known is not None

    @callback
    def _async_retry_known_clients(self) -> None:
        self.config_entry.async_create_background_task(
            self.hass, self._async_read_known_clients(), f"{self.name} known clients"
        )

    @override
    async def _async_update_data(self) -> None:
        self._snapshot_requested = False
        self._snapshot_in_progress = True
        snapshot = await self._snapshots.async_read()
        # Before anything is published, so that listeners read valid states.
        was_available, self.available = self.available, True
        # The log first: it has details of changes that the snapshot only implies.
        await self._async_process_log(snapshot.log)
        now = self._clock()
        before: dict[str, ClientState | None] = dict(self.clients)
        events = self._snapshots.async_process(snapshot, now)
        self._heard_at = now
        self._timelines.async_schedule_save()
        self._silent_stream.async_update(snapshot.stations, events)
        self.recorder.record_devices(snapshot.devices)
        known = self.devices.access_points
        self.devices.async_update_from_snapshot(
            snapshot.devices, self.tracker.clients_per_access_point
        )
        self.devices.async_update_names(self.clients)
        new = self._new_clients.async_process_snapshot()
        self.tracked.async_add_new_clients(self.clients[mac] for mac in new)
        self.devices.async_remove_stale(self.tracked, self._clock())
        self.areas.async_refresh()
        self._timers.async_cancel("grace period")
        if not was_available:
            self._async_write_all_states()
        for mac in self.clients.keys() - before.keys():
            before[mac] = None
        if self.devices.access_points != known:
            # Any client may show the name of an access point it is on or was on before.
            self.listeners.clients.async_notify_all()
        self._async_apply_events(events, self._async_changed_clients(before))
        self._async_publish_new_clients(new)
        self.areas.async_reconcile()
        if (due := self.tracker.recheck_due) is not None:
            self._timers.async_set(
                "recheck", max(MIN_RECHECK_DELAY, due - now), self._async_request_snapshot
            )
        self._async_schedule_log_read()

    @callback
    def _async_schedule_log_read(self) -> None:
        """Schedule another read of the system log, as rows are written late."""
        self._timers.async_cancel("system log")
        if (due := self._snapshots.next_log_read) is not None:
            self._timers.async_set("system log", due - self._clock(), self._async_start_log_read)

    @callback
    def _async_start_log_read(self) -> None:
        self.config_entry.async_create_background_task(
            self.hass, self._async_read_log(), f"{self.name} system log"
        )

    async def _async_read_log(self) -> None:
        await self._async_process_log(await self._snapshots.async_read_log())
        self._async_release_due()
        self._async_schedule_log_read()

    async def _async_process_log(self, rows: Sequence[EventRecord]) -> None:
        """Process rows of the system log, oldest first, without blocking the loop for long."""
        for start in range(0, len(rows), _ROWS_PER_TURN):
            end = start + _ROWS_PER_TURN
            before = self._async_states(rows[start:end])
            self._async_apply_observations(
                self._snapshots.async_process_log(
                    rows[start:end], self._clock(), is_last=end >= len(rows)
                ),
                before,
            )
            await asyncio.sleep(0)
        self._snapshots.async_expect_log(self._clock())

    @override
    @callback
    def _async_refresh_finished(self) -> None:
        self._snapshot_in_progress = False
        self._snapshot_finished_at = self._clock()
        self._async_schedule_release()
        self._async_update_availability()
        self._async_write_aggregate_states()

    @callback
    def _async_request_snapshot(self) -> None:
        """Read a snapshot as soon as the one in progress, if any, is finished."""
        if self._snapshot_requested or self._shutdown_requested:
            return
        self._snapshot_requested = True
        self.config_entry.async_create_background_task(
            self.hass, self.async_refresh(), f"{self.name} snapshot"
        )

    @callback
    def async_reschedule(self) -> None:
        """Read a snapshot now, and then as often as the low-data option allows."""
        self._async_set_interval()
        self._async_request_snapshot()

    @callback
    def _async_set_interval(self) -> None:
        is_saving = option(self.config_entry, CONF_LOW_DATA) and self.stream_connected
        self.update_interval = LOW_DATA_INTERVAL if is_saving else SNAPSHOT_INTERVAL

    @callback
    def _async_handle_stream_change(self) -> None:
        self._async_set_interval()
        if self.available or not self.stream_connected:
            self._async_update_availability()
        if self.stream_connected:
            self.tracker.connection_opened(self._clock())
        else:
            self._snapshots.async_expect_log(self._clock())
        self.listeners.async_notify_site()
        # After a connect, find out what happened meanwhile; only then may unavailable states
        # return. After a disconnect, find out whether the controller is reachable at all.
        self._async_request_snapshot()

    @callback
    def _async_handle_refusal(self) -> None:
        self.tracker.suspend_departures(self._clock())

    @callback
    def _async_process_batch(self, batch: Sequence[Observation | None]) -> None:
        before = self._async_states(batch)
        self._async_apply_observations(self.tracker.process_batch(batch, self._clock()), before)

    @callback
    def _async_states(self, batch: Sequence[Observation | None]) -> dict[str, ClientState | None]:
        """Return the states of the clients in a batch."""
        macs = (observation.mac for observation in batch if observation is not None)
        return {mac: self.clients.get(mac) for mac in macs}

    @callback
    def _async_apply_observations(
        self, events: Sequence[ClientEvent], before: Mapping[str, ClientState | None]
    ) -> None:
        """Publish what observations have changed; `before` are the states before them."""
        changed = self._async_changed_clients(before)
        new = self._new_clients.async_check(changed)
        self.tracked.async_add_new_clients(self.clients[mac] for mac in new)
        self._async_apply_events(events, changed)
        self._async_publish_new_clients(new)

    @callback
    def _async_changed_clients(self, before: Mapping[str, ClientState | None]) -> list[str]:
        """Return the clients whose states differ from those before in more than the signal.

        Where only the signal differs, its listeners are notified here.
        """
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
    def _async_release_due(self) -> None:
        now = self._clock()
        if (due := self.tracker.next_due) is None or due > now:
            self._async_schedule_release()
            return
        silence = now - max(self._stream.last_activity, self._snapshot_finished_at)
        if self._stream.is_continuous and silence > _SILENCE:
            # The socket may be dead: a snapshot shows whether the client has come back.
            self._async_request_snapshot()
            return
        self._async_apply_events(self.tracker.release_due(now))

    @callback
    def _async_schedule_release(self) -> None:
        self._timers.async_cancel("release")
        if (due := self.tracker.next_due) is not None:
            self._timers.async_set("release", due - self._clock(), self._async_release_due)

    # Output to entities, triggers and the event bus

    @callback
    def _async_apply_events(
        self, events: Sequence[ClientEvent], changed: Sequence[str] = ()
    ) -> None:
        """Update the states of changed clients, then publish the tracker's events.

        In this order an automation that an event triggers reads states that agree with it.
        """
        if not events:
            self.listeners.clients.async_notify(changed)
        else:
            area_changes = self.areas.async_apply_events(events)
            self._async_write_states(events, changed)
            self.areas.async_write_states(area_changes)
            if self._unpublished is None:
                self._async_publish(events, area_changes)
            else:
                self._unpublished.append((events, area_changes))
            self._new_clients.async_process_events(events)
        self._async_schedule_release()

    @callback
    def _async_publish(
        self, events: Sequence[ClientEvent], area_changes: Sequence[AreaChange]
    ) -> None:
        for event in events:
            self._publisher.async_publish(event)
        self.areas.async_publish(area_changes)

    @callback
    def _async_publish_waiting(self, _hass: HomeAssistant) -> None:
        """Publish what has waited for Home Assistant to start, in its order."""
        waiting, self._unpublished = self._unpublished or [], None
        for events, area_changes in waiting:
            self._async_publish(events, area_changes)

    def _timelines_to_save(self) -> dict[str, Any]:
        now = self._clock()
        heard_at = now if self._stream.is_continuous or self._heard_at is None else self._heard_at
        if (gap_began := self._snapshots.gap_began) is not None:
            # The system log of that time may still gain rows.
            heard_at = min(heard_at, gap_began)
        return self.tracker.save(now, heard_at)

    @callback
    def _async_write_states(self, events: Sequence[ClientEvent], changed: Sequence[str]) -> None:
        # Local days are counted by the wall clock.
        ahead = self.tracker.controller_time(self._clock()) - time.time()
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
    def _async_write_all_states(self) -> None:
        self.listeners.clients.async_notify_all()
        self._async_write_aggregate_states()

    @callback
    def _async_write_aggregate_states(self) -> None:
        """Update the states of access points, areas and the site, and signals held back so far."""
        self.listeners.signals.async_notify_all()
        self.listeners.access_points.async_notify_all()
        self.listeners.async_notify_site()
        self.areas.async_write_all_states()

    @callback
    def _async_check_waiting_clients(self) -> None:
        new = self._new_clients.async_check_waiting()
        self.tracked.async_add_new_clients(self.clients[mac] for mac in new)
        self._async_publish_new_clients(new)

    @callback
    def _async_publish_new_clients(self, macs: Sequence[str]) -> None:
        for mac in macs:
            self._publisher.async_publish_new_client(self.clients[mac])

    @callback
    def _async_begin_day(self, _now: datetime) -> None:
        if self.history.async_begin_day():
            self._async_write_all_states()

    # Availability

    @callback
    def _async_update_availability(self) -> None:
        if self.stream_connected or self.last_update_success:
            self._async_mark_available()
        elif self.available:
            self._timers.async_set("grace period", GRACE_PERIOD, self._async_mark_unavailable)

    @callback
    def _async_mark_available(self) -> None:
        self._timers.async_cancel("grace period")
        if not self.available:
            self.available = True
            self._async_write_all_states()

    @callback
    def _async_mark_unavailable(self) -> None:
        self.available = False
        self._async_write_all_states()
