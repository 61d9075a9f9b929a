"""Binary sensors: the event stream, and the occupancy of areas."""

from homeassistant.core import State
from homeassistant.helpers import area_registry as ar, device_registry as dr, entity_registry as er
import pytest

from custom_components.unifi_scanner import async_remove_config_entry_device
from custom_components.unifi_scanner.const import DOMAIN
from tests.automations import put_in_area
from tests.home import ANNA, ATTIC, BEN, CARA, HALL, KITCHEN, UNIQUE_ID, Home, until

pytestmark = pytest.mark.usefixtures("socket_enabled")


def occupancy(home: Home, area_id: str) -> State | None:
    return home.state(f"occupancy_{area_id}", domain="binary_sensor")


def occupants(home: Home, area_id: str) -> tuple[str, list[str]]:
    """Return the occupancy of an area and its clients."""
    state = occupancy(home, area_id)
    assert state is not None
    assert state.attributes["client_count"] == len(state.attributes["clients"])
    return state.state, state.attributes["clients"]


async def test_event_stream_sensor_shows_whether_the_socket_is_open(home: Home) -> None:
    await home.set_up()
    state = home.state("event_stream", domain="binary_sensor")
    assert state is not None
    assert state.state == "on"
    assert state.attributes["device_class"] == "connectivity"
    await home.cut()
    assert home.shows("event_stream", domain="binary_sensor") == "off"
    await home.reconnected()
    assert home.shows("event_stream", domain="binary_sensor") == "on"


async def test_site_without_areas_has_no_occupancy_sensors(home: Home) -> None:
    await home.set_up()
    assert len(home.hass.states.async_entity_ids("binary_sensor")) == 1


async def test_occupancy_sensor_shows_the_tracked_clients_in_its_area(home: Home) -> None:
    await home.set_up(clients=(ANNA, BEN))
    put_in_area(home, HALL, "Ground floor")
    put_in_area(home, KITCHEN, "Kitchen")
    await home.hass.async_block_till_done()
    state = occupancy(home, "kitchen")
    assert state is not None
    assert state.name == "Kitchen Occupancy"
    assert state.attributes["device_class"] == "occupancy"
    assert occupants(home, "ground_floor") == ("on", ["Anna", "Ben"])
    assert occupants(home, "kitchen") == ("off", [])
    await home.controller.roam(BEN, "Kitchen")
    await home.happened(1)
    assert occupants(home, "ground_floor") == ("on", ["Anna"])
    assert occupants(home, "kitchen") == ("on", ["Ben"])
    await home.controller.roam(ANNA, "Attic")
    await home.happened(2)
    assert occupants(home, "ground_floor") == ("off", [])


async def test_occupancy_sensor_ignores_clients_until_they_are_tracked(home: Home) -> None:
    await home.set_up(clients=(ANNA,), add_new_clients=True)
    put_in_area(home, KITCHEN, "Kitchen")
    home.world.add_client("Cara", mac=CARA)
    await home.controller.connect(CARA, "Kitchen")
    await home.happened(1)
    assert occupants(home, "kitchen") == ("off", [])
    await home.controller.roam(BEN, "Kitchen")
    await home.happened(2)
    assert occupants(home, "kitchen") == ("off", [])
    await home.controller.sync(CARA)
    await until(lambda: home.shows("area", CARA) == "Kitchen")
    assert occupants(home, "kitchen") == ("on", ["Cara"])


async def test_occupancy_sensor_drops_a_removed_client_at_once(home: Home) -> None:
    await home.set_up()
    put_in_area(home, HALL, "Ground floor")
    await home.hass.async_block_till_done()
    device = home.device(ANNA)
    assert device is not None
    assert await async_remove_config_entry_device(home.hass, home.entry, device)
    dr.async_get(home.hass).async_remove_device(device.id)
    assert occupants(home, "ground_floor") == ("on", ["Ben"])


async def test_occupancy_sensor_comes_and_goes_with_the_areas_access_point(home: Home) -> None:
    await home.set_up()
    put_in_area(home, HALL, "Ground floor")
    await home.hass.async_block_till_done()
    assert occupants(home, "ground_floor") == ("on", ["Anna", "Ben"])
    put_in_area(home, HALL, "Basement")
    await home.hass.async_block_till_done()
    assert occupants(home, "basement") == ("on", ["Anna", "Ben"])
    assert home.entity_id("occupancy_ground_floor", domain="binary_sensor") is None
    assert home.hass.states.get("binary_sensor.home_ground_floor_occupancy") is None
    put_in_area(home, KITCHEN, "Basement")
    put_in_area(home, HALL, "Ground floor")
    await home.hass.async_block_till_done()
    assert occupants(home, "basement") == ("off", [])
    assert occupants(home, "ground_floor") == ("on", ["Anna", "Ben"])


async def test_occupancy_sensor_of_a_deleted_area_is_removed(home: Home) -> None:
    await home.set_up()
    put_in_area(home, HALL, "Ground floor")
    await home.hass.async_block_till_done()
    ar.async_get(home.hass).async_delete("ground_floor")
    await home.hass.async_block_till_done()
    assert home.entity_id("occupancy_ground_floor", domain="binary_sensor") is None
    assert len(home.hass.states.async_entity_ids("binary_sensor")) == 1


