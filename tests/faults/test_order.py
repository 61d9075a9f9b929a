"""Faults O1 to O12 of docs/faults.md: late, duplicate, reordered and incomplete reports."""

import asyncio
from dataclasses import replace
from itertools import permutations
from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from custom_components.unifi_scanner.roaming import RoamTracker
from tests.controller import Band
from tests.home import ANNA, BEN, CARA, HALL, KITCHEN, Home, furnished_home, until
from tests.roaming.observations import BEDROOM, HALL as LOBBY, PHONE, roam, station

from .clock import VirtualTime
from .frames import arrival, departure, frame, kinds, record

pytestmark = pytest.mark.usefixtures("socket_enabled")

NOW = 1_790_000_000.0
MINUTE = 60.0
ROAMED = [("roam", "Hall", "Kitchen")]


@pytest.fixture
def controller_settings(clock: VirtualTime) -> dict[str, Any]:
    return {"clock": clock.time}


async def assert_no_more_events(home: Home, seconds: float = 2 * MINUTE) -> None:
    """Let time pass, with timers, sync records and snapshots; check that no event is fired."""
    before = kinds(home)
    for _ in range(4):
        await asyncio.sleep(seconds / 4)
        home.world.touch()
        await home.controller.sync()
    await home.settled()
    assert kinds(home) == before


async def test_O1_disconnected_then_roam_is_one_roam(home: Home) -> None:
    """Reported: a Disconnected before a Roam showed people as away (core#34669, #33375).

    Promised: one roam, nobody is shown as away, and the gap is measured.
    """
    await home.set_up()
    await home.controller.send_events(departure(home, ANNA))
    await asyncio.sleep(4)
    assert home.shows("access_point", ANNA) == "Hall"
    await home.controller.roam(ANNA, "Kitchen")
    ((_, data),) = await home.happened(1)
    assert kinds(home) == ROAMED
    assert data["inferred"] is False
    # Departures are dated in whole seconds.
    assert 4 <= data["roam_gap"] < 6
    await assert_no_more_events(home)


async def test_O2_disconnected_then_connected_elsewhere_is_an_inferred_roam(home: Home) -> None:
    """Reported: old access points report a roam as Disconnected and Connected (homey#54, homey#29).

    Promised: one roam, marked as inferred.
    """
    await home.set_up()
    await home.controller.send_events(departure(home, ANNA))
    await asyncio.sleep(2)
    await home.controller.send_events(arrival(home.world.roam(ANNA, "Kitchen")))
    ((_, data),) = await home.happened(1)
    assert kinds(home) == ROAMED
    assert data["inferred"] is True
    assert 2 <= data["roam_gap"] < 4
    await assert_no_more_events(home)


@pytest.mark.parametrize("ago", [0.0, 300.0], ids=["dated now", "dated then"])
async def test_O3_late_disconnected_from_the_old_access_point_is_ignored(
    home: Home, ago: float
) -> None:
    """Reported: a late Disconnected of the old access point showed a client as away (mueslo#22).

    Promised: it is ignored, whatever its time.
    """
    await home.set_up()
    await home.controller.roam(ANNA, "Kitchen")
    await asyncio.sleep(300)
    await home.controller.send_events(departure(home, ANNA, ap=HALL, ago=ago))
    await assert_no_more_events(home)
    assert kinds(home) == ROAMED
    assert home.shows("access_point", ANNA) == "Kitchen"


async def test_O4_roam_of_a_disconnected_client_connects_it(home: Home) -> None:
    """Reported: a client that was away stayed away after a Roam (core#51709).

    Promised: it is connected. Its missed connect is reported too, marked as inferred.
    """
    home.world.add_client("Cara", mac=CARA)
    await home.set_up(clients=(ANNA, BEN, CARA))
    missed = home.world.connect(CARA, "Hall")
    await home.controller.send_events(replace(home.world.roam(CARA, "Kitchen"), time=missed.time))
    events = await home.happened(2)
    assert kinds(home) == [("connected", None, "Hall"), *ROAMED]
    assert [data["inferred"] for _, data in events] == [True, False]
    assert home.shows("access_point", CARA) == "Kitchen"
    await assert_no_more_events(home)


