"""A capture replays to the same events, stays within bounds, and contains no personal data."""

from datetime import UTC, datetime
import json
import time
import tracemalloc
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.unifi_scanner.api.frames import parse_unifi_events
from custom_components.unifi_scanner.api.records import (
    DeviceRecord,
    EventKind,
    EventRecord,
    Link,
    Observation,
    StationRecord,
    normalise_mac,
    observation_from,
    parse_station,
)
from custom_components.unifi_scanner.api.websocket import BufferedEvent
from custom_components.unifi_scanner.capture import recorder as recorder_module
from custom_components.unifi_scanner.capture.pseudonyms import Pseudonyms
from custom_components.unifi_scanner.capture.recorder import (
    MAX_BYTES,
    MAX_ENTRIES,
    CaptureRecorder,
)
from custom_components.unifi_scanner.capture.recording_tracker import RecordingTracker
from custom_components.unifi_scanner.capture.redaction import EVENT_KEYS, STATION_KEYS, Redaction
from custom_components.unifi_scanner.roaming import RoamTracker
from tests.controller.frames import frame, sync_frame
from tests.replay.capture import Json, capture_from, event_as_json
from tests.replay.synthetic import START, RecordedSite
from tests.replay.tracker_player import play

NOW = datetime(2026, 11, 23, 1, 2, 3, 456_789, tzinfo=UTC)
MAC = "02:00:00:00:00:0a"


def exported(recorder: CaptureRecorder) -> Json:
    """Return an export as it is read back from a file."""
    capture: Json = json.loads(json.dumps(recorder.export(), allow_nan=False))
    return capture


def replayed(capture: Json) -> list[Json]:
    """Return the events of a replayed capture."""
    return [event_as_json(event) for event in play(capture_from(capture))]


