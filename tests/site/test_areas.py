"""Who is in which room, when that is shown, and who hears of it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import area_registry as ar, device_registry as dr
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.unifi_scanner.api.records import DeviceRecord, Observation
from custom_components.unifi_scanner.const import DOMAIN
from custom_components.unifi_scanner.roaming import ClientEvent, RoamTracker
from custom_components.unifi_scanner.site import areas as module
from custom_components.unifi_scanner.site.area_debounce import AreaDebouncer
from custom_components.unifi_scanner.site.areas import SiteAreas
from custom_components.unifi_scanner.site.devices import SiteDevices
from custom_components.unifi_scanner.site.listeners import KeyedListeners
from custom_components.unifi_scanner.site.publisher import SIGNAL_AREA, EventPublisher
from custom_components.unifi_scanner.site.timers import Timers
from tests.home import ANNA, ATTIC, BEN, HALL, KITCHEN
from tests.roaming.observations import connected, disconnected, roam, station

# The settling time

AWAY, NO_AREA = "-", "."


def shown(moves: str, seconds: float = 10.0) -> str:
    """Return when which room is shown of a client that moves like this: "0A 1B" is B at 1 s."""
    settling = AreaDebouncer(seconds)
    due: float | None = None
    last = AWAY
    changes: list[str] = []

    def show(now: float) -> None:
        nonlocal last
        room = (settling.areas[ANNA] or NO_AREA) if ANNA in settling.areas else AWAY
        if room != last:
            changes.append(f"{now:g}{room}")
            last = room

    for move in [*moves.split(), None]:
        now = float(move[:-1]) if move else 1e9
        if due is not None and due <= now:
            settling.commit(ANNA)
            show(due)
            due = None
        if move is None:
            break
        if move.endswith(AWAY):
            settling.remove(ANNA)
            due = None
        elif settling.move(ANNA, None if move.endswith(NO_AREA) else move[-1], now):
            due = now + seconds if ANNA in settling.pending else None
        show(now)
    assert settling.pending == {}
    return " ".join(changes)


@pytest.mark.parametrize(
    ("moves", "expected"),
    [
        ("0A", "0A"),
        ("0A 1B", "0A 1B"),
        ("0A 1B 2C 3D", "0A 1B 2C 3D"),
        # Back at once: has to last.
        ("0A 1B 4A", "0A 1B 14A"),
        ("0A 1B 10.9A", "0A 1B 20.9A"),
        ("0A 1B 2C 3A", "0A 1B 2C 13A"),
        # Back after the settling time: a move like any other.
        ("0A 1B 11A", "0A 1B 11A"),
        ("0A 1B 11A 21B 31A", "0A 1B 11A 21B 31A"),
        # Flapping.
        ("0A 1B 4A 6B 9A 12B", "0A 1B"),
        ("0A 1B 4A 6B 9A", "0A 1B 19A"),
        ("0A 1B 2A 3B 4A 5B 6A 7B 8A 9B", "0A 1B"),
        ("0A 1B 3A 12.9B 13A", "0A 1B 23A"),
        ("0A 1B 3A 14B", "0A 1B 13A 14B"),
        # On to a third room while it is held.
        ("0A 1B 3A 5C", "0A 1B 5C"),
        ("0A 1B 3A 5C 6B", "0A 1B 5C 16B"),
        # Another access point of the same room changes nothing.
        ("0A 1B 3A 6A 9A", "0A 1B 13A"),
        ("0A 1B 5B 11A", "0A 1B 11A"),
        # Gone and back: the tracker has already waited.
        ("0A 1- 2A", "0A 1- 2A"),
        ("0A 1B 2- 3A", "0A 1B 2- 3A"),
        ("0A 1B 3A 5-", "0A 1B 5-"),
        # Places in no area are one more room.
        ("0A 1. 3A 4. 5A 6.", "0A 1."),
        ("0. 1A 3.", "0. 1A 13."),
    ],
)
def test_a_move_shows_at_once_and_one_back_when_it_has_lasted(moves: str, expected: str) -> None:
    assert shown(moves) == expected


def test_without_a_settling_time_everything_shows_at_once() -> None:
    assert shown("0A 1B 1A 1B 2A", seconds=0.0) == "0A 1B 1A 1B 2A"


def test_only_rooms_that_were_left_lately_are_remembered() -> None:
    settling = AreaDebouncer(10.0)
    for second in range(1000):
        settling.move(ANNA, f"room {second}", float(second))
        settling.move(BEN, f"room {second % 2}", float(second))
    assert len(settling._left) <= 10 + 2
    settling = AreaDebouncer(0.0)
    for second in range(1000):
        settling.move(ANNA, f"room {second}", float(second))
    assert len(settling._left) == 0


# The rooms of a site


class House:
    """Three access points in two areas and none, a tracker, and Anna, who is tracked."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Build it; nobody is there."""
        entry = MockConfigEntry(
            domain=DOMAIN, unique_id="home", data={"site": "default", "url": "https://localhost"}
        )
        entry.add_to_hass(hass)
        self.hass = hass
        self.now = 1000.0
        self.entry = entry
        self.tracker = RoamTracker(0.0)
        self.devices = SiteDevices(hass, entry)
        self.listeners = KeyedListeners()
        self.timers = Timers(hass)
        self.told: list[Mapping[str, Any]] = []
        self.called: list[str] = []
        self.new_areas = 0
        self.areas = SiteAreas(
            hass,
            entry,
            devices=self.devices,
            clients=self.tracker.clients,
            tracked={ANNA},
            publisher=EventPublisher(hass, entry, self.devices, {ANNA}),
            client_listeners=self.listeners,
            timers=self.timers,
            on_areas=self._count,
        )
        for mac in (ANNA, BEN):
            self.listeners.async_add(mac, lambda mac=mac: self.called.append(mac))
        for area_id in ("hall", "kitchen", "cellar"):
            self.areas.async_add_listener(area_id, lambda area_id=area_id: self.called.append(area_id))
        async_dispatcher_connect(hass, SIGNAL_AREA, self._remember)
        self.areas.async_start()
        for name, mac in (("Hall", HALL), ("Kitchen", KITCHEN), ("Attic", ATTIC)):
            self.devices.access_points[mac] = DeviceRecord(
                mac=mac, name=name, model=None, type="uap"
            )
            self.device(mac)

    @callback
    def _remember(self, data: Mapping[str, Any]) -> None:
        self.told.append(data)

    def _count(self) -> None:
        self.new_areas += 1

    def device(self, mac: str) -> str:
        """Return the id of an access point's device, made if need be."""
        return (
            dr.async_get(self.hass)
            .async_get_or_create(
                config_entry_id=self.entry.entry_id, **self.devices.access_point_info(mac)
            )
            .id
        )

    def furnish(self, mac: str, area: str | None) -> None:
        """Put an access point into an area, as the user does."""
        area_id = ar.async_get(self.hass).async_get_or_create(area).id if area else None
        dr.async_get(self.hass).async_update_device(self.device(mac), area_id=area_id)

    def look(self, *macs: str, ap: str = HALL) -> None:
        """Take a snapshot in which these are on an access point, as the coordinator does."""
        self.now += 1
        stations = [station(self.now, ap, mac=mac, alias=mac) for mac in macs]
        events = self.tracker.process_snapshot(stations, self.now)
        self.areas.async_refresh()
        self._take(events)
        self.areas.async_reconcile()

    def hear(self, *batch: Observation) -> None:
        """Take what the stream tells, as the coordinator does."""
        self._take(self.tracker.process_batch(batch, self.now))
        self._take(self.tracker.release_due(self.now))

    def _take(self, events: Sequence[ClientEvent]) -> None:
        changes = self.areas.async_apply_events(events)
        self.areas.async_write_states(changes)
        self.areas.async_publish(changes)

    def roam(self, ap_from: str, ap_to: str, mac: str = ANNA) -> None:
        self.now += 1
        self.hear(roam(self.now, ap_from, ap_to, mac=mac))

    def wait(self, seconds: float) -> None:
        """Let time pass, and what is due happen."""
        self.now += seconds
        async_fire_time_changed(self.hass, dt_util.utcnow() + timedelta(seconds=seconds))

    def moves(self) -> list[tuple[str, str | None, str | None]]:
        """Return who went from where to where by the signals so far."""
        return [(data["client_mac"], data["area_from"], data["area_to"]) for data in self.told]


