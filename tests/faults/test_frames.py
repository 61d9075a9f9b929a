"""Faults F1 to F9 of docs/faults.md: malformed or unusual frames and records."""

import asyncio
from collections.abc import Callable
import json
import logging

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest

from tests.controller import Band
from tests.controller.models import Json
from tests.home import ANNA, BEN, CARA, HALL, KITCHEN, Home, furnished_home, until

from .clock import VirtualTime
from .frames import enable, frame, kinds, record

pytestmark = pytest.mark.usefixtures("socket_enabled")

GHOST = "02:00:00:00:00:66"
MEBIBYTE = 2**20


async def assert_socket_works(home: Home) -> None:
    """Check that the first socket is still open and delivers a roam."""
    before = len(home.events)
    await home.controller.roam(BEN, "Attic")
    await home.happened(before + 1)
    assert len(home.controller.state.request_log.handshakes) == 1


def lines(caplog: pytest.LogCaptureFixture, part: str = "") -> list[str]:
    """Return the integration's log messages that contain `part`."""
    return [
        entry.getMessage()
        for entry in caplog.records
        if entry.name.startswith("custom_components.unifi_scanner") and part in entry.getMessage()
    ]


async def test_F1_unreadable_frames_leave_the_socket_open(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    """Reported: an empty text frame every 15 minutes closed Home Assistant's socket (core#110146).

    Promised: the socket survives any frame, and one line is logged. Frames of more than 4 MiB do
    exist (docs/protocol.md 3.1).
    """
    await home.set_up()
    caplog.set_level(logging.DEBUG, logger="custom_components.unifi_scanner")
    caplog.clear()
    big: Json = {
        "meta": {"rc": "ok", "message": "device:sync"},
        "data": [{"x": "y" * 5 * MEBIBYTE}],
    }
    odd: list[str | bytes] = [
        "",
        "{",
        "[]",
        "null",
        "pong",
        "\ud800".encode("utf-8", "surrogatepass"),
        b"\x00\xff",
    ]
    for raw in (*odd, "z" * 5 * MEBIBYTE):
        await home.controller.send(raw)
    await home.controller.send(big)
    await assert_socket_works(home)
    assert len(lines(caplog, "could not be read")) == 1
    assert lines(caplog) == lines(caplog, "could not be read")
    client = home.coordinator._stream.client
    assert client is not None
    assert client.statistics.unreadable == len(odd) + 1


@pytest.mark.parametrize("message", ["events", "sta:sync", "client:sync"])
async def test_F2_frame_data_that_is_not_a_list(home: Home, message: str) -> None:
    """Reported: `data` as an object, missing or null raised in the parser (core#111189).

    Promised: anything that is not a record is ignored, such as missing or null. A single object is
    processed like a list with one entry, as seen in aiounifi's logs (docs/protocol.md 3.1).
    """
    await home.set_up()
    meta = {"rc": "ok", "message": message}
    await home.controller.send({"meta": meta})
    for odd in (None, "x", 7, [None, 3, "x", [], {}]):
        await home.controller.send({"meta": meta, "data": odd})
    await assert_socket_works(home)
    assert len(home.events) == 1
    roam = home.world.roam(ANNA, "Kitchen")
    await home.controller.send(frame() | {"data": record(home, roam)})
    await home.happened(2)
    assert kinds(home)[1] == ("roam", "Hall", "Kitchen")


async def test_F3_unknown_event_keys_are_logged_once(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    """Reported: a warning for each event with an unknown key floods the log (core#171190, #79325).

    Promised: at most one line per key, at debug level.
    """
    await home.set_up()
    caplog.set_level(logging.DEBUG, logger="custom_components.unifi_scanner")
    caplog.clear()
    for number in range(1_000):
        await home.controller.send(frame({"key": f"EVT_XX_New{number % 3}", "time": number}))
    await assert_socket_works(home)
    for number in range(3):
        assert len(lines(caplog, f"EVT_XX_New{number}")) == 1
    assert len(lines(caplog)) == 3
    assert {entry.levelno for entry in caplog.records if "EVT_XX" in entry.getMessage()} == {
        logging.DEBUG
    }


@pytest.mark.parametrize(
    "ssid",
    [
        "<script>alert(1)</script>",
        'Say "Home"',
        "O'Hara's",
        "\U0001f4f6 Zuhause",
        " two  blanks ",
        f'x" to AP[{HALL}] from "channel 1(ng)" on "Home',
        '","meta":{"rc":"ok","message":"device:sync"}}',
        "\\",
        "",
    ],
    ids=["markup", "quotes", "quote", "emoji", "blanks", "text", "json", "backslash", "hidden"],
)
async def test_F4_unusual_ssids(home: Home, ssid: str) -> None:
    """Reported: quotes, markup, emoji or an empty SSID broke clients (core#36278).

    Promised: only the fields of an event are used, never its text, in which an SSID may look like
    anything. The empty SSID of a hidden network is shown as unknown.
    """
    home.world.clients[ANNA].ssid = ssid
    enable(home, "ssid", ANNA)
    await home.set_up()
    assert home.shows("ssid", ANNA) == (ssid or "unknown")
    await home.controller.roam(ANNA, "Kitchen", band=Band.NG)
    ((_, data),) = await home.happened(1)
    assert data["ssid"] == (ssid or None)
    assert (data["ap_from_mac"], data["ap_to_mac"]) == (HALL, KITCHEN)
    assert (data["band_to"], data["channel_to"]) == ("2.4", 1)
    assert home.shows("ssid", ANNA) == (ssid or "unknown")
    await home.controller.sync()
    await assert_socket_works(home)
    assert len(home.events) == 2


@pytest.mark.parametrize("meta_last", [False, True])
@pytest.mark.parametrize("backwards", [False, True])
async def test_F5_several_events_in_one_frame(
    home: Home, *, meta_last: bool, backwards: bool
) -> None:
    """Reported: only a frame's first event was read, or none with `meta` last (core#34798).

    Promised: all events are processed in the order of their times, whatever their order in a frame.
    """
    await home.set_up()
    first = home.world.roam(ANNA, "Kitchen")
    await asyncio.sleep(0.01)
    entries = [record(home, first), record(home, home.world.roam(ANNA, "Attic"))]
    if backwards:
        entries.reverse()
    sent = frame(*entries)
    if meta_last:
        sent["meta"] = sent.pop("meta")
    await home.controller.send(sent)
    await home.happened(2)
    assert kinds(home) == [("roam", "Hall", "Kitchen"), ("roam", "Kitchen", "Attic")]
    assert home.shows("access_point", ANNA) == "Attic"


@pytest.mark.parametrize("write", [str.upper, lambda mac: mac.replace(":", "-"), str.title])
async def test_F6_spellings_of_mac_addresses_and_numbers(
    home: Home, write: Callable[[str], str]
) -> None:
    """Promised: MAC addresses in upper case or with dashes, and numbers as text, are understood."""
    await home.set_up()
    fields = {
        "user": write(ANNA),
        "ap_from": write(HALL),
        "ap_to": write(KITCHEN),
        "channel_from": 36,
        "channel_to": "11",
    }
    entry = record(home, home.world.roam(ANNA, "Kitchen"), **fields)
    await home.controller.send(frame(entry | {"time": str(entry["time"])}))
    ((_, data),) = await home.happened(1)
    assert data["client_mac"] == ANNA
    assert (data["ap_from_mac"], data["ap_to_mac"]) == (HALL, KITCHEN)
    assert (data["channel_from"], data["channel_to"]) == (36, 11)
    assert data["time"].startswith(entry["datetime"][:19])
    home.world.clients[ANNA].extra |= {"mac": write(ANNA), "channel": "11", "signal": "-61"}
    await home.controller.sync(ANNA)
    await until(lambda: home.coordinator.clients[ANNA].signal == -61)
    assert len(home.coordinator.clients) == 2


async def test_F7_signal_is_never_taken_from_rssi(home: Home) -> None:
    """Reported: a signal that differs from the one UniFi shows (unifi-toolkit#60, apic#58).

    Promised: the signal is `signal`, in dBm. `rssi` is on another scale, about 96 higher, and never
    used (docs/protocol.md 3.3). Without `signal` the sensor is unknown.
    """
    home.world.clients[ANNA].extra |= {"signal": -58, "rssi": 51, "noise": -109}
    enable(home, "signal", ANNA)
    await home.set_up(volatile_interval=0)
    assert home.shows("signal", ANNA) == "-58"
    home.world.clients[ANNA].without = frozenset({"signal"})
    await home.controller.sync(ANNA)
    await until(lambda: home.shows("signal", ANNA) == "unknown")


async def test_F8_ghost_clients_get_no_device(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    """Reported: crashes without a MAC, and ghosts as new clients (UnifiClientCheck#21, #26).

    Ghosts are records that exist for seconds, have no IP address, or are listed as wired. Promised:
    they break nothing, and no client gets a device before it has an IP address.
    """
    ghosts: list[Json] = [
        {"type": "VPN", "id": "vpn-1", "name": "Laptop", "ip": "10.8.0.2"},
        {"type": "TELEPORT", "mac": "02:00:00:00:00:67", "ap_mac": HALL, "ip": "10.8.0.3"},
        {"mac": GHOST, "is_wired": True, "ap_mac": HALL, "ip": "10.0.0.66"},
        {"mac": "xx:xx:xx:xx:00:66", "ap_mac": HALL, "ip": "10.0.0.67"},
        {"mac": None, "ap_mac": HALL},
        {"mac": GHOST},
        {},
    ]
    home.world.raw_stations += ghosts
    await home.set_up(add_new_clients=True)
    home.world.add_client("Cara", mac=CARA, without=frozenset({"ip"}))
    for message in ("sta:sync", "client:sync"):
        await home.controller.send({"meta": {"rc": "ok", "message": message}, "data": ghosts})
    await home.controller.connect(CARA, "Hall")
    await home.controller.sync(CARA)
    await home.happened(1)
    await home.later(61)
    assert kinds(home) == [("connected", None, "Hall")]
    assert set(home.coordinator.clients) == {ANNA, BEN, CARA}
    assert home.coordinator.tracked == {ANNA, BEN}
    assert home.device(CARA) is None
    home.world.clients[CARA].without = frozenset()
    await home.controller.sync(CARA)
    await until(lambda: home.shows("access_point", CARA) == "Hall")
    assert home.coordinator.tracked == {ANNA, BEN, CARA}
    assert [entry for entry in caplog.records if entry.levelno >= logging.ERROR] == []


async def test_F9_empty_lists_after_a_boot_change_nothing(
    hass: HomeAssistant, clock: VirtualTime
) -> None:
    """Reported: entities were deleted because a booting controller listed nothing (douwe#25).

    Promised: five minutes of empty lists of clients and devices change neither registries nor
    states.
    """
    async with furnished_home(hass, clock=clock.time) as home:
        await home.set_up()
        before = registered(home), shown(home)
        empty = json.dumps({"meta": {"rc": "ok"}, "data": []})
        home.controller.faults.refuse("*stat/sta", status=200, body=empty)
        home.controller.faults.refuse("*stat/device*", status=200, body=empty)
        snapshots = home.snapshots
        await asyncio.sleep(295)
        await home.settled()
        assert home.snapshots >= snapshots + 4
        assert (registered(home), shown(home)) == before
        home.controller.faults.clear()
        await asyncio.sleep(120)
        await home.settled()
        assert (registered(home), shown(home)) == before
        assert home.events == []


def registered(home: Home) -> tuple[set[str], set[str]]:
    """Return the ids of the entry's devices and entities."""
    devices = dr.async_entries_for_config_entry(dr.async_get(home.hass), home.entry.entry_id)
    entities = er.async_entries_for_config_entry(er.async_get(home.hass), home.entry.entry_id)
    return {device.id for device in devices}, {entity.entity_id for entity in entities}


def shown(home: Home) -> dict[str, str]:
    """Return the states of the entry's entities."""
    return {state.entity_id: state.state for state in home.hass.states.async_all()}
