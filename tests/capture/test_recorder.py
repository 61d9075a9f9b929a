"""The flight recorder keeps what is needed to tell the same again, and nothing personal."""

from datetime import UTC, datetime
import json
import time
import tracemalloc
from typing import Any

from hypothesis import given, strategies as st
import pytest

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
    MOST_BYTES,
    MOST_ENTRIES,
    CaptureRecorder,
)
from custom_components.unifi_scanner.capture.recording_tracker import RecordingTracker
from custom_components.unifi_scanner.capture.redaction import EVENT_KEYS, STATION_KEYS, Redaction
from tests.controller.frames import frame, sync_frame
from tests.replay.capture import Json, as_told, capture_of
from tests.replay.synthetic import START, Life
from tests.replay.tracker_player import play

NOW = datetime(2026, 11, 23, 1, 2, 3, 456_789, tzinfo=UTC)
MAC = "02:00:00:00:00:0a"


def exported(recorder: CaptureRecorder) -> Json:
    """Return what is exported as it comes out of a file."""
    capture: Json = json.loads(json.dumps(recorder.export(), allow_nan=False))
    return capture


def replayed(capture: Json) -> list[Json]:
    """Return what is told when a capture is played again."""
    return [as_told(event) for event in play(capture_of(capture))]


def bound(
    monkeypatch: pytest.MonkeyPatch, *, entries: int = MOST_ENTRIES, size: int = MOST_BYTES
) -> None:
    """Let a recorder keep less."""
    monkeypatch.setattr(recorder_module, "MOST_ENTRIES", entries)
    monkeypatch.setattr(recorder_module, "MOST_BYTES", size)
    monkeypatch.setattr(recorder_module, "_ENTRIES", entries // 4)
    monkeypatch.setattr(recorder_module, "_BYTES", size // 4)


# To tell the same again


@pytest.mark.parametrize("seed", range(5))
def test_a_life_is_told_again_as_it_was(seed: int) -> None:
    life = Life(seed=seed)
    life.live(600)
    capture = exported(life.recorder)
    assert len(capture["events"]) == len(life.told) > 20
    assert replayed(capture) == capture["events"]


@pytest.mark.parametrize("seed", range(10))
def test_what_is_left_when_the_beginning_is_forgotten_is_told_again(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    bound(monkeypatch, entries=80)
    life = Life(seed=seed, clients=6)
    life.live(1800)
    capture = exported(life.recorder)
    assert len(capture["entries"]) <= 80
    assert capture["entries"][0]["at"] > START
    assert capture["state"]["memory"]["primed"]
    assert capture["state"]["clients"]
    assert 5 < len(capture["events"]) < len(life.told)
    assert replayed(capture) == capture["events"]


def test_a_clock_that_was_set_back_is_set_back_again(monkeypatch: pytest.MonkeyPatch) -> None:
    bound(monkeypatch, entries=60)
    life = Life(seed=3)
    life.live(300)
    life.now -= 3600
    life.live(100)
    capture = exported(life.recorder)
    assert replayed(capture) == capture["events"] != []


def test_what_the_system_log_tells_is_told_again() -> None:
    life = Life()
    life.snapshot()
    client, attic = life.clients[0], life.world.access_point("Attic")
    life.now += 100
    life.read_log(
        {
            "key": "CLIENT_ROAMED_2",
            "timestamp": int(life.now - 20) * 1000,
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
    capture = exported(life.recorder)
    assert [event["source"] for event in capture["events"]] == ["system_log"]
    assert replayed(capture) == capture["events"]
    assert "Home" not in json.dumps(capture)


def test_doubts_are_doubts_again() -> None:
    life = Life()
    life.snapshot()
    life.tracker.suspend_departures(life.now)
    for client in life.clients[1:]:
        life.world.disconnect(client.mac)
    for _ in range(5):
        life.now += 60
        life.snapshot()
    capture = exported(life.recorder)
    assert "doubt" in [entry["do"] for entry in capture["entries"]]
    assert len(capture["events"]) == 3
    assert replayed(capture) == capture["events"]


def test_who_is_only_missed_since_the_beginning_was_forgotten_is_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bound(monkeypatch, entries=40)
    life = Life(clients=3)
    gone, stays = life.clients[:2]
    life.snapshot()
    for _ in range(60):
        life.now += 1
        life.world.touch([stays.mac])
        life.receive(sync_frame(life.world, [stays]))
    life.world.disconnect(gone.mac)
    for _ in range(3):
        life.now += 60
        life.world.touch()
        life.snapshot()
    capture = exported(life.recorder)
    assert [entry["do"] for entry in capture["entries"]].count("snapshot") == 3
    assert [event["kind"] for event in capture["events"]] == ["disconnected"]
    assert replayed(capture) == capture["events"]


# Bounds


def test_it_keeps_no_more_than_its_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    bound(monkeypatch, size=100_000)
    life = Life()
    sizes = []
    for _ in range(20):
        life.live(120)
        sizes.append(len(json.dumps(life.recorder.export())))
    assert max(sizes[10:]) < 200_000
    assert max(sizes[10:]) < 1.5 * min(sizes[10:])
    assert MOST_BYTES == 2_000_000


def test_it_takes_the_memory_that_it_believes_to_take() -> None:
    life = Life(clients=8)
    life.snapshot()
    tracemalloc.start()
    try:
        for number in range(4_000):
            life.now += 0.5
            client = life.clients[number % 8]
            life.world.touch([client.mac])
            life.receive(sync_frame(life.world, [client]))
        segments = life.recorder._segments
        believed = sum(segment.size() for segment in segments)
        before, _ = tracemalloc.get_traced_memory()
        segments.clear()
        life.recorder.follow(None, ())
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert MOST_BYTES / 2 < believed <= MOST_BYTES
    assert 0.5 * believed < before - after < 1.1 * believed


def test_frames_of_no_use_are_only_counted_however_many_names_they_have() -> None:
    life = Life()
    access_point = life.world.access_point("Hall")
    for number in range(100):
        life.receive(frame(f"new{number}:sync", []))
    for _ in range(50):
        life.receive(frame("device:sync", [{"mac": access_point.mac, "name": "Hall"}]))
    life.recorder.skip(None, 7)
    life.snapshot()
    (skipped,) = [entry["skipped"] for entry in exported(life.recorder)["entries"][:1]]
    assert len(skipped) <= 33
    assert sum(run["frames"] for run in skipped.values()) == 151
    assert "records" not in exported(life.recorder)["entries"][0]


def test_a_run_of_frames_of_one_type_is_one_count() -> None:
    life = Life()
    for _ in range(50):
        life.receive(frame("device:sync", [{"name": "Hall"}]))
    life.recorder.skip(None, 7)
    life.snapshot()
    size = len(json.dumps(frame("device:sync", [{"name": "Hall"}]), separators=(",", ":")))
    assert exported(life.recorder)["entries"][0]["skipped"] == {
        "device:sync": {"frames": 50, "bytes": 50 * size},
        "unreadable": {"frames": 1, "bytes": 7},
    }


def test_keys_that_nobody_reads_are_counted_by_name() -> None:
    redaction = Redaction()
    record = {"mac": MAC, "tx_bytes": 1, "Anna's phone": 1, "aa_bb_cc_dd_ee_ff": 1}
    for number in range(10_000):
        redaction.station({**record, **{f"key{number}_{index}": 1 for index in range(5)}})
    looks = redaction.unread_keys["tx_bytes"]
    # All would take too long.
    assert 50 < looks < 1_000
    assert redaction.unread_keys["other"] >= 2 * looks
    assert len(redaction.unread_keys) <= 257
    assert not {"mac", "Anna's phone", "aa_bb_cc_dd_ee_ff"} & redaction.unread_keys.keys()


# Nothing personal


def test_the_same_is_the_same_and_cannot_be_recognised() -> None:
    one, other = Pseudonyms(), Pseudonyms()
    assert one.mac(MAC) == one.mac("02-00-00-00-00-0A") != MAC
    assert one.mac(MAC) != other.mac(MAC)
    assert one.ssid("Home") == one.ssid("Home") != one.ssid("Home ")
    assert one.name("Anna") == one.name(" Anna ") != one.name("Ben")
    assert one.ssid("Home").startswith("ssid-")
    assert one.name("Anna").startswith("name-")
    assert one.name("") == one.name("  ") == one.ssid("") == ""
    # Who has no name is called by the address, there and here.
    assert one.name(MAC) == one.mac(MAC)


@given(st.binary(min_size=6, max_size=6))
def test_a_pseudonym_is_an_address_and_as_randomised(address: bytes) -> None:
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


@given(
    st.dictionaries(
        st.sampled_from([*STATION_KEYS, *EVENT_KEYS, "guest_token", f"{SECRET} as a key"]), FORMS
    ),
    st.sampled_from(
        ["sta:sync", "client:sync", "wu.roam", "wu.roam_radio", "wg.connected", "wu.disconnected"]
    ),
)
def test_a_record_is_read_as_before_and_tells_no_secret(data: dict[str, Any], kind: str) -> None:
    recorder = CaptureRecorder()
    tracker = RecordingTracker(recorder)
    event = BufferedEvent(NOW, kind, data)
    recorder.frames([event])
    tracker.process_batch([observation_from(event)], NOW.timestamp())
    capture = exported(recorder)
    text = json.dumps(capture)
    assert SECRET not in text
    assert MAC not in text.lower().replace("-", ":")
    (step,) = capture_of(capture).steps
    before, after = observation_from(event), step.batch[0]
    assert type(before) is type(after)
    if before is None or after is None:
        return
    values = flat(before)
    for name, value in flat(after).items():
        if isinstance(value, str) and name.rpartition(".")[2] not in {"band", "kind"}:
            assert values[name] not in {None, value}
        else:
            assert values[name] == value
    assert replayed(capture) == capture["events"]


def flat(observation: Observation) -> dict[str, object]:
    """Return what an observation says, a link's parts under names such as `link_to.band`."""
    values: dict[str, object] = {}
    for name, value in observation._asdict().items():
        if isinstance(value, Link):
            values |= {f"{name}.{part}": each for part, each in value._asdict().items()}
        else:
            values[name] = value
    return values


def test_a_list_of_clients_is_kept_as_it_was_read() -> None:
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
    RecordingTracker(recorder).process_snapshot([station], 1_790_000_000.2)
    (step,) = capture_of(exported(recorder)).steps
    (read,) = step.stations
    hidden = {"mac", "link.ap_mac", "link.ssid", "alias", "ip"}
    before, after = flat(station), flat(read)
    assert {**after, **dict.fromkeys(hidden)} == {**before, **dict.fromkeys(hidden)}
    assert all(after[name] not in {None, before[name]} for name in hidden)


@pytest.mark.parametrize("model", ["78455800000A", "Anna's", "U" * 40, "", None])
def test_a_model_or_version_that_may_be_something_else_is_left_out(model: str | None) -> None:
    recorder = CaptureRecorder()
    recorder.about["network_version"] = model
    recorder.devices([DeviceRecord(mac=MAC, name="Hall", model=model, type=model)])
    capture = exported(recorder)
    ((device),) = capture["devices"]
    assert (device["model"], device["type"]) == (None, None)
    assert capture["about"] == {"network_version": None}


def test_versions_and_models_of_the_usual_kind_are_kept() -> None:
    recorder = CaptureRecorder()
    for version in ("9.4.19", "10.0.162", "11.1.0-beta.2"):
        recorder.about["network_version"] = version
        assert exported(recorder)["about"]["network_version"] == version
    recorder.devices([DeviceRecord(mac=MAC, name="Hall", model="U7PRO", type="uap")])
    assert exported(recorder)["devices"][0]["model"] == "U7PRO"


def test_all_facts_that_are_texts_are_hidden_unless_they_are_known() -> None:
    event = EventRecord(
        kind=EventKind.ROAM,
        mac=MAC,
        received=1.0,
        time=None,
        guest=False,
        link_from=Link(MAC, SECRET, ssid="Home"),  # type: ignore[arg-type] # whatever may come
        link_to=Link(MAC, "5", 36, "Home"),
        hostname="annas-phone",
    )
    fact = Redaction().fact(event)
    assert isinstance(fact, dict)
    bands = [fact[link]["band"] for link in ("link_from", "link_to")]
    assert (fact["kind"], bands) == ("roam", ["hidden", "5"])
    text = json.dumps(fact)
    assert not any(word in text for word in (MAC, "Home", "anna", SECRET))
    assert Redaction().fact([SECRET], "reason") == ["str"]
    assert Redaction().fact(object()) == "object"


def test_a_record_costs_little() -> None:
    life = Life(clients=1)
    document = sync_frame(life.world, life.clients)
    data = document["data"][0]
    events = [BufferedEvent(NOW, "sta:sync", data)]
    best = 1.0
    for _ in range(20):
        began = time.perf_counter()
        for _ in range(200):
            life.recorder.frames(events)
        best = min(best, (time.perf_counter() - began) / 200)
    # 3 microseconds where it was written; a busy or old machine takes longer.
    assert best < 30e-6


def test_a_station_record_has_no_field_that_the_recorder_does_not_know() -> None:
    fields = {*StationRecord._fields, *Link._fields} - {"link", "received"}
    assert len(fields) == len(STATION_KEYS) - len({"type", "display_name"})