@pytest.fixture
def house(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    house = House(hass)
    monkeypatch.setattr(module, "monotonic", lambda: house.now)
    house.furnish(HALL, "Hall")
    house.furnish(KITCHEN, "Kitchen")
    ar.async_get(hass).async_create("Cellar")
    yield house
    house.timers.async_close()


async def test_whoever_is_there_at_first_has_a_room_and_nobody_is_told(house: House) -> None:
    house.look(ANNA, BEN)
    assert (house.areas.area_of(ANNA), house.areas.area_of(BEN)) == ("hall", "hall")
    assert house.areas.clients_in("hall") == [ANNA]
    assert house.areas.area_ids == {"hall", "kitchen"}
    assert house.areas.area_of("nobody") is None
    assert house.told == []


async def test_a_move_is_told_once_with_all_there_is_to_say(house: House) -> None:
    house.look(ANNA, BEN)
    house.called.clear()
    house.roam(HALL, KITCHEN)
    house.hear(station(house.now + 1, KITCHEN, mac=ANNA))
    house.look(ANNA, ap=KITCHEN)
    assert house.areas.area_of(ANNA) == "kitchen"
    assert house.told == [
        {
            "entry_id": house.entry.entry_id,
            "site": "default",
            "client_mac": ANNA,
            "client_name": ANNA,
            "device_id": None,
            "guest": False,
            "area_from": "hall",
            "area_to": "kitchen",
        }
    ]
    assert house.called == ["hall", "kitchen"]


async def test_coming_going_and_places_without_an_area_are_told(house: House) -> None:
    house.look(BEN)
    house.now += 1
    house.hear(connected(house.now, HALL, mac=ANNA))
    house.roam(HALL, ATTIC)
    assert house.areas.area_of(ANNA) is None
    house.roam(ATTIC, KITCHEN)
    house.now += 1
    house.hear(disconnected(house.now, KITCHEN, mac=ANNA))
    assert house.areas.area_of(ANNA) is None
    house.now += 1
    house.hear(connected(house.now, ATTIC, mac=ANNA))
    assert house.moves() == [
        (ANNA, None, "hall"),
        (ANNA, "hall", None),
        (ANNA, None, "kitchen"),
        (ANNA, "kitchen", None),
    ]


async def test_a_client_that_flaps_moves_once_and_follows_when_it_stays(house: House) -> None:
    house.look(ANNA)
    for _ in range(5):
        house.roam(HALL, KITCHEN)
        house.roam(KITCHEN, HALL)
    house.look(ANNA)
    assert house.areas.area_of(ANNA) == "kitchen"
    assert house.areas.clients_in("kitchen") == [ANNA]
    assert house.moves() == [(ANNA, "hall", "kitchen")]
    house.called.clear()
    house.wait(9.0)
    assert house.areas.area_of(ANNA) == "kitchen"
    house.wait(10.5)
    assert house.areas.area_of(ANNA) == "hall"
    assert house.moves() == [(ANNA, "hall", "kitchen"), (ANNA, "kitchen", "hall")]
    assert house.called == [ANNA, "kitchen", "hall"]


async def test_who_goes_on_or_away_while_it_is_held_is_not_put_back_later(house: House) -> None:
    house.look(ANNA)
    house.roam(HALL, KITCHEN)
    house.roam(KITCHEN, HALL)
    house.roam(HALL, ATTIC)
    house.wait(20.0)
    assert house.areas.area_of(ANNA) is None
    house.roam(ATTIC, KITCHEN)
    house.roam(KITCHEN, ATTIC)
    house.now += 1
    house.hear(disconnected(house.now, ATTIC, mac=ANNA))
    house.wait(20.0)
    assert house.areas.area_of(ANNA) is None
    assert [area_to for _, _, area_to in house.moves()] == ["kitchen", None, "kitchen", None]


async def test_a_burst_counts_by_where_it_ends(house: House) -> None:
    house.look(ANNA)
    now = house.now
    house.hear(roam(now + 1, HALL, KITCHEN, mac=ANNA), roam(now + 2, KITCHEN, HALL, mac=ANNA))
    assert house.areas.area_of(ANNA) == "hall"
    assert house.told == []


async def test_an_access_point_put_elsewhere_takes_its_clients_along_and_nobody_is_told(
    house: House,
) -> None:
    house.look(ANNA)
    house.look(BEN, ap=KITCHEN)
    house.told.clear()
    house.called.clear()
    house.new_areas = 0
    house.furnish(HALL, "Cellar")
    assert house.areas.area_of(ANNA) == "cellar"
    assert house.called == [ANNA, "hall", "cellar"]
    assert house.areas.area_ids == {"cellar", "kitchen"}
    house.furnish(HALL, None)
    assert house.areas.area_of(ANNA) is None
    assert house.areas.area_ids == {"kitchen"}
    assert house.new_areas == 2
    assert house.told == []


async def test_one_that_is_held_goes_along_with_its_access_point(house: House) -> None:
    house.look(ANNA)
    house.roam(HALL, KITCHEN)
    house.roam(KITCHEN, HALL)
    house.told.clear()
    house.furnish(HALL, "Cellar")
    assert house.areas.area_of(ANNA) == "cellar"
    house.wait(20.0)
    assert house.areas.area_of(ANNA) == "cellar"
    assert house.told == []


async def test_an_access_point_that_is_deleted_is_in_no_area(house: House) -> None:
    house.look(ANNA)
    dr.async_get(house.hass).async_remove_device(house.device(HALL))
    assert house.areas.area_of(ANNA) is None
    # Home Assistant remembers where it was.
    house.device(HALL)
    assert house.areas.area_of(ANNA) == "hall"


async def test_a_new_name_concerns_only_who_is_in_that_area(house: House) -> None:
    house.look(ANNA)
    house.look(BEN, ap=KITCHEN)
    house.called.clear()
    areas = ar.async_get(house.hass)
    areas.async_update("hall", name="Lobby")
    assert house.called == [ANNA, "hall"]
    assert house.areas.area_name("hall") == "Lobby"
    house.called.clear()
    areas.async_create("Garden")
    areas.async_reorder(list(areas.areas))
    assert house.called == []


async def test_a_device_of_somebody_else_changes_nothing(house: House) -> None:
    house.look(ANNA)
    house.called.clear()
    house.new_areas = 0
    other = MockConfigEntry(domain="test")
    other.add_to_hass(house.hass)
    registry = dr.async_get(house.hass)
    device = registry.async_get_or_create(
        config_entry_id=other.entry_id, identifiers={("test", "lamp")}
    )
    registry.async_update_device(device.id, area_id="kitchen")
    registry.async_remove_device(device.id)
    assert (house.called, house.new_areas) == ([], 0)


async def test_an_access_point_met_by_a_roam_brings_its_area(house: House) -> None:
    house.look(ANNA)
    house.furnish(ATTIC, "Cellar")
    del house.devices.access_points[ATTIC]
    house.areas.async_refresh()
    assert "cellar" not in house.areas.area_ids
    house.roam(HALL, ATTIC)
    assert house.moves() == [(ANNA, "hall", "cellar")]


async def test_a_move_that_nobody_told_of_is_shown_all_the_same(house: House) -> None:
    """The tracker forgets someone who is connected only where there are too many clients."""
    house.look(ANNA)
    house.called.clear()
    house.tracker._registry._drop(ANNA)
    assert house.areas.area_of(ANNA) is None
    assert house.areas.clients_in("hall") == []
    house.areas.async_reconcile()
    assert house.called == [ANNA, "hall"]
    assert house.areas._debouncer.areas == {}


async def test_of_one_that_the_tracker_has_forgotten_nothing_is_told(house: House) -> None:
    house.look(ANNA)
    house.roam(HALL, KITCHEN)
    house.roam(KITCHEN, HALL)
    house.told.clear()
    house.tracker._registry._drop(ANNA)
    house.wait(20.0)
    assert house.told == []


async def test_passers_by_leave_nothing_behind_and_call_nobody(house: House) -> None:
    house.look(ANNA)
    house.called.clear()
    for start in range(0, 26_000, 100):
        house.now += 10
        now = house.now
        macs = [f"02:00:01:00:{n >> 8:02x}:{n & 255:02x}" for n in range(start, start + 100)]
        house.hear(*(connected(now, HALL, mac=mac) for mac in macs))
        house.hear(*(roam(now + 1, HALL, KITCHEN, mac=mac) for mac in macs))
        house.hear(*(roam(now + 2, KITCHEN, HALL, mac=mac) for mac in macs))
        house.now += 3
        house.hear(*(disconnected(now + 3, HALL, mac=mac) for mac in macs))
    assert len(house.told) == 26_000 * 3
    debouncer = house.areas._debouncer
    assert debouncer.areas == {ANNA: "hall"}
    assert debouncer.pending == {}
    assert len(debouncer._left) <= 200
    assert house.areas._occupants == {"hall": {ANNA}}
    assert house.timers._waiting == {}
    assert house.called == []


async def test_a_site_without_areas_keeps_no_book(house: House) -> None:
    house.look(ANNA)
    house.furnish(HALL, None)
    house.furnish(KITCHEN, None)
    house.roam(HALL, ATTIC)
    house.look(ANNA, BEN, ap=ATTIC)
    assert house.areas._debouncer.areas == {}
    assert house.areas._occupants == {}
    assert house.told == []
    house.furnish(ATTIC, "Cellar")
    assert house.areas.clients_in("cellar") == [ANNA]