def limit(
    monkeypatch: pytest.MonkeyPatch, *, entries: int = MAX_ENTRIES, size: int = MAX_BYTES
) -> None:
    """Lower the bounds of recorders."""
    monkeypatch.setattr(recorder_module, "MAX_ENTRIES", entries)
    monkeypatch.setattr(recorder_module, "MAX_BYTES", size)
    monkeypatch.setattr(recorder_module, "_SEGMENT_ENTRIES", entries // 4)
    monkeypatch.setattr(recorder_module, "_SEGMENT_BYTES", size // 4)


# Replays


@pytest.mark.parametrize("seed", range(5))
def test_a_replay_gives_the_recorded_events(seed: int) -> None:
    site = RecordedSite(seed=seed)
    site.run(600)
    capture = exported(site.recorder)
    assert len(capture["events"]) == len(site.events) > 20
    assert replayed(capture) == capture["events"]


@pytest.mark.parametrize("seed", range(10))
def test_a_replay_gives_the_recorded_events_after_the_beginning_was_discarded(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    limit(monkeypatch, entries=80)
    site = RecordedSite(seed=seed, clients=6)
    site.run(1800)
    capture = exported(site.recorder)
    assert len(capture["entries"]) <= 80
    assert capture["entries"][0]["at"] > START
    assert capture["state"]["memory"]["primed"]
    assert capture["state"]["clients"]
    assert 5 < len(capture["events"]) < len(site.events)
    assert replayed(capture) == capture["events"]


def test_a_replay_gives_the_recorded_events_when_the_clock_was_set_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limit(monkeypatch, entries=60)
    site = RecordedSite(seed=3)
    site.run(300)
    site.now -= 3600
    site.run(100)
    capture = exported(site.recorder)
    assert replayed(capture) == capture["events"] != []


def test_a_replay_gives_the_recorded_events_of_the_system_log() -> None:
    site = RecordedSite()
    site.snapshot()
    client, attic = site.clients[0], site.world.access_point("Attic")
    site.now += 100
    site.read_log(
        {
            "key": "CLIENT_ROAMED_2",
            "timestamp": int(site.now - 20) * 1000,
            "parameters": {
                "CLIENT": {"id": client.mac, "name": client.name},
                "DEVICE_TO": {"id": attic.mac},
                "WLAN": {"name": "Home"},
                "RADIO_BAND": {"name": "5 GHz"},
                "CHANNEL": {"name": "36"},
                "SIGNAL_STRENGTH": {"name": "-61"},
            },
        }
    )
    capture = exported(site.recorder)
    assert [event["source"] for event in capture["events"]] == ["system_log"]
    assert replayed(capture) == capture["events"]
    assert "Home" not in json.dumps(capture)


def test_a_replay_suspends_departures_again() -> None:
    site = RecordedSite()
    site.snapshot()
    site.tracker.suspend_departures(site.now)
    for client in site.clients[1:]:
        site.world.disconnect(client.mac)
    for _ in range(5):
        site.now += 60
        site.snapshot()
    capture = exported(site.recorder)
    assert "doubt" in [entry["do"] for entry in capture["entries"]]
    assert len(capture["events"]) == 3
    assert replayed(capture) == capture["events"]


def test_a_client_missing_in_snapshots_is_replayed_after_the_beginning_was_discarded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limit(monkeypatch, entries=40)
    site = RecordedSite(clients=3)
    gone, stays = site.clients[:2]
    site.snapshot()
    for _ in range(60):
        site.now += 1
        site.world.touch([stays.mac])
        site.receive(sync_frame(site.world, [stays]))
    site.world.disconnect(gone.mac)
    for _ in range(3):
        site.now += 60
        site.world.touch()
        site.snapshot()
    capture = exported(site.recorder)
    assert [entry["do"] for entry in capture["entries"]].count("snapshot") == 3
    assert [event["kind"] for event in capture["events"]] == ["disconnected"]
    assert replayed(capture) == capture["events"]


# Bounds


def test_a_recorder_stays_within_its_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    limit(monkeypatch, size=100_000)
    site = RecordedSite()
    sizes = []
    for _ in range(20):
        site.run(120)
        sizes.append(len(json.dumps(site.recorder.export())))
    assert max(sizes[10:]) < 200_000
    assert max(sizes[10:]) < 1.5 * min(sizes[10:])
    assert MAX_BYTES == 2_000_000


def test_a_recorder_uses_the_memory_it_estimates() -> None:
    site = RecordedSite(clients=8)
    site.snapshot()
    tracemalloc.start()
    try:
        for number in range(4_000):
            site.now += 0.5
            client = site.clients[number % 8]
            site.world.touch([client.mac])
            site.receive(sync_frame(site.world, [client]))
        segments = site.recorder._segments
        estimated = sum(segment.size() for segment in segments)
        before, _ = tracemalloc.get_traced_memory()
        segments.clear()
        site.recorder.start(None, ())
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert MAX_BYTES / 2 < estimated <= MAX_BYTES
    assert 0.5 * estimated < before - after < 1.1 * estimated


def test_skipped_frames_are_counted_by_a_bounded_number_of_types() -> None:
    site = RecordedSite()
    access_point = site.world.access_point("Hall")
    for number in range(100):
        site.receive(frame(f"new{number}:sync", []))
    for _ in range(50):
        site.receive(frame("device:sync", [{"mac": access_point.mac, "name": "Hall"}]))
    parse_unifi_events(b"garbage", site.statistics)
    site.snapshot()
    (skipped,) = [entry["skipped"] for entry in exported(site.recorder)["entries"][:1]]
    assert len(skipped) <= 33
    assert sum(run["frames"] for run in skipped.values()) == 151


def test_skipped_frames_of_one_type_are_counted_together() -> None:
    site = RecordedSite()
    for _ in range(50):
        site.receive(frame("device:sync", [{"name": "Hall"}]))
    parse_unifi_events(b"garbage", site.statistics)
    site.snapshot()
    size = len(json.dumps(frame("device:sync", [{"name": "Hall"}]), separators=(",", ":")))
    assert exported(site.recorder)["entries"][0]["skipped"] == {
        "device:sync": {"frames": 50, "bytes": 50 * size},
        "unreadable": {"frames": 1, "bytes": 7},
    }


def test_skipped_frames_are_recorded_once_with_the_next_input() -> None:
    site = RecordedSite()
    site.receive(frame("device:sync", []))
    # A frame that is ignored only after it was parsed.
    parse_unifi_events(b'{"v":1,"meta":{"message":"alarm"},"data":[]}', site.statistics)
    site.tracker.release_due(site.now)
    site.tracker.release_due(site.now)
    site.receive(frame("Anna's phone", []))
    site.receive(frame("02:00:00:00:00:0a", []))
    site.tracker.suspend_departures(site.now)
    first, second, third = exported(site.recorder)["entries"]
    assert {name: count["frames"] for name, count in first["skipped"].items()} == {
        "device:sync": 1,
        "alarm": 1,
    }
    assert "skipped" not in second
    assert third["skipped"].keys() == {"other"}
    assert third["skipped"]["other"]["frames"] == 2


def test_unread_keys_are_counted_by_name_in_a_sample() -> None:
    redaction = Redaction()
    record = {"mac": MAC, "tx_bytes": 1, "Anna's phone": 1, "aa_bb_cc_dd_ee_ff": 1}
    for number in range(10_000):
        redaction.station({**record, **{f"key{number}_{index}": 1 for index in range(5)}})
    sampled = redaction.unread_keys["tx_bytes"]
    # Checking every record would take too long.
    assert 50 < sampled < 1_000
    assert redaction.unread_keys["other"] >= 2 * sampled
    assert len(redaction.unread_keys) <= 257
    assert not {"mac", "Anna's phone", "aa_bb_cc_dd_ee_ff"} & redaction.unread_keys.keys()


# Redaction


def test_pseudonyms_are_the_same_for_the_same_value_and_differ_between_recorders() -> None:
    pseudonyms, others = Pseudonyms(), Pseudonyms()
    assert pseudonyms.mac(MAC) == pseudonyms.mac("02-00-00-00-00-0A") != MAC
    assert pseudonyms.mac(MAC) != others.mac(MAC)
    assert pseudonyms.ssid("Home") == pseudonyms.ssid("Home") != pseudonyms.ssid("Home ")
    assert pseudonyms.name("Anna") == pseudonyms.name(" Anna ") != pseudonyms.name("Ben")
    assert pseudonyms.ssid("Home").startswith("ssid-")
    assert pseudonyms.name("Anna").startswith("name-")
    assert pseudonyms.name("") == pseudonyms.name("  ") == pseudonyms.ssid("") == ""
    # The MAC serves as the name of a client without one, also when redacted.
    assert pseudonyms.name(MAC) == pseudonyms.mac(MAC)


@given(st.binary(min_size=6, max_size=6))
def test_the_pseudonym_of_a_mac_is_a_mac_and_keeps_its_flags(address: bytes) -> None:
    mac = address.hex(":")
    pseudonym = Pseudonyms().mac(mac)
    if normalise_mac(mac) is None:
        assert pseudonym is None
        return
    assert pseudonym is not None
    assert normalise_mac(pseudonym) == pseudonym
    assert int(pseudonym[:2], 16) & 3 == int(mac[:2], 16) & 3


SECRET = "planted-secret-5f2a"
FORMS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(
        [
            SECRET,
            f"  {SECRET}",
            f"36{SECRET}",
            "36",
            "-61.5",
            "1_0",
            "true",
            " FALSE",
            f"\u202e{SECRET}",
            "\u200b",
            "ng",
            "6e",
            "VPN",
            "WIRED",
            MAC,
            "02-00-00-00-00-0A",
            "00:00:00:00:00:00",
            "",
            " ",
            SECRET * 60,
        ]
    ),
    st.just([SECRET]),
    st.just({SECRET: SECRET}),
)


KEYS = st.sampled_from([*STATION_KEYS, *EVENT_KEYS, "guest_token", f"{SECRET} as a key"])


@given(
    st.dictionaries(KEYS, FORMS)
    | st.fixed_dictionaries(
        {"mac": st.just(MAC), "mlo_details": st.lists(st.dictionaries(KEYS, FORMS), max_size=2)},
        optional={"ap_mac": FORMS, "radio": FORMS},
    ),
    st.sampled_from(
        ["sta:sync", "client:sync", "wu.roam", "wu.roam_radio", "wg.connected", "wu.disconnected"]
    ),
)
def test_a_redacted_record_parses_the_same_and_contains_no_secret(
    data: dict[str, Any], kind: str
) -> None:
    recorder = CaptureRecorder()
    tracker = RecordingTracker(RoamTracker(), recorder)
    event = BufferedEvent(NOW, kind, data)
    recorder.record_frames([event])
    tracker.process_batch([observation_from(event)], NOW.timestamp())
    capture = exported(recorder)
    text = json.dumps(capture)
    assert SECRET not in text
    assert MAC not in text.lower().replace("-", ":")
    (step,) = capture_from(capture).steps
    before, after = observation_from(event), step.batch[0]
    assert type(before) is type(after)
    if before is None or after is None:
        return
    values = flattened(before)
    for name, value in flattened(after).items():
        if isinstance(value, str) and name.rpartition(".")[2] not in {"band", "kind"}:
            assert values[name] not in {None, value}
        else:
            assert values[name] == value
    assert replayed(capture) == capture["events"]


def flattened(observation: Observation) -> dict[str, object]:
    """Return the fields of an observation, those of a link as `link_to.band` and the like."""
    values: dict[str, object] = {}
    for name, value in observation._asdict().items():
        if isinstance(value, Link):
            values |= {f"{name}.{part}": each for part, each in value._asdict().items()}
        else:
            values[name] = value
    return values


def test_a_recorded_snapshot_parses_the_same_except_for_personal_data() -> None:
    recorder = CaptureRecorder()
    record = {
        "mac": MAC,
        "is_guest": True,
        "ap_mac": "78:45:58:00:00:01",
        "radio": "6e",
        "essid": "Home",
        "channel": "37",
        "signal": -61,
        "last_seen": 1_790_000_000,
        "name": "Anna",
        "ip": "10.0.0.7",
    }
    station = parse_station(record, 1_790_000_000.1)
    assert station is not None
    RecordingTracker(RoamTracker(), recorder).process_snapshot([station], 1_790_000_000.2)
    (step,) = capture_from(exported(recorder)).steps
    (recorded,) = step.stations
    hidden = {"mac", "link.ap_mac", "link.ssid", "alias", "ip"}
    before, after = flattened(station), flattened(recorded)
    assert {**after, **dict.fromkeys(hidden)} == {**before, **dict.fromkeys(hidden)}
    assert all(after[name] not in {None, before[name]} for name in hidden)


@pytest.mark.parametrize("model", ["78455800000A", "Anna's", "U" * 40, "", None])
def test_a_suspicious_model_or_version_is_left_out(model: str | None) -> None:
    recorder = CaptureRecorder()
    recorder.versions["network_version"] = model
    recorder.record_devices([DeviceRecord(mac=MAC, name="Hall", model=model, type=model)])
    capture = exported(recorder)
    ((device),) = capture["devices"]
    assert (device["model"], device["type"]) == (None, None)
    assert capture["about"] == {"network_version": None}


def test_usual_versions_and_models_are_kept() -> None:
    recorder = CaptureRecorder()
    for version in ("9.4.19", "10.0.162", "11.1.0-beta.2"):
        recorder.versions["network_version"] = version
        assert exported(recorder)["about"]["network_version"] == version
    recorder.record_devices([DeviceRecord(mac=MAC, name="Hall", model="U7PRO", type="uap")])
    assert exported(recorder)["devices"][0]["model"] == "U7PRO"


def test_redaction_replaces_texts_of_unknown_attributes() -> None:
    event = EventRecord(
        kind=EventKind.ROAM,
        mac=MAC,
        received=1.0,
        time=None,
        guest=False,
        link_from=Link(MAC, SECRET, ssid="Home"),  # type: ignore[arg-type] # an unexpected value
        link_to=Link(MAC, "5", 36, "Home"),
        hostname="annas-phone",
    )
    redacted = Redaction().redact(event)
    assert isinstance(redacted, dict)
    bands = [redacted[link]["band"] for link in ("link_from", "link_to")]
    assert (redacted["kind"], bands) == ("roam", ["hidden", "5"])
    text = json.dumps(redacted)
    assert not any(word in text for word in (MAC, "Home", "anna", SECRET))
    assert Redaction().redact([SECRET], "reason") == ["str"]
    assert Redaction().redact(object()) == "object"


def test_recording_a_record_is_cheap() -> None:
    site = RecordedSite(clients=1)
    document = sync_frame(site.world, site.clients)
    data = document["data"][0]
    events = [BufferedEvent(NOW, "sta:sync", data)]
    best = 1.0
    for _ in range(20):
        began = time.perf_counter()
        for _ in range(200):
            site.recorder.record_frames(events)
        best = min(best, (time.perf_counter() - began) / 200)
    # Takes 3 microseconds on the development machine; allow for a busy or old one.
    assert best < 30e-6


def test_every_field_of_a_station_record_has_a_key_to_record() -> None:
    fields = {*StationRecord._fields, *Link._fields} - {"link", "received"}
    assert len(fields) == len(STATION_KEYS) - len({"type", "display_name"})
