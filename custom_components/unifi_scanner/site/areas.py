"""The area of an access point's device is a room: who is in which, and who has gone to another."""

from collections.abc import Callable, Mapping, Sequence, Set as AbstractSet
from functools import partial
from time import monotonic
from typing import NamedTuple

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers import area_registry as ar, device_registry as dr
from homeassistant.helpers.dispatcher import async_dispatcher_send

from ..const import CONF_SETTLING_TIME, CONF_SITE, option
from ..roaming import ClientEvent, ClientState
from .area_debounce import AreaDebouncer, Room
from .devices import SiteDevices
from .listeners import KeyedListeners
from .publisher import SIGNAL_AREA
from .timers import Timers


class AreaChange(NamedTuple):
    """A client that has gone from one room to another; None is no room at all."""

    mac: str
    area_from: str | None
    area_to: str | None


class SiteAreas:
    """Knows the room of every client of a site, by the access point it is on.

    Changes come in three steps, so that all states agree before anyone is told: `async_take`,
    `async_show` and `async_tell`. What changes without that a client moves - the user puts an
    access point into another area, or the tracker corrects itself - is shown, and told to nobody.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        *,
        devices: SiteDevices,
        clients: Mapping[str, ClientState],
        tracked: AbstractSet[str],
        client_listeners: KeyedListeners,
        timers: Timers,
        on_areas: Callable[[], None],
    ) -> None:
        """Prepare; `on_areas` is called when an access point was put into another area.

        `clients` and `tracked` are live views.
        """
        # The areas that have an access point.
        self.area_ids: frozenset[str] = frozenset()
        self._hass = hass
        self._entry = entry
        self._devices = devices
        self._clients = clients
        self._tracked = tracked
        self._client_listeners = client_listeners
        self._timers = timers
        self._on_areas = on_areas
        self._area_registry = ar.async_get(hass)
        self._device_registry = dr.async_get(hass)
        self._debouncer = AreaDebouncer(option(entry, CONF_SETTLING_TIME))
        self._occupants: dict[str, set[str]] = {}
        self._listeners = KeyedListeners()
        # By the access points' MACs.
        self._access_point_areas: dict[str, Room] = {}

    @callback
    def async_start(self) -> None:
        """Follow what the user does to areas, until the entry is unloaded."""
        bus = self._hass.bus
        for stop in (
            bus.async_listen(
                dr.EVENT_DEVICE_REGISTRY_UPDATED, self._async_take_device, self._may_move_areas
            ),
            bus.async_listen(ar.EVENT_AREA_REGISTRY_UPDATED, self._async_take_area),
        ):
            self._entry.async_on_unload(stop)

    # What there is to see

    def area_of(self, mac: str) -> str | None:
        """Return the settled area of a client, None when it is not connected or in no area."""
        state = self._clients.get(mac)
        if state is None or state.ap_mac is None:
            return None
        rooms = self._debouncer.areas
        return rooms[mac] if mac in rooms else self._access_point_areas.get(state.ap_mac)

    def area_name(self, area_id: str | None) -> str | None:
        """Return what the user calls an area, None when there is no such area."""
        area = self._area_registry.async_get_area(area_id) if area_id else None
        return area.name if area else None

    def clients_in(self, area_id: str) -> list[str]:
        """Return the names of the tracked clients in an area, sorted."""
        macs = self._occupants.get(area_id, set()) & self._tracked
        return sorted(self._clients[mac].name for mac in macs if mac in self._clients)

    @callback
    def async_listen(self, area_id: str, update_callback: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Have a callback called when an area's name or its tracked clients may have changed."""
        return self._listeners.async_add(area_id, update_callback)

    # Clients move

    @callback
    def async_apply_events(self, events: Sequence[ClientEvent]) -> list[AreaChange]:
        """Take what the tracker has told; return who is in another room by that."""
        for event in events:
            if event.ap_to is not None and event.ap_to not in self._access_point_areas:
                self._set_areas(
                    self._access_point_areas
                    | {event.ap_to: self._devices.location(event.ap_to).area}
                )
        if not self.area_ids:
            return []
        changes = [self._async_follow(mac) for mac in dict.fromkeys(event.mac for event in events)]
        return [change for change in changes if change.area_from != change.area_to]

    @callback
    def async_write_states(self, changes: Sequence[AreaChange]) -> None:
        """Have the rooms shown that tracked clients have left and entered."""
        self._listeners.async_notify(
            area_id
            for change in changes
            if change.mac in self._tracked
            for area_id in (change.area_from, change.area_to)
            if area_id is not None
        )

    @callback
    def async_write_all_states(self) -> None:
        """Have all rooms shown."""
        self._listeners.async_notify_all()

    @callback
    def async_publish(self, changes: Sequence[AreaChange]) -> None:
        """Send the signal of each client that has gone to another room."""
        for change in changes:
            if (state := self._clients.get(change.mac)) is None:
                continue
            async_dispatcher_send(
                self._hass,
                SIGNAL_AREA,
                {
                    "entry_id": self._entry.entry_id,
                    "site": self._entry.data[CONF_SITE],
                    "client_mac": change.mac,
                    "client_name": state.name,
                    "device_id": self._devices.client_device_id(change.mac),
                    "guest": state.guest,
                    "area_from": change.area_from,
                    "area_to": change.area_to,
                },
            )

    @callback
    def _async_follow(self, mac: str) -> AreaChange:
        debouncer = self._debouncer
        before = debouncer.areas.get(mac)
        state = self._clients.get(mac)
        if state is None or state.ap_mac is None:
            debouncer.remove(mac)
            self._timers.async_cancel(_timer(mac))
        elif debouncer.move(mac, self._access_point_areas.get(state.ap_mac), monotonic()):
            self._timers.async_cancel(_timer(mac))
            if mac in debouncer.pending:
                self._timers.async_set(
                    _timer(mac), debouncer.seconds, partial(self._async_settle, mac)
                )
        return self._changed(mac, before)

    @callback
    def _async_settle(self, mac: str) -> None:
        """Let the room follow a client that went back to where it came from, and has stayed."""
        before = self._debouncer.areas[mac]
        self._debouncer.commit(mac)
        changes = [self._changed(mac, before)]
        self._client_listeners.async_notify_key(mac)
        self.async_write_states(changes)
        self.async_publish(changes)

    def _changed(self, mac: str, before: Room) -> AreaChange:
        """Keep the book of who is in which room."""
        after = self._debouncer.areas.get(mac)
        if before != after:
            if before is not None:
                self._occupants[before].discard(mac)
                if not self._occupants[before]:
                    del self._occupants[before]
            if after is not None:
                self._occupants.setdefault(after, set()).add(mac)
        return AreaChange(mac, before, after)

    # Rooms move

    @callback
    def async_refresh(self) -> bool:
        """Read the areas of all access points anew; return whether one is in another area now."""
        areas = {mac: self._devices.location(mac).area for mac in self._devices.access_points}
        if areas == self._access_point_areas:
            return False
        self._set_areas(areas)
        return True

    @callback
    def async_reconcile(self) -> None:
        """Show where everyone is by now, of whom no event has told that."""
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
            self._timers.async_cancel(_timer(mac))
            changes.append(self._changed(mac, before))
        self._client_listeners.async_notify(change.mac for change in changes)
        self.async_write_states(changes)

    def _set_areas(self, areas: dict[str, Room]) -> None:
        self._access_point_areas = areas
        self.area_ids = frozenset(area for area in areas.values() if area is not None)

    @callback
    def _may_move_areas(self, data: dr.EventDeviceRegistryUpdatedData) -> bool:
        if data["action"] == "update":
            return "area_id" in data["changes"]
        # One that comes without an area changes nothing; after a new installation all do.
        device = self._device_registry.async_get(data["device_id"])
        return device is None or device.area_id is not None

    @callback
    def _async_take_device(self, _event: Event[dr.EventDeviceRegistryUpdatedData]) -> None:
        if self.async_refresh():
            self.async_reconcile()
            self._on_areas()

    @callback
    def _async_take_area(self, event: Event[ar.EventAreaRegistryUpdatedData]) -> None:
        """Show an area's new name; one that is removed was taken from its devices before."""
        if (area_id := event.data["area_id"]) is not None:
            self._client_listeners.async_notify(list(self._occupants.get(area_id, ())))
            self._listeners.async_notify_key(area_id)


def _timer(mac: str) -> str:
    return f"room {mac}"
