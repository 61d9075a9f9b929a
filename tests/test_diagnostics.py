"""Diagnostics: complete, replayable, and without personal data."""

import json
from pathlib import Path
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.helpers.json import ExtendedJSONEncoder
import pytest

from custom_components.unifi_scanner.diagnostics import async_get_config_entry_diagnostics
from tests.contracts.files import MANIFEST
from tests.controller import Band
from tests.controller.device_records import device_record
from tests.controller.frames import frame
from tests.flow.test_options import OPTIONS
from tests.home import ANNA, ATTIC, BEN, CARA, HALL, KITCHEN, Home, until
from tests.replay.capture import event_as_json, read_capture
from tests.replay.tracker_player import play
from tests.secret_watch import SecretWatch

pytestmark = pytest.mark.usefixtures("socket_enabled")


async def diagnostics(home: Home) -> dict[str, Any]:
    """Return the diagnostics as downloaded."""
    data = await async_get_config_entry_diagnostics(home.hass, home.entry)
    downloaded: dict[str, Any] = json.loads(json.dumps(data, cls=ExtendedJSONEncoder))
    return downloaded


async def cause_events(home: Home) -> None:
    """Cause all kinds of events and frames, except late ones, and wait for them."""
    controller = home.controller
    await controller.roam("Anna", "Kitchen", signal=-61)
    await controller.roam_radio("Anna", Band.NG)
    await controller.sync()
    hall = home.world.access_point("Hall")
    await controller.send(frame("device:sync", [device_record(hall, home.world)]))
    await controller.send({"meta": {"message": "Annas iPhone:sync"}, "data": []})
    await controller.send({"meta": {"message": "events"}, "data": [{"key": "EVT_LU_Connected"}]})
    home.world.add_client("Cara", mac=CARA, hostname="caras-pixel")
    await controller.connect("Cara", "Attic")
    await home.happened(3)
    await until(lambda: home.coordinator.stream.last_sync)
    await home.settled()


async def test_diagnostics_show_the_sources_of_information(home: Home) -> None:
    await home.set_up(clients=(ANNA, BEN), low_data=False)
    downloaded = await diagnostics(home)
    assert downloaded["sources"]["last_event"] is downloaded["sources"]["last_sync"] is None
    assert downloaded["stream"]["lag"] is None
    await cause_events(home)
    downloaded = await diagnostics(home)
    assert downloaded["integration_version"] == MANIFEST["version"]
    assert downloaded["state"] == "loaded"
    assert downloaded["options"] == {"add_new_clients": False, "low_data": False, "clients": 2}
    assert downloaded["controller"] == {
        "kind": "unifi_os",
        "model": downloaded["controller"]["model"],
        "network_version": home.coordinator.system_info.version,
        "logins": 1,
        "session_contested": False,
    }
    sources = downloaded["sources"]
    assert all(sources[name] is True for name in ("available", "snapshots", "stream"))
    assert sources["last_event"].startswith("20")
    assert sources["last_sync"].startswith("20")
    assert sources["system_log"] is None
    assert downloaded["site"] == {
        "access_points": 3,
        "clients": 3,
        "connected_clients": 3,
        "tracked_clients": 2,
    }
    assert downloaded["ignored_reports"] == dict(home.coordinator.tracker.counters)
    # In a file of export_capture the versions are nowhere else.
    assert downloaded["capture"]["about"] == {
        "integration_version": MANIFEST["version"],
        "network_version": home.coordinator.system_info.version,
    }


async def test_diagnostics_count_the_frames(home: Home) -> None:
    await home.set_up()
    await cause_events(home)
    stream = (await diagnostics(home))["stream"]
    assert stream["state"] == "connected"
    assert stream["reconnects"] == stream["dropped_records"] == stream["unreadable"] == 0
    assert stream["frames"] == sum(stream["types"].values())
    assert stream["types"]["sta:sync"] == 1
    assert stream["types"]["device:sync"] == stream["skipped"] - 2
    # A name that may be private is left out.
    assert stream["types"]["other"] == 1
    assert stream["unused_event_keys"] == {"EVT_LU_Connected": 1}
    assert stream["lag"]["arrivals"] == 3
    assert stream["lag"]["least"] <= stream["lag"]["median"] <= stream["lag"]["most"] < 5