@pytest.mark.parametrize("departure_ago", [None, 2.0, 0.0], ids=["alone", "after", "same time"])
async def test_O5_change_of_radio_keeps_the_access_point(
    home: Home, departure_ago: float | None
) -> None:
    """Reported: a RoamRadio after a Disconnected in one frame left the client away (core#34798).

    Promised: the band changes, the access point does not.
    """
    await home.set_up()
    left = departure(home, ANNA)
    moved = home.world.roam_radio(ANNA, Band.NG)
    movements = (
        [moved]
        if departure_ago is None
        else [replace(left, time=moved.time - departure_ago), moved]
    )
    await home.controller.send_events(*movements)
    ((_, data),) = await home.happened(1)
    assert kinds(home) == [("roam_radio", "Hall", "Hall")]
    assert (data["band_from"], data["band_to"]) == ("5", "2.4")
    assert home.shows("access_point", ANNA) == "Hall"
    assert home.shows("band", ANNA) == "2_4_ghz"
    await assert_no_more_events(home)


async def test_O6_phones_listed_as_wired_are_ignored(home: Home) -> None:
    """Reported: phones that were listed as wired came back, or never left (core#30029, #25915).

    Controllers list them so for moments, and for hours after they have left. Promised: such records
    are ignored: they neither move nor reconnect a client.
    """
    await home.set_up()
    wired = {"is_wired": True, "ap_mac": KITCHEN}
    home.world.clients[ANNA].extra |= wired
    await home.controller.sync(ANNA)
    await assert_no_more_events(home)
    assert home.shows("access_point", ANNA) == "Hall"
    await home.controller.disconnect(ANNA)
    await asyncio.sleep(11)
    assert kinds(home) == [("disconnected", "Hall", None)]
    home.world.raw_stations.append(
        {"mac": ANNA, "last_seen": int(home.world.clock()) + 60, **wired},
    )
    await assert_no_more_events(home)
    assert home.shows("access_point", ANNA) == "not_connected"


@pytest.mark.parametrize("order", list(permutations(["event", "sync", "log"])), ids="-".join)
def test_O7_roam_reported_by_three_sources_is_one_roam(order: tuple[str, ...]) -> None:
    """Promised: the first of event, sync record and system log emits the roam, the rest none."""
    tracker = RoamTracker()
    tracker.process_snapshot([station(NOW, LOBBY, associated_at=NOW - 3600)], NOW)
    emitted = []
    for late, source in enumerate(order):
        received = NOW + 10 + 4 * late
        observation = {
            "event": roam(NOW + 9.4, LOBBY, BEDROOM, received=received),
            "sync": station(received - 1, BEDROOM, received=received, associated_at=NOW + 9),
            "log": roam(NOW + 8.7, LOBBY, BEDROOM, received=received, signal=-50, logged=True),
        }[source]
        emitted += tracker.process_batch([observation], received)
    links = [(event.mac, event.ap_from, event.ap_to) for event in emitted]
    assert links == [(PHONE, LOBBY, BEDROOM)]
    listed = station(NOW + 60, BEDROOM, associated_at=NOW + 9)
    assert tracker.process_snapshot([listed], NOW + 60) == []


async def test_O7_roam_reported_by_all_sources_and_a_snapshot_is_one_roam(
    hass: HomeAssistant, clock: VirtualTime
) -> None:
    """Promised: event, sync record, system log and a snapshot after a reconnect make one roam."""
    async with furnished_home(hass, clock=clock.time, network_version="10.4.57") as home:
        await home.set_up()
        movement = await home.controller.roam(ANNA, "Kitchen")
        await home.controller.sync()
        await asyncio.sleep(2)
        await home.controller.send_events(movement)
        await home.cut()
        await until(lambda: home.coordinator.stream_connected)
        await assert_no_more_events(home)
        assert list(home.controller.requests("system-log"))
        assert kinds(home) == ROAMED


