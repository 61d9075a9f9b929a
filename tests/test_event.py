"""Event entities: the events of a client, and guests and new clients of a site."""

from homeassistant.core import Event, EventStateChangedData, State, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.event import async_track_state_change_event
import pytest

from custom_components.unifi_scanner.roaming import EventKind
from custom_components.unifi_scanner.site.publisher import client_signal
from tests.controller import Band
from tests.home import ANNA, BEN, CARA, Home, until

pytestmark = pytest.mark.usefixtures("socket_enabled")

GUEST = "02:00:00:00:00:0e"


def movement(home: Home, mac: str = ANNA) -> State:
    """Return the state of a client's event entity."""
    state = home.state("movement", mac, "event")
    assert state is not None
    return state


def visitor(home: Home) -> State:
    """Return the state of the site's event entity."""
    state = home.state("visitor", domain="event")
    assert state is not None
    return state


async def test_movement_entity_shows_every_kind_of_event(home: Home) -> None:
    await home.set_up(disconnect_delay=0.2)
    assert movement(home).state == "unknown"
    await home.controller.roam(ANNA, "Kitchen")
    await home.happened(1)
    roamed = movement(home)
    assert roamed.attributes["event_type"] == "roamed"
    assert roamed.attributes["ap_from_name"] == "Hall"
    assert roamed.attributes["ap_to_name"] == "Kitchen"
    assert movement(home, BEN).state == "unknown"
    await home.controller.roam_radio(ANNA, Band.NG)
    await home.happened(2)
    assert movement(home).attributes["event_type"] == "roamed_radio"
    await home.controller.disconnect(BEN)
    await home.happened(3)
    assert movement(home, BEN).attributes["event_type"] == "disconnected"
    await home.controller.connect(BEN, "Hall")
    await home.happened(4)
    assert movement(home, BEN).attributes["event_type"] == "connected"


@pytest.mark.parametrize("late", [False, True])
async def test_movement_entity_shows_whether_an_event_is_late(home: Home, *, late: bool) -> None:
    await home.set_up()
    await home.controller.roam(ANNA, "Kitchen")
    ((_, data),) = await home.happened(1)
    assert movement(home).attributes["late"] is False
    signal = client_signal(home.entry.entry_id, ANNA)
    async_dispatcher_send(home.hass, signal, EventKind.ROAM, {**data, "late": late})
    assert movement(home).attributes["late"] is late


async def test_movement_entity_is_written_once_per_event(home: Home) -> None:
    await home.set_up()
    written: list[str] = []

    @callback
    def record(event: Event[EventStateChangedData]) -> None:
        written.append(event.data["entity_id"])

    entity_id = home.entity_id("movement", ANNA, "event")
    assert entity_id is not None
    remove = async_track_state_change_event(home.hass, [entity_id], record)
    await home.controller.roam(ANNA, "Kitchen")
    await home.happened(1)
    await home.controller.sync(ANNA)
    await home.later(61)
    remove()
    assert written == [entity_id]


async def test_movement_entity_is_up_to_date_when_the_bus_event_fires(home: Home) -> None:
    states: list[object] = []
    await home.set_up()

    @callback
    def read_state(_event: Event) -> None:
        states.append(movement(home).attributes.get("event_type"))

    home.hass.bus.async_listen("unifi_scanner_roam", read_state)
    await home.controller.roam(ANNA, "Kitchen")
    await home.happened(1)
    await home.hass.async_block_till_done()
    assert states == ["roamed"]


async def test_movement_entity_is_available_again_before_events_after_an_outage(home: Home) -> None:
    """State triggers ignore an event entity whose previous state was unavailable."""
    await home.set_up()
    faults = home.controller.faults
    faults.refuse("*wss*", status=502)
    outage = faults.refuse("*stat*", status=503)
    await home.cut()
    await home.later(61)
    await until(lambda: not home.coordinator.available)
    home.world.roam(ANNA, "Kitchen")
    states: list[object] = []

    @callback
    def record(event: Event[EventStateChangedData]) -> None:
        old_state = event.data["old_state"]
        if movement(home).attributes.get("event_type") == "roamed":
            states.append(old_state and old_state.state)

    @callback
    def read_state(_event: Event) -> None:
        states.append(home.shows("access_point", ANNA))

    remove = async_track_state_change_event(home.hass, [movement(home).entity_id], record)
    home.hass.bus.async_listen("unifi_scanner_roam", read_state)
    faults.remove(outage)
    await home.coordinator.async_refresh()
    remove()
    assert states == ["unknown", "Kitchen"]


async def test_movement_entity_exists_for_tracked_clients_with_tracked_events_only(
    home: Home,
) -> None:
    await home.set_up(clients=(ANNA,), tracked_events_only=True)
    assert home.entity_id("movement", BEN, "event") is None
    await home.controller.roam(BEN, "Kitchen")
    await home.controller.roam(ANNA, "Kitchen")
    [(_, data)] = await home.happened(1)
    assert data["client_mac"] == ANNA
    assert movement(home).attributes["event_type"] == "roamed"


async def test_visitor_entity_shows_a_guest(home: Home) -> None:
    home.world.add_client("Guest", mac=GUEST, is_guest=True)
    await home.set_up()
    await home.controller.connect(GUEST, "Kitchen")
    await home.happened(1)
    assert visitor(home).attributes["event_type"] == "guest_connected"
    assert visitor(home).attributes["client_name"] == "Guest"
    assert visitor(home).attributes["ap_name"] == "Kitchen"


async def test_visitor_entity_shows_a_new_client(home: Home) -> None:
    await home.set_up()
    home.world.add_client("Cara", mac=CARA)
    await home.controller.connect(CARA, "Hall")
    await home.later(61)
    await until(lambda: visitor(home).state != "unknown")
    assert visitor(home).attributes["event_type"] == "new_client"
    assert visitor(home).attributes["client_mac"] == CARA
    assert visitor(home).attributes["randomised_mac"] is True


async def test_movement_entity_is_added_for_a_new_client_without_a_reload(home: Home) -> None:
    await home.set_up(add_new_clients=True)
    home.world.add_client("Cara", mac=CARA)
    await home.controller.connect(CARA, "Hall")
    await home.later(61)
    await until(lambda: home.entity_id("movement", CARA, "event"))
    count = len(home.events)
    await home.controller.roam(CARA, "Kitchen")
    await home.happened(count + 1)
    assert movement(home, CARA).attributes["event_type"] == "roamed"