async def test_diagnostics_of_a_stream_that_has_not_started_are_empty(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    await home.set_up()
    with monkeypatch.context() as patch:
        patch.setattr(home.coordinator.stream, "client", None)
        assert (await diagnostics(home))["stream"] == {}


async def test_diagnostics_show_a_reconnect_and_the_system_log(home: Home) -> None:
    await home.set_up()
    await home.cut()
    assert (await diagnostics(home))["sources"]["stream"] is False
    await home.reconnected()
    downloaded = await diagnostics(home)
    assert downloaded["stream"]["reconnects"] == 1
    assert isinstance(downloaded["sources"]["system_log"], bool)
    notes = [
        entry["value"] for entry in downloaded["capture"]["entries"] if entry["do"] == "stream"
    ]
    assert notes == ["connecting", "connected", "waiting", "connecting", "connected"]


@pytest.mark.parametrize("low_data", [False, True])
async def test_diagnostics_capture_replays_to_the_same_events(
    home: Home, tmp_path: Path, *, low_data: bool
) -> None:
    home.world.add_client("Cara", mac=CARA)
    await home.set_up(clients=(ANNA,), disconnect_delay=0.05, low_data=low_data)
    await home.controller.roam("Anna", "Kitchen")
    await home.controller.sync()
    await home.controller.disconnect("Ben")
    await home.happened(2)
    await home.controller.close_sockets(None)
    home.world.connect("Cara", "Attic")
    await until(lambda: not home.coordinator.stream_connected)
    await home.settled()
    await home.reconnected()
    downloaded = await diagnostics(home)
    path = tmp_path / "config_entry-unifi_scanner.json"
    path.write_text(json.dumps({"home_assistant": {}, "data": downloaded}))
    capture = read_capture(path)
    assert [event["kind"] for event in capture.events] == [
        event_type.removeprefix("unifi_scanner_") for event_type, _ in await home.happened(3)
    ]
    assert [event_as_json(event) for event in play(capture)] == capture.events


async def test_diagnostics_have_no_personal_data_and_no_secrets(
    home: Home, secret_watch: SecretWatch
) -> None:
    home.world.client("Ben").hostname = "bens-laptop.lan"
    await home.set_up()
    await cause_events(home)
    text = json.dumps(await diagnostics(home))
    controller, entry = home.controller, home.entry
    names = {"Anna", "Ben", "Cara", "bens-laptop", "caras-pixel", "Hall", "Kitchen", "Attic"}
    macs = {ANNA, BEN, CARA, HALL, KITCHEN, ATTIC}
    ssids = {state.link.ssid for state in home.coordinator.clients.values() if state.link}
    assert ssids == {entry.title}
    addresses = {station.ip for station in home.coordinator.clients.values() if station.ip}
    assert addresses
    own = {
        controller.username,
        entry.title,
        entry.unique_id,
        entry.entry_id,
        entry.data["url"],
        entry.data["host"],
        entry.data["certificate"],
        home.coordinator.system_info.controller_id,
    }
    for word in names | macs | addresses | own | secret_watch.secrets:
        assert word is not None
        assert f'"{word}"' not in text
        # "Home" is also part of "Home Assistant".
        if word != entry.title:
            assert word not in text, word
    for mac in macs:
        assert mac.replace(":", "") not in text.replace(":", "").lower()


async def test_diagnostics_show_every_option_but_only_the_number_of_clients(home: Home) -> None:
    options = {key: value for key, value in OPTIONS.items() if key != "clients"}
    await home.set_up(**options)
    assert (await diagnostics(home))["options"] == {**options, "clients": 2}


async def test_diagnostics_exist_for_an_entry_that_is_not_loaded(home: Home) -> None:
    await home.controller.stop_listening()
    await home.set_up(wait=False, disconnect_delay=5)
    assert home.entry.state is ConfigEntryState.SETUP_RETRY
    assert await diagnostics(home) == {
        "integration_version": MANIFEST["version"],
        "state": "setup_retry",
        "options": {"add_new_clients": False, "disconnect_delay": 5, "clients": 2},
    }
