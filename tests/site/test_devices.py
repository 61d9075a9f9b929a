"""Devices of access points and clients: added, renamed and removed."""

from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest

from custom_components.unifi_scanner import async_remove_config_entry_device, coordinator
from custom_components.unifi_scanner.const import DOMAIN
from custom_components.unifi_scanner.site import devices
from custom_components.unifi_scanner.site.devices import DeviceKind, device_kind
from tests.home import ANNA, ATTIC, BEN, CARA, HALL, KITCHEN, UNIQUE_ID, Home, until

pytestmark = pytest.mark.usefixtures("socket_enabled")


async def test_new_access_point_appears_when_a_client_roams_to_it(home: Home) -> None:
    await home.set_up()
    home.world.add_access_point("Garden", mac="78:45:58:00:00:04")
    await home.controller.roam(ANNA, "Garden")
    await until(lambda: home.shows("wireless_clients", "78:45:58:00:00:04") == "1")
    assert home.shows("access_point", ANNA) == "Garden"


async def test_console_with_a_radio_becomes_an_access_point_but_a_switch_does_not(
    home: Home,
) -> None:
    home.world.add_access_point("Console", mac="78:45:58:00:00:05", type="udm", model="UDR")
    await home.set_up()
    assert set(home.coordinator.access_points) == {HALL, KITCHEN, ATTIC}
    await home.controller.roam(ANNA, "Console")
    await until(lambda: home.shows("wireless_clients", "78:45:58:00:00:05") == "1")
    await home.controller.roam(ANNA, "Hall")
    await until(lambda: home.shows("access_point", ANNA) == "Hall")
    await home.later(61)
    assert home.shows("wireless_clients", "78:45:58:00:00:05") == "0"


async def test_renamed_access_point_is_renamed_in_states_and_registry(home: Home) -> None:
    """O10."""
    await home.set_up()
    home.world.devices[HALL].name = "Lobby"
    await home.later(61)
    await until(lambda: home.shows("access_point", ANNA) == "Lobby")
    device = home.device(HALL)
    assert device is not None
    assert device.name == "Lobby"


async def test_removed_access_point_is_unavailable(home: Home) -> None:
    await home.set_up()
    del home.world.devices[ATTIC]
    await home.later(61)
    await until(lambda: home.shows("wireless_clients", ATTIC) == "unavailable")


async def test_devices_are_kept_while_a_booting_controller_lists_nothing(home: Home) -> None:
    """F9 and C4."""
    await home.set_up()
    home.controller.faults.refuse("*stat/*", status=200, body={"meta": {"rc": "ok"}, "data": []})
    for _ in range(3):
        await home.later(61)
        await home.settled()
    assert home.shows("access_point", ANNA) == "Hall"
    assert home.shows("wireless_clients", HALL) == "2"
    assert home.shows("wireless_clients", ATTIC) == "0"
    assert home.events == []


async def test_tracked_client_that_was_never_connected_has_a_device(home: Home) -> None:
    await home.set_up(clients=(ANNA, CARA))
    assert home.shows("access_point", CARA) == "not_connected"
    device = home.device(CARA)
    assert device is not None
    assert device.name == CARA


async def test_disconnected_client_gets_its_name_from_the_controllers_known_clients(
    home: Home,
) -> None:
    home.world.add_client("Cara", mac=CARA)
    await home.set_up(clients=(ANNA, CARA))
    device = home.device(CARA)
    assert device is not None
    assert device.name == "Cara"
    # A device with a name needs no further request.
    assert await home.hass.config_entries.async_reload(home.entry.entry_id)
    assert len(home.controller.requests("rest/user")) == 1


