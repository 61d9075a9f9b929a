"""The area of each client, which is that of its access point's device."""

from collections.abc import Callable, Mapping, Sequence, Set as AbstractSet
from functools import partial
from time import monotonic
from typing import NamedTuple

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers import area_registry as ar, device_registry as dr

from ..const import CONF_SETTLING_TIME, option
from ..roaming import ClientEvent, ClientState
from .area_debounce import AreaDebouncer, AreaId
from .devices import SiteDevices
from .listeners import KeyedListeners
from .publisher import EventPublisher
from .timers import Timers


class AreaChange(NamedTuple):
    """A change of a client's debounced area; None is no area.

    `late` is whether the event that caused it was reported late.
    """

    mac: str
    area_from: AreaId
    area_to: AreaId
    late: bool


class SiteAreas:
    """The debounced area of every client of a site, and the tracked clients in every area.

    Changes are processed in three steps, so that all states are consistent before any signal is
    sent: `async_apply_events`, `async_write_states` and `async_publish`. Changes not caused by a
    client moving, such as an access point being assigned to another area, update states but send
    no signals.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        *,
        devices: SiteDevices,
        clients: Mapping[str, ClientState],
        tracked: AbstractSet[str],
        publisher: EventPublisher,
        client_listeners: KeyedListeners,
        timers: Timers,
        on_areas: Callable[[], None],
    ) -> None:
        """Prepare without listening to anything.

        `clients` and `tracked` are live views. `on_areas` is called when an access point was
        assigned to another area.
        """
        # The areas that have an access point.
        self.area_ids: frozenset[str] = frozenset()
        self._hass = hass
        self._entry = entry
        self._devices = devices
        self._clients = clients
        self._tracked = tracked
        self._publisher = publisher
        self._client_listeners = client_listeners
        self._timers = timers
        self._on_areas = on_areas
        self._area_registry = ar.async_get(hass)
        self._device_registry = dr.async_get(hass)
        self._debouncer = AreaDebouncer(option(entry, CONF_SETTLING_TIME))
        # The clients whose debounced area is each area.
        self._occupants: dict[str, set[str]] = {}
        self._listeners = KeyedListeners()
        # The areas of the access points by MAC.
        self._access_point_areas: dict[str, AreaId] = {}

    @callback
    def async_start(self) -> None:
        """Follow changes in the area and device registries until the entry is unloaded."""
        bus = self._hass.bus
        for unsubscribe in (
            bus.async_listen(
                dr.EVENT_DEVICE_REGISTRY_UPDATED,
                self._async_handle_device_update,
                self._may_change_areas,
            ),
            bus.async_listen(ar.EVENT_AREA_REGISTRY_UPDATED, self._async_handle_area_update),
        ):
            self._entry.async_on_unload(unsubscribe)

    @callback
    def async_set_settling_time(self, seconds: float) -> None:
        """Debounce moves with this time from now on."""
        self._debouncer.seconds = seconds

    # Reading

    def area_of(self, mac: str) -> AreaId:
        """Return the debounced area of a client, None if it is not connected or in no area."""
        state = self._clients.get(mac)
        if state is None or state.ap_mac is None:
            return None
        areas = self._debouncer.areas
        return areas[mac] if mac in areas else self._access_point_areas.get(state.ap_mac)

    def area_name(self, area_id: AreaId) -> str | None:
        """Return the name of an area, None if there is no such area."""
        area = self._area_registry.async_get_area(area_id) if area_id else None
        return area.name if area else None

    def clients_in(self, area_id: str) -> list[str]:
        """Return the names of the tracked clients in an area, sorted."""
        macs = self._occupants.get(area_id, set()) & self._tracked
        return sorted(self._clients[mac].name for mac in macs if mac in self._clients)

    @callback
    def async_add_listener(self, area_id: str, update_callback: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Add a listener for an area's name and its tracked clients; return one to unsubscribe."""
        return self._listeners.async_add(area_id, update_callback)

    # Clients that move

    @callback
    def async_apply_events(self, events: Sequence[ClientEvent]) -> list[AreaChange]:
        """Apply the tracker's events; return the resulting changes of debounced areas."""
        for event in events:
            if event.ap_to is not None and event.ap_to not in self._access_point_areas:
                self._set_access_point_areas(
                    self._access_point_areas
                    | {event.ap_to: self._devices.location(event.ap_to).area}
                )
        if not self.area_ids:
            return []
        # The last event of each client is the one that led to its present access point.
        late = {event.mac: event.late for event in events}
        changes = [self._async_update_client(mac, late=late[mac]) for mac in late]
        return [change for change in changes if change.area_from != change.area_to]

    @callback
    def async_write_states(self, changes: Sequence[AreaChange]) -> None:
        """Notify the listeners of the areas that tracked clients have left or entered."""
        self._listeners.async_notify(
            area_id
            for change in changes
            if change.mac in self._tracked
            for area_id in (change.area_from, change.area_to)
            if area_id is not None
        )

    @callback
    def async_write_all_states(self) -> None:
        """Notify the listeners of all areas."""
        self._listeners.async_notify_all()

    @callback
    def async_publish(self, changes: Sequence[AreaChange]) -> None:
        """Send the signal for each change."""
        for change in changes:
            if (state := self._clients.get(change.mac)) is not None:
                self._publisher.async_publish_area_change(
                    state, change.area_from, change.area_to, late=change.late
                )

    @callback
    def _async_update_client(self, mac: str, *, late: bool) -> AreaChange:
        debouncer = self._debouncer
        before = debouncer.areas.get(mac)
        state = self._clients.get(mac)
        if state is None or state.ap_mac is None:
            debouncer.remove(mac)
            self._timers.async_cancel(_timer_name(mac))
        elif debouncer.move(mac, self._access_point_areas.get(state.ap_mac), monotonic()):
            self._timers.async_cancel(_timer_name(mac))
            if mac in debouncer.pending:
                self._timers.async_set(
                    _timer_name(mac),
                    debouncer.seconds,
                    partial(self._async_commit, mac, late=late),
                )
        return self._update_occupants(mac, before, late=late)

    @callback
    def _async_commit(self, mac: str, *, late: bool) -> None:
        """Apply the pending area of a client that has stayed there long enough."""
        before = self._debouncer.areas[mac]
        self._debouncer.commit(mac)
        changes = [self._update_occupants(mac, before, late=late)]
        self._client_listeners.async_notify_key(mac)
        self.async_write_states(changes)
        self.async_publish(changes)

    def _update_occupants(self, mac: str, before: AreaId, *, late: bool = False) -> AreaChange:
        """Move a client to its debounced area in the index of occupants."""
        after = self._debouncer.areas.get(mac)
        if before != after:
            if before is not None:
                self._occupants[before].discard(mac)
                if not self._occupants[before]:
                    del self._occupants[before]
            if after is not None:
                self._occupants.setdefault(after, set()).add(mac)
        return AreaChange(mac, before, after, late)

    # Access points that are assigned to other areas

    @callback
    def async_refresh(self) -> bool:
        """Read the areas of all access points again; return whether any has changed."""
        areas = self._devices.access_point_areas()
        if areas == self._access_point_areas:
            return False
        self._set_access_point_areas(areas)
        return True

    @callback
    def async_reconcile(self) -> None:
        """Correct the areas of clients for which no event was emitted, and update states."""
        debouncer = self._debouncer
        areas = self._access_point_areas
        present = {
            mac: areas.get(state.ap_mac)
            for mac, state in (self._clients.items() if self.area_ids else ())
            if state.ap_mac is not None
        }
        changes: list[AreaChange] = []
        for mac in debouncer.areas.keys() | present.keys():
            before = debouncer.areas.get(mac)
            if mac not in present:
                debouncer.remove(mac)
            elif mac not in debouncer.areas or debouncer.actual_area(mac) != present[mac]:
                debouncer.force(mac, present[mac])
            else:
                continue
            self._timers.async_cancel(_timer_name(mac))
            changes.append(self._update_occupants(mac, before))
        self._client_listeners.async_notify(change.mac for change in changes)
        self.async_write_states(changes)

    def _set_access_point_areas(self, areas: dict[str, AreaId]) -> None:
        self._access_point_areas = areas
        self.area_ids = frozenset(area for area in areas.values() if area is not None)

    @callback
    def _may_change_areas(self, data: dr.EventDeviceRegistryUpdatedData) -> bool:
        if data["action"] == "update":
            return "area_id" in data["changes"]
        # A device that is created without an area, as all are at first, changes nothing.
        device = self._device_registry.async_get(data["device_id"])
        return device is None or device.area_id is not None

    @callback
    def _async_handle_device_update(self, _event: Event[dr.EventDeviceRegistryUpdatedData]) -> None:
        if self.async_refresh():
            self.async_reconcile()
            self._on_areas()

    @callback
    def _async_handle_area_update(self, event: Event[ar.EventAreaRegistryUpdatedData]) -> None:
        """Update states with an area's new name.

        A removed area needs nothing more: Home Assistant has already removed it from its devices.
        """
        if (area_id := event.data["area_id"]) is not None:
            self._client_listeners.async_notify(list(self._occupants.get(area_id, ())))
            self._listeners.async_notify_key(area_id)


def _timer_name(mac: str) -> str:
    return f"area of {mac}"
