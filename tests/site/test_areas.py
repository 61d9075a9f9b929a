"""Areas of clients: debouncing, signals, occupants and notified listeners."""

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

# Debouncing

AWAY, NO_AREA = "-", "."


def debounced(moves: str, seconds: float = 10.0) -> str:
    """Return the debounced areas of a client with their times; "1B" is area B after 1 s."""
    debouncer = AreaDebouncer(seconds)
    due: float | None = None
    last = AWAY
    changes: list[str] = []

    def record(now: float) -> None:
        nonlocal last
        area = (debouncer.areas[ANNA] or NO_AREA) if ANNA in debouncer.areas else AWAY
        if area != last:
            changes.append(f"{now:g}{area}")
            last = area

    for move in [*moves.split(), None]:
        now = float(move[:-1]) if move else 1e9
        if due is not None and due <= now:
            debouncer.commit(ANNA)
            record(due)
            due = None
        if move is None:
            break
        if move.endswith(AWAY):
            debouncer.remove(ANNA)
            due = None
        elif debouncer.move(ANNA, None if move.endswith(NO_AREA) else move[-1], now):
            due = now + seconds if ANNA in debouncer.pending else None
        record(now)
    assert debouncer.pending == {}
    return " ".join(changes)


@pytest.mark.parametrize(
    ("moves", "expected"),
    [
        ("0A", "0A"),
        ("0A 1B", "0A 1B"),
        ("0A 1B 2C 3D", "0A 1B 2C 3D"),
        # Back at once: it has to last.
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
        # On to a third area while a move back is pending.
        ("0A 1B 3A 5C", "0A 1B 5C"),
        ("0A 1B 3A 5C 6B", "0A 1B 5C 16B"),
        # Another access point in the same area changes nothing.
        ("0A 1B 3A 6A 9A", "0A 1B 13A"),
        ("0A 1B 5B 11A", "0A 1B 11A"),
        # Disconnected and back: the tracker has already waited.
        ("0A 1- 2A", "0A 1- 2A"),
        ("0A 1B 2- 3A", "0A 1B 2- 3A"),
        ("0A 1B 3A 5-", "0A 1B 5-"),
        # All access points without an area count as one area.
        ("0A 1. 3A 4. 5A 6.", "0A 1."),
        ("0. 1A 3.", "0. 1A 13."),
    ],
)
def test_area_debouncer_applies_a_move_at_once_but_delays_a_move_back(
    moves: str, expected: str
) -> None:
    assert debounced(moves) == expected


def test_area_debouncer_without_settling_time_applies_every_move_at_once() -> None:
    assert debounced("0A 1B 1A 1B 2A", seconds=0.0) == "0A 1B 1A 1B 2A"


def test_area_debouncer_remembers_only_areas_left_recently() -> None:
    debouncer = AreaDebouncer(10.0)
    for second in range(1000):
        debouncer.move(ANNA, f"area {second}", float(second))
        debouncer.move(BEN, f"area {second % 2}", float(second))
    assert len(debouncer._left) <= 10 + 2
    debouncer = AreaDebouncer(0.0)
    for second in range(1000):
        debouncer.move(ANNA, f"area {second}", float(second))
    assert len(debouncer._left) == 0


# Areas of a site