async def test_disconnected_client_keeps_its_name_over_a_restart(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    await home.set_up(disconnect_delay=0.3)
    await home.hass.config_entries.async_unload(home.entry.entry_id)
    home.world.disconnect(ANNA)
    monkeypatch.setattr(coordinator, "MIN_RECHECK_DELAY", 0.3)
    await home.hass.config_entries.async_setup(home.entry.entry_id)
    device = home.device(ANNA)
    assert device is not None
    assert device.name == "Anna"
    # A second snapshot confirms that it is gone.
    await until(lambda: home.shows("access_point", ANNA) == "not_connected")


async def test_renamed_client_is_renamed_in_states_and_registry(home: Home) -> None:
    await home.set_up()
    await home.controller.rename(ANNA, "Anna's phone")
    await home.later(61)
    await home.settled()
    device = home.device(ANNA)
    assert device is not None
    assert device.name == "Anna's phone"
    for key, name in (("access_point", ""), ("band", " Band")):
        state = home.state(key, ANNA)
        assert state is not None
        assert state.name == f"Anna's phone{name}"


async def test_new_client_is_tracked_without_a_reload_with_the_option(home: Home) -> None:
    await home.set_up(clients=(ANNA,), add_new_clients=True)
    coordinator = home.coordinator
    home.world.add_client("Cara", mac=CARA)
    await home.controller.connect(CARA, "Attic")
    await home.controller.sync(CARA)
    await until(lambda: home.shows("access_point", CARA) == "Attic")
    assert home.coordinator.tracked == {ANNA, CARA}
    assert home.entry.options["clients"] == [ANNA]
    assert home.coordinator is coordinator
    await home.controller.roam(CARA, "Hall")
    await until(lambda: home.shows("access_point", CARA) == "Hall")


async def test_clients_left_out_by_the_user_and_guests_are_not_tracked_as_new(home: Home) -> None:
    await home.set_up(clients=(ANNA,), add_new_clients=True)
    home.world.add_client("Guest", mac=CARA, ap="Hall", is_guest=True)
    await home.controller.sync()
    await home.later(61)
    await home.settled()
    assert home.entry.options["clients"] == [ANNA]
    assert await home.hass.config_entries.async_reload(home.entry.entry_id)
    await home.settled()
    assert home.entry.options["clients"] == [ANNA]


async def test_new_client_is_not_tracked_without_the_option(home: Home) -> None:
    await home.set_up(clients=(ANNA,))
    home.world.add_client("Cara", mac=CARA)
    await home.controller.connect(CARA, "Attic")
    await home.controller.sync(CARA)
    await home.happened(1)
    assert home.entry.options["clients"] == [ANNA]
    assert home.device(CARA) is None


async def test_passers_by_do_not_become_devices(home: Home) -> None:
    """P3, with a smaller crowd."""
    await home.set_up(clients=(ANNA,))
    before = len(dr.async_entries_for_config_entry(dr.async_get(home.hass), home.entry.entry_id))
    for number in range(200):
        home.world.add_client(None, mac=f"02:00:00:00:02:{number:02x}", ap="Hall")
    await home.controller.sync()
    await until(lambda: home.coordinator.tracker.connected_clients == 202)
    await home.hass.async_block_till_done()
    assert before == len(
        dr.async_entries_for_config_entry(dr.async_get(home.hass), home.entry.entry_id)
    )


async def test_devices_are_connected_via_the_controllers_device(home: Home) -> None:
    await home.set_up()
    controller = home.device()
    assert controller is not None
    assert (controller.name, controller.manufacturer) == ("Home", "Ubiquiti")
    assert controller.sw_version == home.coordinator.system_info.version
    for mac in (ANNA, HALL):
        device = home.device(mac)
        assert device is not None
        assert device.via_device_id == controller.id
        assert device.connections == {("mac", mac)}
        assert device.identifiers == {(DOMAIN, f"{UNIQUE_ID}_{mac}")}


# What a device is


def kinds(home: Home, macs: tuple[str | None, ...]) -> list[DeviceKind]:
    found = [home.device(mac) for mac in macs]
    return [device_kind(home.hass, home.entry, device) for device in found if device is not None]


async def test_device_kind_does_not_depend_on_the_entry_being_loaded_or_on_the_manufacturer(
    home: Home,
) -> None:
    await home.set_up()
    macs = (None, HALL, ATTIC, ANNA)
    expected = [
        DeviceKind.CONTROLLER,
        DeviceKind.ACCESS_POINT,
        DeviceKind.ACCESS_POINT,
        DeviceKind.CLIENT,
    ]
    assert kinds(home, macs) == expected
    registry = dr.async_get(home.hass)
    for mac, manufacturer in ((HALL, "Other"), (ANNA, "Ubiquiti")):
        device = home.device(mac)
        assert device is not None
        registry.async_update_device(device.id, manufacturer=manufacturer)
    assert kinds(home, macs) == expected
    await home.quiet()
    assert await home.hass.config_entries.async_unload(home.entry.entry_id)
    assert kinds(home, macs) == expected


async def test_device_kind_of_an_access_point_whose_sensor_is_disabled(home: Home) -> None:
    await home.set_up()
    er.async_get(home.hass).async_update_entity(
        str(home.entity_id("wireless_clients", HALL)),
        disabled_by=er.RegistryEntryDisabler.USER,
    )
    assert await home.hass.config_entries.async_reload(home.entry.entry_id)
    assert kinds(home, (HALL, ANNA)) == [DeviceKind.ACCESS_POINT, DeviceKind.CLIENT]


# Devices that are no longer needed


async def remove_device(home: Home, mac: str | None) -> bool:
    """Remove a device as the user does, if that is allowed; return whether it was."""
    device = home.device(mac)
    assert device is not None
    allowed = await async_remove_config_entry_device(home.hass, home.entry, device)
    if allowed:
        dr.async_get(home.hass).async_remove_device(device.id)
    await home.hass.async_block_till_done()
    return allowed


async def test_client_whose_device_is_removed_is_no_longer_tracked(home: Home) -> None:
    await home.set_up(add_new_clients=True)
    coordinator = home.coordinator
    assert await remove_device(home, BEN)
    assert home.entry.options["clients"] == [ANNA]
    assert home.shows("access_point", BEN) is None
    # It is not tracked again when it comes back either.
    await home.controller.disconnect(BEN)
    await home.controller.connect(BEN, "Attic")
    await home.controller.sync()
    await home.later(61)
    await home.settled()
    assert home.entry.options["clients"] == [ANNA]
    assert home.device(BEN) is None
    assert home.coordinator is coordinator


async def test_client_removed_while_disconnected_is_not_new_when_it_connects(home: Home) -> None:
    home.world.add_client("Cara", mac=CARA)
    await home.set_up(clients=(ANNA, CARA), add_new_clients=True)
    assert await remove_device(home, CARA)
    await home.controller.connect(CARA, "Attic")
    await home.controller.sync(CARA)
    await until(lambda: home.coordinator.access_point_of(CARA) == ATTIC)
    await home.settled()
    assert home.entry.options["clients"] == [ANNA]
    assert home.device(CARA) is None


async def test_client_device_can_be_removed_while_the_entry_is_not_loaded(home: Home) -> None:
    await home.set_up()
    assert await home.hass.config_entries.async_unload(home.entry.entry_id)
    assert await remove_device(home, BEN)
    assert not await remove_device(home, ATTIC)
    assert home.entry.options["clients"] == [ANNA]


async def test_controller_and_present_access_points_cannot_be_removed(home: Home) -> None:
    await home.set_up()
    for mac in (None, HALL, ATTIC):
        assert not await remove_device(home, mac)


async def test_missing_access_point_can_be_removed_and_may_come_back(home: Home) -> None:
    await home.set_up()
    attic = home.world.devices.pop(ATTIC)
    await home.later(61)
    await home.settled()
    assert await remove_device(home, ATTIC)
    assert home.shows("wireless_clients", ATTIC) is None

    home.world.devices[ATTIC] = attic
    await home.later(61)
    await until(lambda: home.shows("wireless_clients", ATTIC) == "0")


async def test_client_deselected_in_the_options_is_removed_from_the_registries(home: Home) -> None:
    await home.set_up()
    home.hass.config_entries.async_update_entry(home.entry, options={"clients": [ANNA]})
    assert await home.hass.config_entries.async_reload(home.entry.entry_id)
    assert home.device(BEN) is None
    assert home.entity_id("access_point", BEN) is None
    assert home.device(ANNA) is not None


async def test_access_point_device_is_removed_an_hour_after_it_went_missing(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    await home.set_up()
    attic = home.world.devices.pop(ATTIC)
    for _ in range(2):
        await home.later(61)
        await home.settled()
    assert home.device(ATTIC) is not None

    monkeypatch.setattr(devices, "GONE_AFTER", 0.0)
    await home.later(61)
    await until(lambda: home.device(ATTIC) is None)
    assert home.device(HALL) is not None
    await home.settled()

    home.world.devices[ATTIC] = attic
    await home.later(61)
    await until(lambda: home.shows("wireless_clients", ATTIC) == "0")


async def test_access_point_device_is_kept_if_it_comes_back_in_time(home: Home) -> None:
    await home.set_up()
    now = home.hass.loop.time()
    site_devices = home.coordinator.devices
    attic = home.coordinator.access_points[ATTIC]
    others = [record for mac, record in home.coordinator.access_points.items() if mac != ATTIC]
    for seconds, listed in ((0, others), (3000, [*others, attic]), (3600, others), (7100, others)):
        site_devices.async_update_from_snapshot(listed, {})
        site_devices.async_remove_stale({ANNA, BEN}, now + seconds)
        assert home.device(ATTIC) is not None
    site_devices.async_remove_stale({ANNA, BEN}, now + 7201)
    assert home.device(ATTIC) is None


async def test_console_without_clients_is_still_an_access_point_after_a_restart(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    console = "78:45:58:00:00:05"
    home.world.add_access_point("Console", mac=console, type="udm", model="UDR")
    await home.set_up()
    await home.controller.roam(ANNA, "Console")
    await until(lambda: home.shows("wireless_clients", console) == "1")
    await home.controller.roam(ANNA, "Hall")
    await home.happened(2)
    monkeypatch.setattr(devices, "GONE_AFTER", 0.0)
    assert await home.hass.config_entries.async_reload(home.entry.entry_id)
    assert home.shows("wireless_clients", console) == "0"
    assert home.device(console) is not None
    assert not await remove_device(home, console)
    del home.world.devices[console]
    await home.later(61)
    await until(lambda: home.device(console) is None)


async def test_access_point_device_is_kept_while_the_controller_boots(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    await home.set_up()
    assert await home.hass.config_entries.async_unload(home.entry.entry_id)
    monkeypatch.setattr(devices, "GONE_AFTER", 0.0)
    nothing = {"meta": {"rc": "ok"}, "data": []}
    home.controller.faults.refuse("*stat/device-basic", status=200, body=nothing)
    assert await home.hass.config_entries.async_setup(home.entry.entry_id)
    await home.streaming(4)
    await home.later(61)
    await home.settled()
    assert home.device(ATTIC) is not None