async def test_O8_roams_there_and_back_are_two_roams(home: Home) -> None:
    """Promised: there and back within three seconds are two roams.

    Debouncing such moves is up to areas, not access points.
    """
    await home.set_up()
    await home.controller.roam(ANNA, "Kitchen")
    await asyncio.sleep(1.5)
    await home.controller.sync(ANNA)
    await asyncio.sleep(1.5)
    await home.controller.roam(ANNA, "Hall")
    await home.happened(2)
    await assert_no_more_events(home)
    assert kinds(home) == [*ROAMED, ("roam", "Kitchen", "Hall")]
    assert home.shows("roams_today", ANNA) == "2"


@pytest.mark.parametrize("skew", [-600.0, 600.0])
@pytest.mark.parametrize("unit", [1, 1000], ids=["seconds", "milliseconds"])
async def test_O9_wrong_clock_of_the_controller_keeps_the_order(
    hass: HomeAssistant, clock: VirtualTime, skew: float, unit: int
) -> None:
    """Promised: with a clock ten minutes off, the order is right and no gap is negative.

    Also with times in seconds, as in one document; controllers send milliseconds.
    """
    async with furnished_home(hass, clock=lambda: clock.time() + skew) as home:
        await home.set_up()
        for place in ("Kitchen", "Attic", "Hall"):
            # Not in the second in which it arrived: departures are in whole seconds.
            await asyncio.sleep(2)
            left = departure(home, ANNA)
            await asyncio.sleep(2)
            moved = home.world.roam(ANNA, place)
            entries = [record(home, movement) for movement in (moved, left)]
            for entry in entries:
                entry["time"] = entry["time"] // 1000 * unit
            await home.controller.send(frame(*entries))
        events = await home.happened(3)
        await assert_no_more_events(home)
        assert kinds(home) == [
            ("roam", "Hall", "Kitchen"),
            ("roam", "Kitchen", "Attic"),
            ("roam", "Attic", "Hall"),
        ]
        assert all(1 <= data["roam_gap"] <= 3 for _, data in events)


def test_O9_record_from_the_future_does_not_set_the_clock() -> None:
    """Promised: a single client's wrong `last_seen` does not set the controller's clock."""
    tracker = RoamTracker()
    tracker.process_snapshot([station(NOW, LOBBY), station(NOW + 86_400, LOBBY, mac=CARA)], NOW)
    emitted = tracker.process_batch([roam(NOW + 5, LOBBY, BEDROOM)], NOW + 5)
    assert [(event.ap_from, event.ap_to) for event in emitted] == [(LOBBY, BEDROOM)]


def test_O9_setting_our_own_clock_back_loses_no_roam() -> None:
    """Promised: setting our own clock back an hour does not make new events look outdated."""
    tracker = RoamTracker()
    tracker.process_snapshot([station(NOW, LOBBY, associated_at=NOW - 3600)], NOW)
    assert len(tracker.process_batch([roam(NOW + 5, LOBBY, BEDROOM)], NOW + 5)) == 1
    # A minute later on the controller's clock, which is right.
    then, ours = NOW + 65, NOW + 65 - 3600
    assert tracker.process_snapshot([station(then, BEDROOM, received=ours)], ours) == []
    emitted = tracker.process_batch([roam(then + 5, BEDROOM, LOBBY, received=ours + 5)], ours + 5)
    emitted += tracker.process_batch([roam(then + 5, BEDROOM, LOBBY, received=ours + 6)], ours + 6)
    emitted += tracker.process_batch([station(then + 9, BEDROOM, received=ours + 9)], ours + 9)
    assert [(event.ap_from, event.ap_to) for event in emitted] == [(BEDROOM, LOBBY)]
    assert emitted[0].time == then + 5