class Site:
    """Access points in two areas and in none, a tracker, and one tracked client, Anna.

    `called` lists the clients and areas whose listeners were called, `signals` the payloads sent.
    """

    def __init__(self, hass: HomeAssistant) -> None:
        """Create it without connected clients."""
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
        self.signals: list[Mapping[str, Any]] = []
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
            self.areas.async_add_listener(
                area_id, lambda area_id=area_id: self.called.append(area_id)
            )
        async_dispatcher_connect(hass, SIGNAL_AREA, self._record)
        self.areas.async_start()
        for name, mac in (("Hall", HALL), ("Kitchen", KITCHEN), ("Attic", ATTIC)):
            self.devices.access_points[mac] = DeviceRecord(
                mac=mac, name=name, model=None, type="uap"
            )
            self.device(mac)

    @callback
    def _record(self, data: Mapping[str, Any]) -> None:
        self.signals.append(data)

    def _count(self) -> None:
        self.new_areas += 1

    def device(self, mac: str) -> str:
        """Return the id of an access point's device, created if needed."""
        return (
            dr.async_get(self.hass)
            .async_get_or_create(
                config_entry_id=self.entry.entry_id, **self.devices.access_point_info(mac)
            )
            .id
        )

    def assign(self, mac: str, area: str | None) -> None:
        """Assign an access point to an area, as the user does."""
        area_id = ar.async_get(self.hass).async_get_or_create(area).id if area else None
        dr.async_get(self.hass).async_update_device(self.device(mac), area_id=area_id)

    def snapshot(self, *macs: str, ap: str = HALL) -> None:
        """Process a snapshot with these clients on an access point, as the coordinator does."""
        self.now += 1
        stations = [station(self.now, ap, mac=mac, alias=mac) for mac in macs]
        events = self.tracker.process_snapshot(stations, self.now)
        self.areas.async_refresh()
        self._apply(events)
        self.areas.async_reconcile()

    def receive(self, *batch: Observation) -> None:
        """Process a batch of the stream, as the coordinator does."""
        self._apply(self.tracker.process_batch(batch, self.now))
        self._apply(self.tracker.release_due(self.now))

    def _apply(self, events: Sequence[ClientEvent]) -> None:
        changes = self.areas.async_apply_events(events)
        self.areas.async_write_states(changes)
        self.areas.async_publish(changes)

    def roam(self, ap_from: str, ap_to: str, mac: str = ANNA, *, late: bool = False) -> None:
        self.now += 1
        events = self.tracker.process_batch([roam(self.now, ap_from, ap_to, mac=mac)], self.now)
        self._apply([event._replace(late=late) for event in events])

    def wait(self, seconds: float) -> None:
        """Let time pass and timers run."""
        self.now += seconds
        async_fire_time_changed(self.hass, dt_util.utcnow() + timedelta(seconds=seconds))

    def moves(self) -> list[tuple[str, str | None, str | None]]:
        """Return client, origin and destination of the signals so far."""
        return [(data["client_mac"], data["area_from"], data["area_to"]) for data in self.signals]


