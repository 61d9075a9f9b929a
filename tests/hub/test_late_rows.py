"""Backfill of rows that the controller writes seconds after the stream is back."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from custom_components.unifi_scanner.api import EventRecord
from custom_components.unifi_scanner.roaming import ClientEvent
from tests.controller.world import GUEST_SSID
from tests.faults.clock import VirtualTime
from tests.home import ANNA, BEN, Home, furnished_home

pytestmark = pytest.mark.usefixtures("socket_enabled")

VISITOR = "02:00:00:00:00:99"


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> VirtualTime:
    """Let time skip over all waiting."""
    return VirtualTime(monkeypatch)


@pytest.fixture
async def home(hass: HomeAssistant, clock: VirtualTime) -> AsyncIterator[Home]:
    """Return a home whose controller has a system log."""
    async with furnished_home(hass, clock=clock.time, network_version="10.4.57") as home:
        yield home


async def lose_stream(home: Home, clock: VirtualTime) -> None:
    await home.controller.close_sockets(None)
    await clock.until(lambda: not home.coordinator.stream_connected, 10)


async def regain_stream(home: Home, clock: VirtualTime) -> None:
    await clock.until(lambda: home.coordinator.stream_connected, 60)
    await home.settled()


@pytest.mark.parametrize("delay", [0, 8, 25, 55])
async def test_roams_of_a_gap_are_reported_once_although_the_log_has_them_late(
    home: Home, clock: VirtualTime, delay: float
) -> None:
    home.world.log_delay = delay
    await home.set_up()
    await asyncio.sleep(60)
    await lose_stream(home, clock)
    for access_point in ("Kitchen", "Attic", "Kitchen", "Hall"):
        await asyncio.sleep(0.5)
        home.world.roam(ANNA, access_point)
    await regain_stream(home, clock)
    await asyncio.sleep(200)
    places = [(data["ap_from_name"], data["ap_to_name"]) for _, data in await home.happened(4)]
    assert sorted(places) == [
        ("Attic", "Kitchen"),
        ("Hall", "Kitchen"),
        ("Kitchen", "Attic"),
        ("Kitchen", "Hall"),
    ]
    assert home.shows("access_point", ANNA) == "Hall"


async def test_log_is_not_read_any_more_after_it_has_been_quiet(
    home: Home, clock: VirtualTime
) -> None:
    await home.set_up()
    await asyncio.sleep(300)
    before = len(home.controller.requests("/v2/"))
    await lose_stream(home, clock)
    await regain_stream(home, clock)
    snapshots = home.snapshots
    await asyncio.sleep(50)
    assert home.snapshots - snapshots <= 2
    assert len(home.controller.requests("/v2/")) - before >= 4
    await asyncio.sleep(3_600)
    assert len(home.controller.requests("/v2/")) - before <= 7


async def test_two_gaps_in_a_row_lose_no_late_row(home: Home, clock: VirtualTime) -> None:
    home.world.log_delay = 20
    await home.set_up()
    await asyncio.sleep(60)
    for access_point in ("Kitchen", "Attic"):
        await lose_stream(home, clock)
        await asyncio.sleep(0.5)
        home.world.roam(ANNA, access_point)
        home.world.roam(ANNA, "Hall")
        await regain_stream(home, clock)
        await asyncio.sleep(3)
    await asyncio.sleep(200)
    events = await home.happened(4)
    assert sorted(data["ap_to_name"] for _, data in events) == ["Attic", "Hall", "Hall", "Kitchen"]


async def test_reload_while_the_log_of_a_gap_is_still_read_loses_no_late_row(
    home: Home, clock: VirtualTime
) -> None:
    home.world.log_delay = 25
    await home.set_up()
    await asyncio.sleep(60)
    await lose_stream(home, clock)
    await asyncio.sleep(0.5)
    home.world.roam(ANNA, "Kitchen")
    home.world.roam(ANNA, "Hall")
    await regain_stream(home, clock)
    await asyncio.sleep(10)
    assert await home.hass.config_entries.async_reload(home.entry.entry_id)
    await asyncio.sleep(200)
    events = await home.happened(2)
    assert sorted(data["ap_to_name"] for _, data in events) == ["Hall", "Kitchen"]


async def test_departure_during_a_gap_is_reported_with_its_original_time(
    home: Home, clock: VirtualTime
) -> None:
    await home.set_up()
    await asyncio.sleep(60)
    await lose_stream(home, clock)
    await asyncio.sleep(0.5)
    left = home.world.disconnect(ANNA)
    await regain_stream(home, clock)
    await asyncio.sleep(30)
    ((event_type, data),) = await home.happened(1)
    assert (event_type, data["source"], data["ap_from_name"]) == (
        "unifi_scanner_disconnected",
        "system_log",
        "Hall",
    )
    assert datetime.fromisoformat(data["time"]).timestamp() == left.time


async def test_departure_before_a_gap_is_none_if_the_log_has_the_return(
    home: Home, clock: VirtualTime
) -> None:
    await home.set_up()
    await asyncio.sleep(60)
    await home.controller.disconnect(ANNA)
    await asyncio.sleep(1)
    await home.controller.stop_listening()
    await asyncio.sleep(1)
    home.world.connect(ANNA, "Kitchen")
    await asyncio.sleep(40)
    assert home.events == []
    await home.controller.start()
    await regain_stream(home, clock)
    await asyncio.sleep(30)
    ((event_type, data),) = await home.happened(1)
    assert (event_type, data["ap_from_name"], data["ap_to_name"]) == (
        "unifi_scanner_roam",
        "Hall",
        "Kitchen",
    )


async def test_roams_that_a_snapshot_implies_are_reported_as_the_log_has_them(
    home: Home, clock: VirtualTime
) -> None:
    await home.set_up()
    await asyncio.sleep(60)
    await home.controller.roam(BEN, "Kitchen")
    await asyncio.sleep(30)
    for access_point in ("Kitchen", "Attic"):
        home.world.roam(ANNA, access_point)
        await asyncio.sleep(2)
    await clock.until(lambda: home.shows("access_point", ANNA) == "Attic", 70)
    await asyncio.sleep(20)
    _, *roams = await home.happened(3)
    assert [(data["ap_from_name"], data["ap_to_name"], data["source"]) for _, data in roams] == [
        ("Hall", "Kitchen", "system_log"),
        ("Kitchen", "Attic", "system_log"),
    ]


async def test_roams_that_a_snapshot_implies_are_reported_although_the_log_fails(
    home: Home, clock: VirtualTime
) -> None:
    await home.set_up()
    await home.controller.roam(BEN, "Kitchen")
    await asyncio.sleep(60)
    home.controller.faults.refuse("*/v2/*", status=500)
    home.world.roam(ANNA, "Kitchen")
    await clock.until(lambda: len(home.events) == 2, 100)
    assert home.events[1].data["source"] == "resync"


async def test_events_after_a_gap_wait_for_the_earlier_ones_of_their_client(
    home: Home, clock: VirtualTime
) -> None:
    home.world.log_delay = 4
    await home.set_up()
    await asyncio.sleep(60)
    await lose_stream(home, clock)
    await asyncio.sleep(0.5)
    home.world.roam(ANNA, "Kitchen")
    await regain_stream(home, clock)
    await home.controller.roam(ANNA, "Attic")
    await asyncio.sleep(30)
    assert [data["ap_to_name"] for _, data in await home.happened(2)] == ["Kitchen", "Attic"]


async def test_departure_is_confirmed_if_nothing_was_received_since(
    hass: HomeAssistant, clock: VirtualTime
) -> None:
    async with furnished_home(hass, clock=clock.time) as home:
        await home.set_up()
        await asyncio.sleep(40)
        await home.controller.disconnect(ANNA)
        await asyncio.sleep(1)
        home.controller.half_open()
        home.world.connect(ANNA, "Kitchen")
        await asyncio.sleep(12)
        ((event_type, data),) = await home.happened(1)
        assert (event_type, data["ap_to_name"], data["source"]) == (
            "unifi_scanner_roam",
            "Kitchen",
            "resync",
        )


async def test_long_log_is_processed_in_turns_and_in_order(
    home: Home, clock: VirtualTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    await home.set_up()
    await asyncio.sleep(60)
    sizes: list[int] = []
    process_log = home.coordinator.tracker.process_log

    def process(rows: Sequence[EventRecord], *arguments: Any) -> list[ClientEvent]:
        sizes.append(len(rows))
        return process_log(rows, *arguments)

    monkeypatch.setattr(home.coordinator.tracker, "process_log", process)
    await home.controller.stop_listening()
    expected = ["Kitchen", "Attic", "Hall"] * 40
    for access_point in expected:
        await asyncio.sleep(0.4)
        home.world.roam(ANNA, access_point)
    await home.controller.start()
    await regain_stream(home, clock)
    await asyncio.sleep(30)
    assert [data["ap_to_name"] for _, data in await home.happened(120)] == expected
    assert len([size for size in sizes if size]) >= 6
    assert max(sizes) <= 20


async def test_guest_who_comes_during_a_gap_is_reported_as_a_guest(
    home: Home, clock: VirtualTime
) -> None:
    await home.set_up()
    await asyncio.sleep(60)
    await lose_stream(home, clock)
    await asyncio.sleep(0.5)
    home.world.add_client("Visitor", mac=VISITOR, ssid=GUEST_SSID, is_guest=True)
    home.world.connect(VISITOR, "Kitchen")
    await regain_stream(home, clock)
    await asyncio.sleep(100)
    ((event_type, data),) = await home.happened(1)
    assert (event_type, data["client_mac"], data["guest"], data["source"]) == (
        "unifi_scanner_connected",
        VISITOR,
        True,
        "system_log",
    )


async def test_log_with_other_names_is_read(home: Home, clock: VirtualTime) -> None:
    home.world.log_names = {"DEVICE": "AP", "WLAN": "SSID"}
    await home.set_up()
    await asyncio.sleep(60)
    await lose_stream(home, clock)
    await asyncio.sleep(0.5)
    home.world.add_client("Visitor", mac=VISITOR)
    home.world.connect(VISITOR, "Kitchen")
    await regain_stream(home, clock)
    await asyncio.sleep(100)
    ((_, data),) = await home.happened(1)
    assert (data["ap_to_name"], data["ssid"], data["source"]) == ("Kitchen", "Home", "system_log")


async def test_refused_log_reads_cause_a_single_login(home: Home, clock: VirtualTime) -> None:
    await home.set_up()
    home.controller.faults.refuse("*/v2/*", status=401)
    for _ in range(3):
        await lose_stream(home, clock)
        await regain_stream(home, clock)
        await asyncio.sleep(300)
    assert home.controller.login_attempts == 2
    assert 1 <= len(home.controller.requests("/v2/")) <= 6
