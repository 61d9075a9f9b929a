"""A reload or a restart neither loses nor repeats an event."""

from collections.abc import Callable
from typing import Any

from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant
import pytest

from tests.home import ANNA, BEN, HALL, KITCHEN, Home, furnished_home, until

WITH_LOG = "10.4.57"


async def reload(home: Home, *, meanwhile: Callable[[], object] = lambda: None) -> None:
    """Unload the entry, let something happen, and set the entry up again."""
    await home.quiet()
    assert await home.hass.config_entries.async_unload(home.entry.entry_id)
    meanwhile()
    snapshots = home.snapshots
    assert await home.hass.config_entries.async_setup(home.entry.entry_id)
    await home.hass.async_block_till_done()
    await home.streaming(snapshots + 2)


def events(home: Home) -> list[tuple[str, str, str | None, str | None, str]]:
    return [
        (
            event.event_type.removeprefix("unifi_scanner_"),
            event.data["client_name"],
            event.data["ap_from_name"],
            event.data["ap_to_name"],
            event.data["source"],
        )
        for event in home.events
    ]


@pytest.mark.usefixtures("socket_enabled")
@pytest.mark.parametrize("version", ["9.4.19", WITH_LOG])
async def test_a_roam_during_a_reload_is_reported_once(hass: HomeAssistant, version: str) -> None:
    async with furnished_home(hass, network_version=version) as home:
        await home.set_up()
        await home.controller.roam(ANNA, "Kitchen")
        await home.happened(1)
        await reload(home, meanwhile=lambda: home.world.roam(BEN, "Attic"))
        source = "system_log" if version == WITH_LOG else "resync"
        expected = [
            ("roam", "Anna", "Hall", "Kitchen", "event"),
            ("roam", "Ben", "Hall", "Attic", source),
        ]
        assert events(home) == expected
        await reload(home)
        await reload(home)
        assert events(home) == expected
        assert home.shows("access_point", ANNA) == "Kitchen"
        assert home.shows("previous_access_point", ANNA) == "Hall"


async def test_a_departure_that_was_held_back_is_reported_after_a_reload(home: Home) -> None:
    await home.set_up(disconnect_delay=0.5)
    await home.controller.disconnect(ANNA)
    await until(lambda: home.coordinator.tracker.next_due is not None)
    await reload(home)
    await home.happened(1)
    assert events(home) == [("disconnected", "Anna", "Hall", None, "event")]
    assert home.shows("access_point", ANNA) == "not_connected"


async def test_events_of_a_restart_are_published_when_home_assistant_has_started(
    home: Home,
) -> None:
    await home.set_up()
    await home.quiet()
    assert await home.hass.config_entries.async_unload(home.entry.entry_id)
    home.world.roam(BEN, "Attic")
    home.hass.set_state(CoreState.starting)
    assert await home.hass.config_entries.async_setup(home.entry.entry_id)
    await home.hass.async_block_till_done()
    await home.streaming(4)
    assert events(home) == []
    assert home.shows("access_point", BEN) == "Attic"
    home.hass.set_state(CoreState.running)
    home.hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await home.happened(1)
    assert events(home) == [("roam", "Ben", "Hall", "Attic", "resync")]


async def test_a_broken_file_of_timelines_is_replaced(
    home: Home, hass_storage: dict[str, Any]
) -> None:
    await home.set_up()
    await home.quiet()
    assert await home.hass.config_entries.async_unload(home.entry.entry_id)
    (key,) = [key for key in hass_storage if key.endswith(".timelines")]
    saved = hass_storage[key]["data"]
    assert saved["clients"].keys() == {ANNA, BEN}
    saved["clients"][ANNA]["evidence"] = "broken"
    saved["clients"]["x"] = None
    snapshots = home.snapshots
    assert await home.hass.config_entries.async_setup(home.entry.entry_id)
    await home.streaming(snapshots + 2)
    assert events(home) == []
    assert {home.coordinator.access_point_of(mac) for mac in (ANNA, BEN)} == {HALL}
    await home.controller.roam(ANNA, "Kitchen")
    await home.happened(1)
    assert home.coordinator.access_point_of(ANNA) == KITCHEN
