"""Tests of extracting events from frames, including malformed ones."""

from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta
import json
import logging

import orjson
import pytest

from custom_components.unifi_scanner.api import (
    BufferedEvent,
    FrameStatistics,
    parse_unifi_event,
    parse_unifi_events,
)

from .frames import CAPTURES, DAMAGE, ROAM, STATION, envelope, frame

UNUSED = ["device:sync", "user:sync", "unifi-device:sync", "alert", "no such type", "", "wu.x"]


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Record every input of the JSON parser that is as long as a whole frame."""
    frames: list[bytes] = []
    loads = orjson.loads

    def record(raw: bytes) -> object:
        if len(raw) > 300:
            frames.append(raw)
        return loads(raw)

    monkeypatch.setattr("custom_components.unifi_scanner.api.frames.orjson.loads", record)
    return frames


@pytest.mark.parametrize("as_bytes", [True, False])
@pytest.mark.parametrize("meta_last", [True, False])
@pytest.mark.parametrize(
    ("key", "event_type"),
    [
        ("EVT_WU_Connected", "wu.connected"),
        ("EVT_WU_Disconnected", "wu.disconnected"),
        ("EVT_WU_Roam", "wu.roam"),
        ("EVT_WU_RoamRadio", "wu.roam_radio"),
        ("EVT_WG_Connected", "wg.connected"),
        ("EVT_WG_Disconnected", "wg.disconnected"),
        ("EVT_WG_Roam", "wg.roam"),
        ("EVT_WG_RoamRadio", "wg.roam_radio"),
    ],
)
def test_events_frame_entries_are_typed_by_their_key(
    key: str, event_type: str, *, meta_last: bool, as_bytes: bool
) -> None:
    entry = ROAM | {"key": key}
    text = frame("events", entry, meta_last=meta_last)
    event = parse_unifi_event(text.encode() if as_bytes else text)
    assert event is not None
    assert (event.event_type, event.data) == (event_type, entry)


@pytest.mark.parametrize("meta_last", [True, False])
@pytest.mark.parametrize(
    ("message", "event_type"),
    [
        ("sta:sync", "sta:sync"),
        ("client:sync", "client:sync"),
        ("wu.connected", "wu.connected"),
        ("wu.disconnected", "wu.disconnected"),
        ("wu.roam", "wu.roam"),
        ("wu.roam_radio", "wu.roam_radio"),
        ("wu.roamradio", "wu.roam_radio"),
        ("wg.connected", "wg.connected"),
        ("wg.disconnected", "wg.disconnected"),
        ("wg.roam", "wg.roam"),
        ("wg.roam_radio", "wg.roam_radio"),
        ("wg.roamradio", "wg.roam_radio"),
    ],
)
def test_sync_and_alias_frames_are_typed_by_their_message(
    message: str, event_type: str, *, meta_last: bool
) -> None:
    event = parse_unifi_event(frame(message, STATION, meta_last=meta_last))
    assert event is not None
    assert (event.event_type, event.data) == (event_type, STATION)


@pytest.mark.parametrize("message", UNUSED)
@pytest.mark.parametrize("meta_last", [True, False])
def test_frames_of_other_types_contain_no_events(message: str, *, meta_last: bool) -> None:
    assert parse_unifi_events(frame(message, ROAM, STATION, meta_last=meta_last)) == []


@pytest.mark.parametrize(
    "key", ["EVT_LU_Connected", "EVT_HS_AuthedByNoAuth", "evt_wu_roam", "EVT_AP_Roam", "", None, 7]
)
def test_entries_with_other_keys_are_ignored(key: object) -> None:
    assert parse_unifi_event(frame("events", {"key": key}, {})) is None


def test_frame_with_several_events_returns_them_in_order() -> None:
    keys = ["EVT_WU_Disconnected", "EVT_LU_Connected", "EVT_WU_RoamRadio", "EVT_WG_Roam"]
    text = frame("events", *({"key": key, "n": n} for n, key in enumerate(keys)), None, 7, [])
    events = parse_unifi_events(text)
    assert [event.event_type for event in events] == ["wu.disconnected", "wu.roam_radio", "wg.roam"]
    assert [event.data["n"] for event in events] == [0, 2, 3]
    first = parse_unifi_event(text)
    assert first is not None
    assert (first.event_type, first.data) == (events[0].event_type, events[0].data)


def test_event_timestamp_is_the_time_of_receipt_in_utc() -> None:
    event = parse_unifi_event(frame("events", ROAM))
    assert event is not None
    assert event.timestamp.tzinfo is UTC
    assert abs(datetime.now(UTC) - event.timestamp) < timedelta(seconds=5)


def test_buffered_events_compare_by_value_and_are_immutable() -> None:
    now = datetime.now(UTC)
    event = BufferedEvent(now, "wu.roam", {"a": 1})
    assert event == BufferedEvent(timestamp=now, event_type="wu.roam", data={"a": 1})
    assert BufferedEvent(now, "wu.roam").data == {}
    with pytest.raises(FrozenInstanceError):
        event.event_type = "x"


@pytest.mark.parametrize("data", [STATION, [STATION]])
def test_frame_with_a_bare_record_is_treated_as_a_list_of_one(data: object) -> None:
    text = json.dumps({"meta": {"rc": "ok", "message": "sta:sync"}, "data": data})
    assert [event.data for event in parse_unifi_events(text)] == [STATION]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pong",
        "{",
        "[]",
        "null",
        "7",
        '"events"',
        "NaN",
        "{}",
        '{"meta":null}',
        '{"meta":[]}',
        '{"meta":"events","data":[]}',
        '{"meta":{},"data":[]}',
        '{"meta":{"message":null},"data":[{}]}',
        '{"meta":{"message":["events"]},"data":[{}]}',
        '{"meta":{"message":{"a":"events"}},"data":[{}]}',
        '{"meta":{"rc":"ok","message":"events"}}',
        '{"meta":{"rc":"ok","message":"events"},"data":null}',
        '{"meta":{"rc":"ok","message":"events"},"data":"x"}',
        '{"meta":{"rc":"ok","message":"events"},"data":[null,"x",{},[],7,{"key":{}}]}',
        '{"meta":{"rc":"ok","message":"sta:sync"},"data":[]}',
        '{"meta":{"rc":"ok","message":"sta:sync"},"data":[null,7]}',
        '{"meta":{"rc":"ok","message":"sta:sync"},"data":[{"signal":NaN}]}',
        '{"meta":{"rc":"ok","message":"sta:sync"},"data":[{"a":1}',
        '{"meta":{"rc":"error","message":"events"},"data":[{"key":"EVT_WU_Roam"}]}',
        '{"meta":{"rc":null,"message":"sta:sync"},"data":[{}]}',
        '{"meta":{"rc":["ok"],"message":"sta:sync"},"data":[{}]}',
        '{"meta":{"rc":"error","msg":"api.err.LoginRequired"},"data":[]}',
        '{"data":[{"a":1}],"meta":{"rc":"error","message":"sta:sync"}}',
        "\ud800",
        "[" * 100_000,
        '{"meta":{"rc":"ok","message":"sta:sync"},"data":' + "[" * 5000 + "]" * 5000 + "}",
        "\x00",
        "﻿{}",
    ],
)
def test_malformed_frames_contain_no_events(text: str) -> None:
    assert parse_unifi_events(text) == []
    assert parse_unifi_event(text) is None
    assert parse_unifi_events(text.encode("utf-8", "surrogatepass")) == []


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
@pytest.mark.parametrize("meta_last", [True, False])
def test_damaged_name_leaves_the_other_events_of_a_frame_readable(
    damage: bytes, *, meta_last: bool
) -> None:
    text = frame("events", ROAM | {"hostname": "phone@@"}, ROAM, meta_last=meta_last)
    damaged, intact = parse_unifi_events(text.encode().replace(b"@@", damage))
    assert damaged.data["hostname"].startswith("phone")
    assert damaged.data | {"hostname": None} == ROAM | {"hostname": None}
    assert intact.data == ROAM


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
@pytest.mark.parametrize("meta_last", [True, False])
def test_unused_frame_with_a_damaged_name_is_not_parsed(
    parsed: list[bytes], damage: bytes, *, meta_last: bool
) -> None:
    text = frame("device:sync", *[STATION] * 9, {"name": "ap@@"}, meta_last=meta_last)
    statistics = FrameStatistics()
    assert parse_unifi_events(text.encode().replace(b"@@", damage), statistics) == []
    assert parsed == []
    assert (statistics.skipped, statistics.unreadable) == (1, 0)


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
@pytest.mark.parametrize("meta_last", [True, False])
def test_frame_with_damage_in_its_meta_is_typed(damage: bytes, *, meta_last: bool) -> None:
    text = frame("events", ROAM, meta_last=meta_last, site="home@@")
    event = parse_unifi_event(text.encode().replace(b"@@", damage))
    assert event is not None
    assert event.data == ROAM


def test_lone_surrogate_in_a_text_frame_is_replaced() -> None:
    event = parse_unifi_event(frame("sta:sync", STATION | {"hostname": "@"}).replace("@", "\ud800"))
    assert event is not None
    assert event.data["hostname"] == "\ufffd" * 3


def test_frame_without_rc_is_accepted() -> None:
    assert parse_unifi_event('{"meta":{"message":"sta:sync"},"data":[{}]}') is not None


@pytest.mark.parametrize("raw", [b"\xff\xfe", b"\x00\x01\x02", b'{"meta":{"message":"\xff"}}'])
def test_frame_of_invalid_utf8_contains_no_events(raw: bytes) -> None:
    assert parse_unifi_events(raw) == []


def test_frame_with_out_of_range_numbers_does_not_raise() -> None:
    text = '{"meta":{"message":"sta:sync"},"data":[{"a":1e999,"b":99999999999999999999999,"c":-0}]}'
    reference = '{"meta":{"message":"sta:sync"},"data":[{"b":99999999999999999999999,"c":-0}]}'
    assert len(parse_unifi_events(reference)) == 1
    assert len(parse_unifi_events(text)) in {0, 1}


# Text that would mislead a plain text search: anyone can choose an SSID, host name or alias.
LURES = [
    '"message":"device:sync"',
    '{"meta":{"rc":"ok","message":"device:sync"},"data":[',
    '","meta":{"rc":"ok","message":"device:sync"}}',
    ',"meta":{"rc":"ok","message":"device:sync"}}',
    '\\","meta":{"rc":"ok","message":"device:sync"}}',
    '\\"}],"meta":{"message":"device:sync"}}',
    'x"}],"meta":{"rc":"ok","message":"device:sync"}}',
    "<b>\U0001f600 \u2028 'x' \\ \" ${jndi:x}",
]


@pytest.mark.parametrize("lure", LURES)
@pytest.mark.parametrize("meta_last", [True, False])
@pytest.mark.parametrize("spaced", [True, False])
def test_used_frame_is_parsed_despite_a_name_that_looks_like_an_envelope(
    lure: str, *, meta_last: bool, spaced: bool
) -> None:
    entry = ROAM | {"hostname": lure, lure: lure, "ssid": lure}
    document = envelope("events", entry, meta_last=meta_last)
    for text in (
        json.dumps(document, separators=None if spaced else (",", ":")),
        json.dumps(document, ensure_ascii=False, indent=2 if spaced else None),
    ):
        event = parse_unifi_event(text)
        assert event is not None
        assert event.data == entry


@pytest.mark.parametrize("lure", [lure.replace("device:sync", "events") for lure in LURES])
@pytest.mark.parametrize("meta_last", [True, False])
def test_unused_frame_is_ignored_despite_a_name_that_looks_like_an_envelope(
    lure: str, *, meta_last: bool
) -> None:
    assert parse_unifi_events(frame("device:sync", {"name": lure}, meta_last=meta_last)) == []


@pytest.mark.parametrize(
    "text",
    [
        # Objects called `meta` other than the envelope's own.
        '{"data":{"a":1,"meta":{"rc":"ok","message":"device:sync"}},"meta":{"message":"sta:sync"}}',
        '{"meta":{"message":"sta:sync"},"data":{"a":1,"meta":{"message":"device:sync"}}}',
        '{"data":[{"a":1,"meta":{"message":"device:sync"}}],"meta":{"message":"sta:sync"},"v":1}',
        '{"data":[{"a":1}],"meta":{"message":"sta:sync"},"x\\"meta":{"message":"device:sync"}}',
        # A `meta` that is nested, in another order, or far from both ends.
        '{"meta":{"x":{"message":"device:sync"},"message":"sta:sync"},"data":[{"a":1}]}',
        '{"meta":{"x":{"a":{}},"message":"sta:sync"},"data":[{"a":1}]}',
        '{"meta":{"a":"}","message":"sta:sync"},"data":[{"a":1}]}',
        '{"meta":{"a":"}}","b":"{","message":"sta:sync"},"data":[{"a":1}]}',
        '{"v":1,"meta":{"message":"sta:sync"},"data":[{"a":1}]}',
        '{"data":[{"a":1}],"meta":{"message":"sta:sync","x":"' + "y" * 400 + '"}}',
        '{"meta":{"x":"' + "y" * 400 + '","message":"sta:sync"},"data":[{"a":1}]}',
        # Escapes and whitespace.
        '{"meta":{"\\u006dessage":"sta:sync"},"data":[{"a":1}]}',
        '{"meta":{"message":"\\u0073ta:sync"},"data":[{"a":1}]}',
        '\n{ "meta" : { "message" : "sta:sync" } , "data" : [ {"a" : 1} ] }\n',
        '{\t"data":[{"a":1}],\t"meta" :{ "message" :"sta:sync"} \r\n}',
        '{"data":[{"a":1}],\n"meta":\n{"rc":"ok",\n"message":"sta:sync"\n}\n}\n',
    ],
)
def test_ambiguous_frame_is_parsed(text: str) -> None:
    events = parse_unifi_events(text)
    assert [event.event_type for event in events] == ["sta:sync"]
    assert events[0].data["a"] == 1


@pytest.mark.parametrize("meta_last", [True, False])
@pytest.mark.parametrize("spaced", [True, False])
def test_unused_frame_is_not_parsed(parsed: list[bytes], *, meta_last: bool, spaced: bool) -> None:
    document = envelope(
        "device:sync", *[STATION] * 100, meta_last=meta_last, mac="02:00:00:00:00:09"
    )
    statistics = FrameStatistics()
    text = json.dumps(document, separators=None if spaced else (",", ":"))
    assert parse_unifi_events(text, statistics) == []
    assert parse_unifi_events(text.encode(), statistics) == []
    assert parsed == []
    assert (statistics.frames, statistics.skipped) == (2, 2)
    assert statistics.bytes == 2 * len(text)
    assert statistics.types == {"device:sync": 2}


def test_frame_statistics_count_received_frames(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    statistics = FrameStatistics()
    for text in ("", "pong", "{", frame("sta:sync", STATION), frame("events", ROAM)):
        parse_unifi_events(text, statistics)
    assert (statistics.frames, statistics.skipped, statistics.unreadable) == (5, 0, 3)
    assert statistics.types == {"sta:sync": 1, "events": 1}
    assert [record.getMessage() for record in caplog.records] == [
        "A frame could not be read, further ones are only counted: size=0"
    ]


def test_frame_statistics_log_each_unused_key_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    statistics = FrameStatistics()
    keys = ["EVT_XX_0", "EVT_XX_1", "EVT_" + "X" * 1000]
    for n in range(900):
        parse_unifi_events(frame("events", {"key": keys[n % 3]}), statistics)
    assert len(caplog.records) == 3
    assert list(statistics.unused_keys.values()) == [300, 300, 300]


def test_frame_statistics_are_bounded_for_names_chosen_by_a_peer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    statistics = FrameStatistics()
    for n in range(500):
        parse_unifi_events(frame("events", {"key": f"{n}" + "x" * 10_000}), statistics)
        parse_unifi_events(frame(f"type{n}"), statistics)
    for counts, total in ((statistics.unused_keys, 500), (statistics.types, 1000)):
        assert len(counts) <= 65
        assert max(map(len, counts)) <= 64
        assert sum(counts.values()) == total
        assert counts["other"] > 400
    assert len(caplog.records) <= 64
    assert max(len(record.getMessage()) for record in caplog.records) < 200


@pytest.mark.skipif(not CAPTURES.exists(), reason="the captures are not part of the repository")
def test_captured_frames_are_typed_by_their_keys() -> None:
    expected = {
        "EVT_WU_Roam": "wu.roam",
        "EVT_WU_RoamRadio": "wu.roam_radio",
        "EVT_WU_Disconnected": "wu.disconnected",
        "EVT_WU_Connected": "wu.connected",
        "EVT_WG_Connected": "wg.connected",
    }
    event_types = set()
    for line in (CAPTURES / "frames.jsonl").read_text().splitlines():
        document = json.loads(line)["frame"]
        message = document["meta"]["message"]
        entries = document["data"] if isinstance(document["data"], list) else [document["data"]]
        wanted = [
            (expected[entry["key"]] if message == "events" else message, entry)
            for entry in entries
            if message in {"sta:sync", "client:sync"} or entry.get("key") in expected
        ]
        for text in (json.dumps(document), json.dumps(dict(reversed(document.items())))):
            found = [(event.event_type, event.data) for event in parse_unifi_events(text)]
            assert found == wanted
        event_types.update(event_type for event_type, _ in wanted)
    assert {
        "wu.roam",
        "wu.roam_radio",
        "wu.disconnected",
        "wg.connected",
        "sta:sync",
    } <= event_types


@pytest.mark.skipif(not CAPTURES.exists(), reason="the captures are not part of the repository")
def test_captured_odd_frames_do_not_raise() -> None:
    for case in json.loads((CAPTURES / "edge_text_frames.json").read_text()):
        events = parse_unifi_events(case["text"])
        assert bool(events) == ("wu.roam" in case["text"])
