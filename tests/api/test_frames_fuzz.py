"""Property tests of the frame parser: any input gives the events that full parsing would."""

from collections.abc import Callable
import json
from typing import Any

from hypothesis import example, given, settings, strategies as st
import orjson

from custom_components.unifi_scanner.api import FrameStatistics, parse_unifi_events
from custom_components.unifi_scanner.api.damaged_json import load_json

from .frames import ROAM, STATION, frame

KEYS = {
    "EVT_WU_Connected": "wu.connected",
    "EVT_WU_Disconnected": "wu.disconnected",
    "EVT_WU_Roam": "wu.roam",
    "EVT_WU_RoamRadio": "wu.roam_radio",
    "EVT_WG_Connected": "wg.connected",
    "EVT_WG_Disconnected": "wg.disconnected",
    "EVT_WG_Roam": "wg.roam",
    "EVT_WG_RoamRadio": "wg.roam_radio",
}
MESSAGES = {value: value for value in KEYS.values()} | {
    "sta:sync": "sta:sync",
    "client:sync": "client:sync",
    "wu.roamradio": "wu.roam_radio",
    "wg.roamradio": "wg.roam_radio",
}


def reference(raw: str | bytes) -> list[tuple[str, Any]]:
    """Return the events of a frame by parsing all of it."""
    try:
        encoded = raw if isinstance(raw, bytes) else raw.encode("utf-8", "surrogatepass")
        document = load_json(encoded)
        meta = document["meta"]
        message, rc, data = meta["message"], meta.get("rc", "ok"), document.get("data")
    except orjson.JSONDecodeError, KeyError, TypeError, AttributeError:
        return []
    if not isinstance(message, str) or rc != "ok":
        return []
    entries = [x for x in (data if isinstance(data, list) else [data]) if isinstance(x, dict)]
    if message != "events":
        return [(MESSAGES[message], entry) for entry in entries if message in MESSAGES]
    return [
        (KEYS[key], entry)
        for entry in entries
        if isinstance(key := entry.get("key"), str) and key in KEYS
    ]


def found(raw: str | bytes) -> list[tuple[str, Any]]:
    """Return the events that the parser under test finds in a frame."""
    return [(event.event_type, event.data) for event in parse_unifi_events(raw, FrameStatistics())]


LURES = st.sampled_from(
    [
        '"message":"events"',
        '"message":"device:sync"',
        ',"meta":{"rc":"ok","message":"device:sync"}}',
        '","meta":{"rc":"ok","message":"sta:sync"}}',
        '{"meta":{"message":"device:sync"}',
        "\\",
        '"',
        "}",
        "{",
    ]
)
DAMAGE = st.sampled_from(["\ud800", r"\ud83d", "\x01", "\n", r"\x"])
TEXT = st.lists(LURES | st.text(max_size=5), max_size=5).map("".join)
LEAF = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT
NAMES = st.sampled_from(["meta", "message", "data", "key", "rc", "a"]) | TEXT
JSON = st.recursive(
    LEAF, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4)
)
MESSAGE = st.sampled_from([*MESSAGES, "events", "device:sync", "user:sync"]) | JSON
ENTRY = (
    st.dictionaries(NAMES, JSON, max_size=4)
    | st.builds(
        lambda rest, key: rest | {"key": key},
        st.dictionaries(NAMES, JSON, max_size=3),
        st.sampled_from([*KEYS, "EVT_LU_Connected"]),
    )
    | JSON
)
META = st.builds(
    lambda before, message, after: before | {"message": message} | after,
    st.dictionaries(NAMES, JSON, max_size=2),
    MESSAGE,
    st.fixed_dictionaries({}, optional={"rc": st.just("ok") | st.just("error"), "mac": TEXT}),
)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Generate envelopes with their members in any order, mixed with others."""
    members = [
        ("meta", draw(META | JSON)),
        ("data", draw(st.lists(ENTRY, max_size=4) | ENTRY)),
        *draw(st.dictionaries(NAMES, JSON, max_size=2)).items(),
    ]
    return dict(draw(st.permutations(members)))


WRITERS = st.sampled_from(
    [
        lambda document: json.dumps(document, separators=(",", ":")),
        lambda document: json.dumps(document, separators=(",", ":"), ensure_ascii=False),
        json.dumps,
        lambda document: json.dumps(document, indent=1),
    ]
)


@settings(max_examples=300, deadline=None)
@given(documents(), WRITERS)
def test_parser_finds_the_same_events_as_full_parsing(
    document: dict[str, Any], write: Callable[[object], str]
) -> None:
    text = write(document)
    assert found(text) == reference(text)
    raw = text.encode("utf-8", "surrogatepass")
    assert found(raw) == reference(raw)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(
        [
            frame("events", ROAM),
            frame("sta:sync", STATION, meta_last=True),
            frame("device:sync", STATION, meta_last=True),
            frame("device:sync", STATION),
        ]
    ),
    st.data(),
)
def test_parser_finds_the_same_events_in_spliced_frames(text: str, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(0, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 20)))
        text = text[:start] + data.draw(LURES | DAMAGE | st.text(max_size=4)) + text[end:]
    assert found(text) == reference(text)


@settings(max_examples=200, deadline=None)
@given(st.binary() | st.text())
@example("\ud800")
def test_parser_raises_for_no_input(raw: str | bytes) -> None:
    assert found(raw) == reference(raw)
