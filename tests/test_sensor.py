"""Sensors: their states, and that nothing else is written."""

from collections.abc import Mapping
import time
from typing import Any

from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import area_registry as ar, entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_connect
import pytest

from custom_components.unifi_scanner import sensor
from custom_components.unifi_scanner.const import DOMAIN
from custom_components.unifi_scanner.site.publisher import SIGNAL_AREA
from tests.automations import put_in_area
from tests.controller import Band
from tests.home import ANNA, BEN, CARA, HALL, KITCHEN, UNIQUE_ID, Home, furnished_home, until

pytestmark = pytest.mark.usefixtures("socket_enabled")


def enable(home: Home, key: str, mac: str = ANNA) -> None:
    """Enable a sensor that is disabled by default; to be called before the set-up."""
    er.async_get(home.hass).async_get_or_create(
        "sensor", DOMAIN, f"{UNIQUE_ID}_{mac}_{key}", disabled_by=None
    )


class Writes:
    """Records the entities whose states are written, changed or not."""

    def __init__(self, home: Home) -> None:
        """Start recording."""
        self.entity_ids: list[str] = []
        bus = home.hass.bus
        bus.async_listen("state_changed", self._ignore, event_filter=self._record)
        bus.async_listen("state_reported", self._ignore, event_filter=self._record)

    @callback
    def _record(self, data: Mapping[str, Any]) -> bool:
        self.entity_ids.append(data["entity_id"])
        return False

    @callback
    def _ignore(self, _: Event[Any]) -> None:
        """Do nothing: a listener is needed for its filter to be called."""


async def test_client_sensors_show_the_link(home: Home) -> None:
    for key in ("ssid", "channel", "signal", "roam_count"):
        enable(home, key)
    home.world.clients[ANNA].extra["roam_count"] = 7
    await home.set_up()
    state = home.state("access_point", ANNA)
    assert state is not None
    assert (state.state, state.attributes["ap_mac"]) == ("Hall", HALL)
    assert state.name == "Anna"
    shown = {
        key: home.shows(key, ANNA)
        for key in ("previous_access_point", "last_roam", "roams_today", "band", "ssid", "channel")
    }
    assert shown == {
        "previous_access_point": "unknown",
        "last_roam": "unknown",
        "roams_today": "0",
        "band": "5_ghz",
        "ssid": "Home",
        "channel": "36",
    }
    assert (home.shows("signal", ANNA), home.shows("roam_count", ANNA)) == ("-55", "7")


async def test_client_sensors_follow_a_roam(home: Home) -> None:
    await home.set_up()
    since = home.shows("connected_since", ANNA)
    await home.controller.roam(ANNA, "Kitchen", band=Band.NG)
    await home.happened(1)
    assert home.shows("access_point", ANNA) == "Kitchen"
    assert home.shows("previous_access_point", ANNA) == "Hall"
    assert home.shows("roams_today", ANNA) == "1"
    assert home.shows("band", ANNA) == "2_4_ghz"
    assert home.shows("connected_since", ANNA) == since
    assert home.shows("last_roam", ANNA) == home.events[0].data["time"][:19] + "+00:00"
    assert home.shows("wireless_clients", HALL) == "1"
    assert home.shows("wireless_clients", KITCHEN) == "1"
    assert home.shows("wireless_clients") == "2"
    assert home.shows("roams_today") == "1"


@pytest.mark.parametrize("days", [-3, 3])
async def test_roams_today_is_independent_of_the_controllers_clock(
    hass: HomeAssistant, days: int
) -> None:
    async with furnished_home(hass, clock=lambda: time.time() + days * 86400) as home:
        await home.set_up()
        await home.controller.roam(ANNA, "Kitchen")
        await home.happened(1)
        assert (home.shows("roams_today"), home.shows("roams_today", ANNA)) == ("1", "1")


async def test_access_point_sensor_of_a_disconnected_client_is_not_connected(home: Home) -> None:
    await home.set_up(disconnect_delay=0.0)
    await home.controller.disconnect(ANNA)
    await home.happened(1)
    state = home.state("access_point", ANNA)
    assert state is not None
    assert (state.state, state.attributes["ap_mac"]) == ("not_connected", None)
    assert home.shows("connected_since", ANNA) == "unknown"
    assert home.shows("band", ANNA) == "unknown"
    assert home.shows("wireless_clients") == "1"


def area(home: Home, mac: str) -> tuple[str, str | None]:
    """Return the name and the id of the area that a client's sensor shows."""
    state = home.state("area", mac)
    assert state is not None
    return state.state, state.attributes["area_id"]