@pytest.fixture
def site(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    site = Site(hass)
    monkeypatch.setattr(module, "monotonic", lambda: site.now)
    site.assign(HALL, "Hall")
    site.assign(KITCHEN, "Kitchen")
    ar.async_get(hass).async_create("Cellar")
    yield site
    site.timers.async_close()


async def test_clients_of_the_first_snapshot_have_an_area_but_no_signal_is_sent(site: Site) -> None:
    site.snapshot(ANNA, BEN)
    assert (site.areas.area_of(ANNA), site.areas.area_of(BEN)) == ("hall", "hall")
    assert site.areas.clients_in("hall") == [ANNA]
    assert site.areas.area_ids == {"hall", "kitchen"}
    assert site.areas.area_of("nobody") is None
    assert site.signals == []


async def test_area_change_is_signalled_once_with_the_whole_payload(site: Site) -> None:
    site.snapshot(ANNA, BEN)
    site.called.clear()
    site.roam(HALL, KITCHEN)
    site.receive(station(site.now + 1, KITCHEN, mac=ANNA))
    site.snapshot(ANNA, ap=KITCHEN)
    assert site.areas.area_of(ANNA) == "kitchen"
    assert site.signals == [
        {
            "entry_id": site.entry.entry_id,
            "site": "default",
            "client_mac": ANNA,
            "client_name": ANNA,
            "device_id": None,
            "guest": False,
            "area_from": "hall",
            "area_to": "kitchen",
            "late": False,
        }
    ]
    assert site.called == ["hall", "kitchen"]


async def test_area_change_by_a_late_event_is_late(site: Site) -> None:
    site.snapshot(ANNA)
    site.roam(HALL, KITCHEN, late=True)
    assert site.areas.area_of(ANNA) == "kitchen"
    # Back within the settling time, so only shown after that.
    site.roam(KITCHEN, HALL, late=True)
    site.wait(10.5)
    assert site.areas.area_of(ANNA) == "hall"
    site.roam(HALL, ATTIC)
    assert site.moves() == [
        (ANNA, "hall", "kitchen"),
        (ANNA, "kitchen", "hall"),
        (ANNA, "hall", None),
    ]
    assert [data["late"] for data in site.signals] == [True, True, False]


async def test_area_change_of_a_burst_is_as_late_as_its_last_event(site: Site) -> None:
    site.snapshot(ANNA)
    ends = (HALL, ATTIC), (ATTIC, KITCHEN)
    batch = [roam(site.now + at, *pair, mac=ANNA) for at, pair in enumerate(ends, 1)]
    first, last = site.tracker.process_batch(batch, site.now + 2)
    changes = site.areas.async_apply_events([first._replace(late=True), last])
    site.areas.async_publish(changes)
    assert site.moves() == [(ANNA, "hall", "kitchen")]
    assert site.signals[0]["late"] is False


async def test_settling_time_of_areas_can_be_changed(site: Site) -> None:
    site.snapshot(ANNA)
    site.areas.async_set_settling_time(0.0)
    site.roam(HALL, KITCHEN)
    site.roam(KITCHEN, HALL)
    assert site.areas.area_of(ANNA) == "hall"


async def test_area_change_is_signalled_for_connecting_disconnecting_and_no_area(
    site: Site,
) -> None:
    site.snapshot(BEN)
    site.now += 1
    site.receive(connected(site.now, HALL, mac=ANNA))
    site.roam(HALL, ATTIC)
    assert site.areas.area_of(ANNA) is None
    site.roam(ATTIC, KITCHEN)
    site.now += 1
    site.receive(disconnected(site.now, KITCHEN, mac=ANNA))
    assert site.areas.area_of(ANNA) is None
    site.now += 1
    site.receive(connected(site.now, ATTIC, mac=ANNA))
    assert site.moves() == [
        (ANNA, None, "hall"),
        (ANNA, "hall", None),
        (ANNA, None, "kitchen"),
        (ANNA, "kitchen", None),
    ]


async def test_area_of_a_flapping_client_changes_once_and_again_when_it_stays(site: Site) -> None:
    site.snapshot(ANNA)
    for _ in range(5):
        site.roam(HALL, KITCHEN)
        site.roam(KITCHEN, HALL)
    site.snapshot(ANNA)
    assert site.areas.area_of(ANNA) == "kitchen"
    assert site.areas.clients_in("kitchen") == [ANNA]
    assert site.moves() == [(ANNA, "hall", "kitchen")]
    site.called.clear()
    site.wait(9.0)
    assert site.areas.area_of(ANNA) == "kitchen"
    site.wait(10.5)
    assert site.areas.area_of(ANNA) == "hall"
    assert site.moves() == [(ANNA, "hall", "kitchen"), (ANNA, "kitchen", "hall")]
    assert site.called == [ANNA, "kitchen", "hall"]


async def test_pending_area_is_dropped_when_the_client_moves_on_or_disconnects(site: Site) -> None:
    site.snapshot(ANNA)
    site.roam(HALL, KITCHEN)
    site.roam(KITCHEN, HALL)
    site.roam(HALL, ATTIC)
    site.wait(20.0)
    assert site.areas.area_of(ANNA) is None
    site.roam(ATTIC, KITCHEN)
    site.roam(KITCHEN, ATTIC)
    site.now += 1
    site.receive(disconnected(site.now, ATTIC, mac=ANNA))
    site.wait(20.0)
    assert site.areas.area_of(ANNA) is None
    assert [area_to for _, _, area_to in site.moves()] == ["kitchen", None, "kitchen", None]


async def test_area_change_of_a_burst_depends_only_on_where_it_ends(site: Site) -> None:
    site.snapshot(ANNA)
    now = site.now
    site.receive(roam(now + 1, HALL, KITCHEN, mac=ANNA), roam(now + 2, KITCHEN, HALL, mac=ANNA))
    assert site.areas.area_of(ANNA) == "hall"
    assert site.signals == []


async def test_area_of_clients_follows_their_access_point_without_a_signal(
    site: Site,
) -> None:
    site.snapshot(ANNA)
    site.snapshot(BEN, ap=KITCHEN)
    site.signals.clear()
    site.called.clear()
    site.new_areas = 0
    site.assign(HALL, "Cellar")
    assert site.areas.area_of(ANNA) == "cellar"
    assert site.called == [ANNA, "hall", "cellar"]
    assert site.areas.area_ids == {"cellar", "kitchen"}
    site.assign(HALL, None)
    assert site.areas.area_of(ANNA) is None
    assert site.areas.area_ids == {"kitchen"}
    assert site.new_areas == 2
    assert site.signals == []


async def test_pending_area_of_a_client_follows_its_access_point(site: Site) -> None:
    site.snapshot(ANNA)
    site.roam(HALL, KITCHEN)
    site.roam(KITCHEN, HALL)
    site.signals.clear()
    site.assign(HALL, "Cellar")
    assert site.areas.area_of(ANNA) == "cellar"
    site.wait(20.0)
    assert site.areas.area_of(ANNA) == "cellar"
    assert site.signals == []


async def test_area_of_a_deleted_access_point_is_none(site: Site) -> None:
    site.snapshot(ANNA)
    dr.async_get(site.hass).async_remove_device(site.device(HALL))
    assert site.areas.area_of(ANNA) is None
    # Home Assistant restores the area of a device that is created again.
    site.device(HALL)
    assert site.areas.area_of(ANNA) == "hall"


async def test_renamed_area_notifies_only_its_own_clients(site: Site) -> None:
    site.snapshot(ANNA)
    site.snapshot(BEN, ap=KITCHEN)
    site.called.clear()
    areas = ar.async_get(site.hass)
    areas.async_update("hall", name="Lobby")
    assert site.called == [ANNA, "hall"]
    assert site.areas.area_name("hall") == "Lobby"
    site.called.clear()
    areas.async_create("Garden")
    areas.async_reorder(list(areas.areas))
    assert site.called == []


async def test_area_of_another_integrations_device_changes_nothing(site: Site) -> None:
    site.snapshot(ANNA)
    site.called.clear()
    site.new_areas = 0
    other = MockConfigEntry(domain="test")
    other.add_to_hass(site.hass)
    registry = dr.async_get(site.hass)
    device = registry.async_get_or_create(
        config_entry_id=other.entry_id, identifiers={("test", "lamp")}
    )
    registry.async_update_device(device.id, area_id="kitchen")
    registry.async_remove_device(device.id)
    assert (site.called, site.new_areas) == ([], 0)


async def test_area_of_an_unknown_access_point_is_found_by_a_roam_to_it(site: Site) -> None:
    site.snapshot(ANNA)
    site.assign(ATTIC, "Cellar")
    del site.devices.access_points[ATTIC]
    site.areas.async_refresh()
    assert "cellar" not in site.areas.area_ids
    site.roam(HALL, ATTIC)
    assert site.moves() == [(ANNA, "hall", "cellar")]


async def test_area_of_a_client_dropped_without_an_event_is_reconciled(site: Site) -> None:
    """The tracker drops connected clients without an event only beyond its limit of clients."""
    site.snapshot(ANNA)
    site.called.clear()
    site.tracker._drop(ANNA)
    assert site.areas.area_of(ANNA) is None
    assert site.areas.clients_in("hall") == []
    site.areas.async_reconcile()
    assert site.called == [ANNA, "hall"]
    assert site.areas._debouncer.areas == {}


async def test_no_area_signal_is_sent_for_a_client_that_the_tracker_dropped(site: Site) -> None:
    site.snapshot(ANNA)
    site.roam(HALL, KITCHEN)
    site.roam(KITCHEN, HALL)
    site.signals.clear()
    site.tracker._drop(ANNA)
    site.wait(20.0)
    assert site.signals == []


async def test_areas_keep_nothing_of_passers_by_and_notify_no_listener(site: Site) -> None:
    site.snapshot(ANNA)
    site.called.clear()
    for start in range(0, 26_000, 100):
        site.now += 10
        now = site.now
        macs = [f"02:00:01:00:{n >> 8:02x}:{n & 255:02x}" for n in range(start, start + 100)]
        site.receive(*(connected(now, HALL, mac=mac) for mac in macs))
        site.receive(*(roam(now + 1, HALL, KITCHEN, mac=mac) for mac in macs))
        site.receive(*(roam(now + 2, KITCHEN, HALL, mac=mac) for mac in macs))
        site.now += 3
        site.receive(*(disconnected(now + 3, HALL, mac=mac) for mac in macs))
    assert len(site.signals) == 26_000 * 3
    debouncer = site.areas._debouncer
    assert debouncer.areas == {ANNA: "hall"}
    assert debouncer.pending == {}
    assert len(debouncer._left) <= 200
    assert site.areas._occupants == {"hall": {ANNA}}
    assert site.timers._waiting == {}
    assert site.called == []


async def test_site_without_areas_keeps_no_occupants(site: Site) -> None:
    site.snapshot(ANNA)
    site.assign(HALL, None)
    site.assign(KITCHEN, None)
    site.roam(HALL, ATTIC)
    site.snapshot(ANNA, BEN, ap=ATTIC)
    assert site.areas._debouncer.areas == {}
    assert site.areas._occupants == {}
    assert site.signals == []
    site.assign(ATTIC, "Cellar")
    assert site.areas.clients_in("cellar") == [ANNA]