async def test_O10_renamed_access_point_is_updated_everywhere(home: Home) -> None:
    """Promised: the new name of an access point appears everywhere within a minute."""
    await home.set_up()
    home.world.devices[HALL].name = "Lobby"
    await asyncio.sleep(61)
    await until(lambda: home.shows("access_point", ANNA) == "Lobby")
    device = home.device(HALL)
    assert device is not None
    assert device.name == "Lobby"
    await home.controller.roam(ANNA, "Kitchen")
    await home.happened(1)
    assert kinds(home) == [("roam", "Lobby", "Kitchen")]


@pytest.mark.parametrize("removed", [False, True], ids=["offline", "removed"])
async def test_O10_missing_access_point_keeps_its_clients(home: Home, *, removed: bool) -> None:
    """Promised: its clients stay connected to it while they are listed there, and can roam away.

    It keeps its name, and no access point appears that does not exist.
    """
    await home.set_up()
    if removed:
        kitchen = {"mac": KITCHEN, "name": "Kitchen", "type": "uap", "adopted": True}
        body = {"meta": {"rc": "ok"}, "data": [kitchen]}
        home.controller.faults.refuse("*stat/device-basic", status=200, body=body)
    else:
        home.world.devices[HALL].state = 0
    await assert_no_more_events(home)
    assert home.shows("access_point", ANNA) == "Hall"
    await home.controller.roam(ANNA, "Kitchen")
    await home.controller.roam(BEN, "Kitchen")
    await home.happened(2)
    await assert_no_more_events(home)
    assert kinds(home) == ROAMED * 2
    assert {home.shows("access_point", mac) for mac in (ANNA, BEN)} == {"Kitchen"}
    assert home.shows("wireless_clients", KITCHEN) == "2"


async def test_O11_replayed_events_after_a_reconnect_are_dropped(
    hass: HomeAssistant, clock: VirtualTime
) -> None:
    """Promised: events that a controller sends again after a reconnect are dropped.

    Client, access points and time decide. Events have had no `_id` since 2023 (docs/protocol.md
    3.2), so it is not used.
    """
    async with furnished_home(hass, clock=clock.time, network_version="7.5.187") as home:
        await home.set_up()
        roams = []
        for place in ("Kitchen", "Hall", "Attic"):
            roams.append(await home.controller.roam(ANNA, place))
            await asyncio.sleep(5)
        gone = await home.controller.disconnect(BEN)
        await home.happened(3)
        await asyncio.sleep(11)
        await home.happened(4)
        await home.cut()
        await until(lambda: home.coordinator.stream_connected)
        replayed = [record(home, movement) for movement in (*roams, gone)]
        assert all("_id" in entry for entry in replayed)
        await home.controller.send(frame(*replayed))
        for entry in replayed:
            await home.controller.send(frame({**entry, "_id": None}))
        await assert_no_more_events(home)
        assert len(home.events) == 4
        assert home.shows("access_point", ANNA) == "Attic"
        assert home.shows("access_point", BEN) == "not_connected"


@pytest.mark.parametrize(
    ("absence", "events"),
    [(6.0, []), (1200.0, [("disconnected", "Hall", None), ("connected", None, "Hall")])],
    ids=["short", "long"],
)
async def test_O12_short_and_long_absences(
    home: Home, absence: float, events: list[tuple[str, str | None, str | None]]
) -> None:
    """Promised: an absence shorter than the disconnect delay is not reported.

    A longer one is reported as one disconnect and one connect.
    """
    await home.set_up()
    await home.controller.disconnect(ANNA)
    await asyncio.sleep(absence)
    await home.controller.connect(ANNA, "Hall")
    await home.happened(len(events))
    await assert_no_more_events(home)
    assert kinds(home) == events
    assert home.shows("access_point", ANNA) == "Hall"