async def test_area_sensor_shows_the_area_of_the_access_point(home: Home) -> None:
    home.world.add_client("Cara", mac=CARA)
    await home.set_up(clients=(ANNA, BEN, CARA), disconnect_delay=0.0)
    put_in_area(home, HALL, "Ground floor")
    kitchen = put_in_area(home, KITCHEN, "Kitchen")
    assert area(home, ANNA) == ("Ground floor", "ground_floor")
    assert area(home, CARA) == ("not_connected", None)
    writes = Writes(home)
    await home.controller.roam(ANNA, "Kitchen")
    await home.controller.disconnect(BEN)
    await home.controller.connect(CARA, "Kitchen")
    await home.happened(3)
    assert area(home, ANNA) == area(home, CARA) == ("Kitchen", kitchen)
    assert area(home, BEN) == ("not_connected", None)
    await home.controller.roam(CARA, "Attic")
    await home.happened(4)
    assert area(home, CARA) == ("unknown", None)
    counts = [
        writes.entity_ids.count(str(home.entity_id("area", mac))) for mac in (ANNA, BEN, CARA)
    ]
    assert counts == [1, 1, 2]


async def test_area_sensor_follows_changes_in_the_registries(home: Home) -> None:
    await home.set_up()
    ground = put_in_area(home, HALL, "Ground floor")
    assert home.shows("area", ANNA) == "Ground floor"
    areas = ar.async_get(home.hass)
    areas.async_update(ground, name="Entrance")
    assert home.shows("area", ANNA) == "Entrance"
    put_in_area(home, HALL, "Basement")
    assert home.shows("area", ANNA) == "Basement"
    areas.async_delete("basement")
    assert area(home, ANNA) == ("unknown", None)
    assert home.events == []


async def test_area_sensor_is_restored_by_a_reload(home: Home) -> None:
    await home.set_up()
    put_in_area(home, HALL, "Ground floor")
    put_in_area(home, KITCHEN, "Kitchen")
    await home.controller.roam(ANNA, "Kitchen")
    await home.happened(1)
    await home.controller.roam(ANNA, "Hall")
    await home.happened(2)
    # The move back to the hall is pending.
    assert (home.shows("access_point", ANNA), home.shows("area", ANNA)) == ("Hall", "Kitchen")
    assert await home.hass.config_entries.async_reload(home.entry.entry_id)
    await home.settled()
    assert home.shows("area", ANNA) == "Ground floor"


async def test_area_sensor_changes_back_only_after_the_settling_time(home: Home) -> None:
    await home.set_up(settling_time=30.0)
    put_in_area(home, HALL, "Ground floor")
    put_in_area(home, KITCHEN, "Kitchen")
    writes = Writes(home)
    await home.controller.roam(ANNA, "Kitchen")
    await home.happened(1)
    await home.controller.roam(ANNA, "Hall")
    await home.happened(2)
    await home.later(29)
    assert home.shows("area", ANNA) == "Kitchen"
    await home.later(31)
    assert home.shows("area", ANNA) == "Ground floor"
    assert writes.entity_ids.count("sensor.anna_area") == 2


async def test_states_are_up_to_date_when_the_area_signal_is_sent(home: Home) -> None:
    await home.set_up()
    put_in_area(home, HALL, "Ground floor")
    put_in_area(home, KITCHEN, "Kitchen")
    await home.hass.async_block_till_done()
    states: list[Any] = []

    @callback
    def read_states(_data: Mapping[str, Any]) -> None:
        states.append(
            (
                home.shows("access_point", ANNA),
                home.shows("area", ANNA),
                home.shows("roams_today", ANNA),
                home.shows("occupancy_kitchen", domain="binary_sensor"),
                len(home.events),
            )
        )

    async_dispatcher_connect(home.hass, SIGNAL_AREA, read_states)
    await home.controller.roam(ANNA, "Kitchen")
    await home.happened(1)
    assert states == [("Kitchen", "Kitchen", "1", "on", 1)]


async def test_technical_sensors_are_diagnostic_and_noisy_ones_are_disabled(home: Home) -> None:
    await home.set_up()
    entries = {
        entry.unique_id.removeprefix(f"{UNIQUE_ID}_{ANNA}_"): entry
        for entry in er.async_entries_for_config_entry(er.async_get(home.hass), home.entry.entry_id)
        if ANNA in entry.unique_id
    }
    assert {key for key, entry in entries.items() if entry.disabled_by is None} == {
        "access_point",
        "movement",
        "area",
        "previous_access_point",
        "connected_since",
        "last_roam",
        "roams_today",
        "band",
    }
    assert {key for key, entry in entries.items() if entry.entity_category is not None} == {
        "band",
        "ssid",
        "channel",
        "signal",
        "roam_count",
    }