async def test_occupancy_sensor_is_renamed_with_its_area(home: Home) -> None:
    await home.set_up()
    areas = ar.async_get(home.hass)
    put_in_area(home, HALL, "Ground floor")
    await home.hass.async_block_till_done()
    for name in ("Entrance", "Lobby"):
        areas.async_update("ground_floor", name=name)
        await home.hass.async_block_till_done()
        state = occupancy(home, "ground_floor")
        assert state is not None
        assert state.name == f"{name} Occupancy"
    assert occupants(home, "ground_floor") == ("on", ["Anna", "Ben"])


async def test_occupancy_device_is_in_its_area_unless_the_user_moves_it(home: Home) -> None:
    await home.set_up()
    put_in_area(home, HALL, "Ground floor")
    await home.hass.async_block_till_done()
    registry = dr.async_get(home.hass)

    def device() -> dr.DeviceEntry:
        identifier = (DOMAIN, "area_ground_floor")
        found = registry.async_get_device_by_identifier(identifier, home.entry.entry_id)
        assert found is not None
        return found

    controller = home.device()
    assert controller is not None
    assert (device().area_id, device().via_device_id) == ("ground_floor", controller.id)
    assert (device().entry_type, device().name) == (dr.DeviceEntryType.SERVICE, "Ground floor")
    entity_id = str(home.entity_id("occupancy_ground_floor", domain="binary_sensor"))
    entry = er.async_get(home.hass).async_get(entity_id)
    assert entry is not None
    assert (entry.device_id, entry.area_id) == (device().id, None)
    registry.async_update_device(device().id, area_id=None)
    assert await home.hass.config_entries.async_reload(home.entry.entry_id)
    await home.settled()
    assert device().area_id is None
    assert occupants(home, "ground_floor") == ("on", ["Anna", "Ben"])


async def test_occupancy_sensor_outlives_a_snapshot_without_its_access_point(home: Home) -> None:
    await home.set_up()
    put_in_area(home, ATTIC, "Attic")
    await home.hass.async_block_till_done()
    entity_id = home.entity_id("occupancy_attic", domain="binary_sensor")
    assert entity_id is not None
    home.world.devices.pop(ATTIC)
    await home.later(61)
    await home.settled()
    assert home.device(ATTIC) is not None
    assert home.entity_id("occupancy_attic", domain="binary_sensor") == entity_id
    assert occupants(home, "attic") == ("off", [])


def add_orphan(home: Home) -> str:
    """Register an occupancy sensor of an area that lost its access point while unloaded."""
    return (
        er.async_get(home.hass)
        .async_get_or_create(
            "binary_sensor",
            DOMAIN,
            f"{UNIQUE_ID}_occupancy_cellar",
            config_entry=home.entry,
        )
        .entity_id
    )


async def test_occupancy_sensor_without_an_access_point_is_removed_at_set_up(home: Home) -> None:
    await home.set_up()
    orphan = add_orphan(home)
    assert await home.hass.config_entries.async_reload(home.entry.entry_id)
    await home.settled()
    assert er.async_get(home.hass).async_get(orphan) is None


async def test_occupancy_sensor_of_a_console_without_clients_is_kept(home: Home) -> None:
    """A console with a radio is only an access point by its clients, not by its type."""
    console = "78:45:58:00:00:05"
    home.world.add_access_point("Console", mac=console, type="udm", model="UDR")
    await home.set_up(clients=(ANNA,))
    await home.controller.roam(ANNA, "Console")
    await until(lambda: home.device(console))
    put_in_area(home, console, "Lounge")
    await home.controller.roam(ANNA, "Hall")
    await home.happened(2)
    await home.quiet()
    assert await home.hass.config_entries.async_reload(home.entry.entry_id)
    await home.settled()
    assert occupants(home, "lounge") == ("off", [])


async def test_occupancy_sensors_are_kept_while_a_booting_controller_lists_nothing(
    home: Home,
) -> None:
    await home.set_up()
    orphan = add_orphan(home)
    await home.quiet()
    for path in ("*stat/sta", "*stat/device*"):
        home.controller.faults.refuse(path, status=200, body={"meta": {"rc": "ok"}, "data": []})
    assert await home.hass.config_entries.async_reload(home.entry.entry_id)
    await home.settled()
    assert er.async_get(home.hass).async_get(orphan) is not None


async def test_occupancy_sensor_is_unavailable_while_the_controller_is_unreachable(
    home: Home,
) -> None:
    await home.set_up()
    put_in_area(home, HALL, "Ground floor")
    await home.hass.async_block_till_done()
    await home.quiet()
    home.coordinator._async_mark_unavailable()
    assert home.shows("occupancy_ground_floor", domain="binary_sensor") == "unavailable"
    home.coordinator._async_update_availability()
    assert occupants(home, "ground_floor") == ("on", ["Anna", "Ben"])
