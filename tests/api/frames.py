"""Builders of frames in the format that controllers send (docs/protocol.md 3)."""

import json
from pathlib import Path
from typing import Any

CAPTURES = Path(__file__).parents[3] / "shared" / "captures"

# What controllers have sent within names: bytes that are not UTF-8, the beginning of a longer
# character, half of a surrogate pair, and characters that JSON does not allow unescaped.
DAMAGE = {
    "Latin-1": b"\xfb",
    "cut character": b"\xf0\x9f\x93",
    "raw surrogate": b"\xed\xa0\x80",
    "escaped high surrogate": rb"\ud83d",
    "escaped low surrogate": rb"\udcf1",
    "two high surrogates": rb"\ud83d\ud83d",
    "surrogate after a backslash": rb"\\\ud83d",
    "control character": b"\x01",
    "NUL": b"\0",
    "line feed": b"\n",
    "escaped line feed": b"\\\n",
    "unknown escape": rb"\x41",
}

ROAM = {
    "user": "02:00:00:00:00:01",
    "ap_from": "02:aa:00:00:00:01",
    "ap_to": "02:aa:00:00:00:02",
    "radio_from": "ng",
    "radio_to": "na",
    "channel_from": "6",
    "channel_to": "36",
    "ssid": "Home",
    "key": "EVT_WU_Roam",
    "subsystem": "wlan",
    "time": 1_700_000_000_123,
    "msg": 'User[..] roams from AP[..] to AP[..] on "Home"',
}
STATION = {
    "mac": "02:00:00:00:00:01",
    "ap_mac": "02:aa:00:00:00:02",
    "essid": "Home",
    "radio": "na",
    "channel": 36,
    "signal": -58,
    "bytes-r": 27.5,
    "satisfaction_avg": {"total": 184, "count": 2},
}


def envelope(message: str, *data: Any, meta_last: bool = False, **meta: Any) -> dict[str, Any]:
    """Return an envelope with these records, with `meta` first or last."""
    head = {"meta": {"rc": "ok", "message": message, **meta}}
    body = {"data": list(data)}
    return body | head if meta_last else head | body


def frame(message: str, *data: Any, meta_last: bool = False, **meta: Any) -> str:
    """Return an envelope as compact JSON, as controllers send it."""
    return json.dumps(envelope(message, *data, meta_last=meta_last, **meta), separators=(",", ":"))
