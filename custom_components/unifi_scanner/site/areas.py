"""The area of an access point's device is a room: who is in which, and who has gone to another."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from time import monotonic
from typing import NamedTuple

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers import area_registry as ar, device_registry as dr
from homeassistant.helpers.dispatcher import async_dispatcher_send

from ..const import CONF_SETTLING_TIME, CONF_SITE, DEFAULT_SETTLING_TIME
from ..hub.timers import Timers
from ..roaming import ClientEvent, ClientState
from .area_debounce import Room, Settling
from .devices import SiteDevices
from .listeners import Listeners
from .publisher import SIGNAL_ROOM


class RoomChange(NamedTuple):
    """A client that has gone from one room to another; None is no room at all."""

    mac: str
    area_from: str | None
    area_to: str | None


class SiteRooms:
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
        tracked: set[str],
        client_listeners: Listeners,
        timers: Timers,
        on_areas: Callable[[], None],
    ) -> None:
        """Prepare; `on_areas` is called when an access point was put into another area.

        `clients` and `tracked` are the coordinator's own, live.
        """
        # The areas that have an access point.
        self.areas: frozenset[str] = frozenset()
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
        self._settling = Settling(entry.options.get(CONF_SETTLING_TIME, DEFAULT_SETTLING_TIME))
        self._occupants: dict[str, set[str]] = {}
        self._listeners = Listeners()
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
        rooms = self._settling.rooms
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
    def async_take(self, events: Sequence[ClientEvent]) -> list[RoomChange]:
        """Take what the tracker has told; return who is in another room by that."""
        for event in events:
            if event.ap_to is not None and event.ap_to not in self._access_point_areas:
                self._set_areas(
                    self._access_point_areas | {event.ap_to: self._devices.place(event.ap_to).area}
                )
        if not self.areas:
            return []
        changes = [self._async_follow(mac) for mac in dict.fromkeys(event.mac for event in events)]
        return [change for change in changes if change.area_from != change.area_to]

    @callback
    def async_show(self, changes: Sequence[RoomChange]) -> None:
        """Have the rooms shown that tracked clients have left and entered."""
        self._listeners.async_call_each(
            area_id
            for change in changes
            if change.mac in self._tracked
            for area_id in (change.area_from, change.area_to)
            if area_id is not None
        )

    @callback
    def async_show_all(self) -> None:
        """Have all rooms shown."""
        self._listeners.async_call_all()

    @callback
    def async_tell(self, changes: Sequence[RoomChange]) -> None:
        """Send the signal of each client that has gone to another room."""
        for change in changes:
            if (state := self._clients.get(change.mac)) is None:
                continue
            async_dispatcher_send(
                self._hass,
                SIGNAL_ROOM,
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
    def _async_follow(self, mac: str) -> RoomChange:
        settling = self._settling
        before = settling.rooms.get(mac)
        state = self._clients.get(mac)
        if state is None or state.ap_mac is None:
            settling.remove(mac)
            self._timers.async_cancel(_timer(mac))
        elif settling.move(mac, self._access_point_areas.get(state.ap_mac), monotonic()):
            self._timers.async_cancel(_timer(mac))
            if mac in settling.held:
                self._timers.async_set(
                    _timer(mac), settling.seconds, partial(self._async_settle, mac)
                )
        return self._changed(mac, before)

    @callback
    def _async_settle(self, mac: str) -> None:
        """Let the room follow a client that went back to where it came from, and has stayed."""
        before = self._settling.rooms[mac]
        self._settling.settle(mac)
        changes = [self._changed(mac, before)]
        self._client_listeners.async_call(mac)
        self.async_show(changes)
        self.async_tell(changes)

    def _changed(self, mac: str, before: Room) -> RoomChange:
        """Keep the book of who is in which room."""
        after = self._settling.rooms.get(mac)
        if before != after:
            if before is not None:
                self._occupants[before].discard(mac)
                if not self._occupants[before]:
                    del self._occupants[before]
            if after is not None:
                self._occupants.setdefault(after, set()).add(mac)
        return RoomChange(mac, before, after)

    # Rooms move

    @callback
    def async_look(self) -> bool:
        """Read the areas of all access points anew; return whether one is in another area now."""
        areas = {mac: self._devices.place(mac).area for mac in self._devices.access_points}
        if areas == self._access_point_areas:
            return False
        self._set_areas(areas)
        return True

    @callback
    def async_check(self) -> None:
        """Show where everyone is by now, of whom no event has told that."""
        settling = self._settling
        areas = self._access_point_areas
        present = {
            mac: areas.get(state.ap_mac)
            for mac, state in (self._clients.items() if self.areas else ())
            if state.ap_mac is not None
        }
        changes: list[RoomChange] = []
        for mac in settling.rooms.keys() | present.keys():
            before = settling.rooms.get(mac)
            if mac not in present:
                settling.remove(mac)
            elif mac not in settling.rooms or settling.where(mac) != present[mac]:
                settling.put(mac, present[mac])
            else:
                continue
            self._timers.async_cancel(_timer(mac))
            changes.append(self._changed(mac, before))
        self._client_listeners.async_call_each(change.mac for change in changes)
        self.async_show(changes)

    def _set_areas(self, areas: dict[str, Room]) -> None:
        self._access_point_areas = areas
        self.areas = frozenset(area for area in areas.values() if area is not None)

    @callback
    def _may_move_areas(self, data: dr.EventDeviceRegistryUpdatedData) -> bool:
        if data["action"] == "update":
            return "area_id" in data["changes"]
        # One that comes without an area changes nothing; after a new installation all do.
        device = self._device_registry.async_get(data["device_id"])
        return device is None or device.area_id is not None

    @callback
    def _async_take_device(self, _event: Event[dr.EventDeviceRegistryUpdatedData]) -> None:
        if self.async_look():
            self.async_check()
            self._on_areas()

    @callback
    def _async_take_area(self, event: Event[ar.EventAreaRegistryUpdatedData]) -> None:
        """Show an area's new name; one that is removed was taken from its devices before."""
        if (area_id := event.data["area_id"]) is not None:
            self._client_listeners.async_call_each(list(self._occupants.get(area_id, ())))
            self._listeners.async_call(area_id)


def _timer(mac: str) -> str:
    return f"room {mac}"