async def test_states_are_not_written_without_a_visible_change(home: Home) -> None:
    await home.set_up()
    writes = Writes(home)
    for signal in range(-80, -50):
        home.world.set_signal(ANNA, signal)
        await home.controller.sync()
    await until(lambda: (state := home.coordinator.client(ANNA)) and state.signal == -51)
    await home.later(61)
    await home.quiet()
    assert writes.entity_ids == []


async def test_states_written_by_a_roam_are_only_those_it_changes(home: Home) -> None:
    await home.set_up()
    writes = Writes(home)
    await home.controller.roam(ANNA, "Kitchen")
    await home.happened(1)
    await home.hass.async_block_till_done()
    assert sorted(writes.entity_ids) == [
        "event.anna_movement",
        "sensor.anna",
        "sensor.anna_last_roam",
        "sensor.anna_previous_access_point",
        "sensor.anna_roams_today",
        "sensor.hall_wireless_clients",
        "sensor.home_roams_today",
        "sensor.kitchen_wireless_clients",
    ]


@pytest.mark.parametrize(("interval", "shown"), [(0, "-62"), (20, "-61"), (60, "-60")])
async def test_signal_sensor_is_written_as_often_as_the_option_allows(
    home: Home, monkeypatch: pytest.MonkeyPatch, interval: float, shown: str
) -> None:
    now = 1000.0
    monkeypatch.setattr(sensor, "monotonic", lambda: now)
    enable(home, "signal")
    await home.set_up(volatile_interval=interval)
    now += 61
    for signal, pause in ((-60, 21), (-61, 0), (-62, 0)):
        home.world.set_signal(ANNA, signal)
        await home.controller.sync(ANNA)
        await until(
            lambda signal=signal: (
                (state := home.coordinator.client(ANNA)) and state.signal == signal
            )
        )
        now += pause
    assert home.shows("signal", ANNA) == shown


async def test_signal_sensor_counts_its_initial_state_as_written(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sensor, "monotonic", lambda: 1000.0)
    enable(home, "signal")
    home.world.set_signal(ANNA, -60)
    await home.set_up()
    assert home.shows("signal", ANNA) == "-60"
    home.world.set_signal(ANNA, -61)
    await home.controller.sync(ANNA)
    await until(lambda: (state := home.coordinator.client(ANNA)) and state.signal == -61)
    assert home.shows("signal", ANNA) == "-60"


async def test_signal_sensor_is_written_twice_a_minute_and_after_each_roam(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P1."""
    now = 1000.0
    monkeypatch.setattr(sensor, "monotonic", lambda: now)
    enable(home, "signal")
    await home.set_up()
    now += 31
    writes = Writes(home)

    async def measure(signal: int) -> str | None:
        home.world.set_signal(ANNA, signal)
        await home.controller.sync(ANNA)
        await until(lambda: (state := home.coordinator.client(ANNA)) and state.signal == signal)
        return home.shows("signal", ANNA)

    assert await measure(-60) == "-60"
    assert [await measure(signal) for signal in (-61, -62, -63)] == ["-60"] * 3
    now += 31
    assert await measure(-64) == "-64"
    now += 5
    await home.controller.roam(ANNA, "Kitchen")
    await home.happened(1)
    assert await measure(-70) == "-70"
    assert await measure(-71) == "-70"
    # The last value, held back so far, is written with the next snapshot.
    now += 31
    await home.later(61)
    await home.quiet()
    assert home.shows("signal", ANNA) == "-71"
    signal = home.entity_id("signal", ANNA)
    assert writes.entity_ids.count(str(signal)) <= 5


def sensors_read(home: Home) -> list[str]:
    """Return a list that fills with the sensors whose state is read."""
    names: list[str] = []
    for entity in home.hass.data["entity_components"]["sensor"].entities:
        read = entity._read
        entity._read = lambda read=read, name=entity.entity_id: names.append(name) or read()
    return names


async def test_change_of_a_client_reads_only_its_own_sensors(home: Home) -> None:
    await home.set_up()
    names = sensors_read(home)
    home.world.clients[BEN].ip = "10.0.0.77"
    await home.controller.sync(BEN)
    await until(lambda: (state := home.coordinator.client(BEN)) and state.ip == "10.0.0.77")
    assert names
    assert all(name.startswith("sensor.ben") for name in names)


async def test_change_of_a_signal_reads_only_the_signal_sensor(home: Home) -> None:
    """Nearly every record changes the signal, so that has to be cheap."""
    enable(home, "signal", BEN)
    await home.set_up()
    names = sensors_read(home)
    home.world.set_signal(BEN, -40)
    await home.controller.sync(BEN)
    await until(lambda: (state := home.coordinator.client(BEN)) and state.signal == -40)
    assert names == [home.entity_id("signal", BEN)]
