"""Random mutations of frames: of values, fields, order and bytes."""

from collections.abc import Callable, MutableMapping
from copy import deepcopy
from random import Random
import re
from typing import Any

import orjson

from tests.controller.models import Json

ODD_VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1.5,
    10**10,
    2**63,
    1e300,
    "",
    " ",
    "\x00",
    "36",
    "-58",
    "true",
    "false",
    "1",
    "NaN",
    "1e999",
    "9" * 40,
    "ng",
    "na",
    "ok",
    "error",
    "EVT_WU_Roam",
    "EVT_WU_Unknown",
    "sta:sync",
    "WIRED",
    "VPN",
    "00:00:00:00:00:00",
    "ff:ff:ff:ff:ff:ff",
    "xx:xx:xx:xx:xx:xx",
    "02-AA-00-00-00-01",
    "02aa00000001",
    "\U0001f4f6" * 5,
    "\u202ename\u2066\u200b\x1b[0m\ufeff",
    "\u200b" * 300,
    "x y " * 64,
    '","meta":{"rc":"ok","message":"sta:sync"}}',
    "x" * 3000,
    [],
    {},
    [[]],
    [{}],
    {"name": {"name": None}},
)
# Put within a text; all but the last make the JSON invalid.
DAMAGE = (
    b"\xfb",
    b"\xf0\x9f\x93",
    b"\xed\xa0\x80",
    rb"\ud83d",
    rb"\udcf1",
    b"\x01",
    b"\n",
    rb"\u0000",
)
LINK_FIELDS = ("ap_mac", "radio", "channel", "signal")
LURES = (b'"', b"\\", b"{", b"}", b"[", b'"meta":{"message":"events"}', b"\xff\xfe", b"\x00", b",")
NAMES = re.compile(rb'"(?:hostname|name|essid|ssid)": ?"[^"\\]*"')
TEXTS = re.compile(rb'"[^"\\]*"')
HOUR = 3600
MAX_DIGITS = 18
MAC_LENGTH = 17


class Mutations:
    """Mutates frames, records and log rows; repeatable for a given random generator."""

    def __init__(self, random: Random, macs: list[str]) -> None:
        """Use the known `macs` of access points and clients when replacing a MAC."""
        self._random = random
        self._macs = macs
        self._operations: tuple[Callable[[MutableMapping[str, Any], str], None], ...] = (
            self._make_odd,
            self._make_odd,
            self._drop,
            self._copy,
            self._wrap,
            self._shift,
            self._replace_mac,
            self._replace_mac,
            self._move_link,
        )

    def record(self, record: MutableMapping[str, Any], max_changes: int = 3) -> None:
        """Change up to `max_changes` fields of a record, at any depth."""
        for _ in range(self._random.randint(1, max_changes)):
            parent = record
            key = self._key(parent)
            while key is not None and isinstance(parent[key], dict) and self._random.random() < 0.8:
                parent = parent[key]
                key = self._key(parent)
            if key is not None:
                self._random.choice(self._operations)(parent, key)

    def frame(self, frame: Json) -> None:
        """Change a frame: usually fields of its entries, sometimes its structure."""
        where = self._random.random()
        data = frame.get("data")
        if where < 0.75 and isinstance(data, list) and data:
            entry = self._random.choice(data)
            if isinstance(entry, dict):
                self.record(entry)
        elif where < 0.85 and isinstance(frame.get("meta"), dict):
            self.record(frame["meta"], 2)
        elif where < 0.92 and isinstance(data, list) and data:
            odd = deepcopy(self._random.choice((*ODD_VALUES, data[0])))
            data.insert(self._random.randrange(len(data) + 1), odd)
            self._random.shuffle(data)
        else:
            self.record(frame, 1)

    def serialize(self, frame: Json) -> bytes:
        """Serialize a frame, sometimes with `meta` last or with whitespace."""
        way = self._random.random()
        if way < 0.2 and "meta" in frame:
            frame["meta"] = frame.pop("meta")
        return orjson.dumps(frame, option=orjson.OPT_INDENT_2 if way > 0.95 else None)

    def bytes(self, raw: bytes) -> bytes:
        """Cut, splice or corrupt a serialized frame."""
        for _ in range(self._random.randint(1, 3)):
            start = self._random.randint(0, len(raw))
            end = min(len(raw), start + self._random.randint(0, 12))
            inserted = self._random.choice((b"", raw[:start], *LURES)) if len(raw) < 20_000 else b""
            raw = raw[:start] + inserted + raw[end if self._random.random() < 0.7 else len(raw) :]
        return raw

    def damage_text(self, raw: bytes) -> bytes:
        """Damage a text of a serialized frame, usually a name."""
        texts = [*NAMES.finditer(raw)] or [*TEXTS.finditer(raw)]
        if not texts:
            return raw
        end = self._random.choice(texts).end() - 1
        return raw[:end] + self._random.choice(DAMAGE) + raw[end:]

    def _key(self, parent: MutableMapping[str, Any]) -> str | None:
        return self._random.choice(list(parent)) if parent else None

    def _make_odd(self, parent: MutableMapping[str, Any], key: str) -> None:
        parent[key] = deepcopy(self._random.choice(ODD_VALUES))

    def _drop(self, parent: MutableMapping[str, Any], key: str) -> None:
        del parent[key]

    def _copy(self, parent: MutableMapping[str, Any], key: str) -> None:
        parent[key] = deepcopy(parent[self._key(parent) or key])

    def _wrap(self, parent: MutableMapping[str, Any], key: str) -> None:
        value = parent[key]
        parent[key] = self._random.choice(([value], {"id": value}, str(value)[:100]))

    def _shift(self, parent: MutableMapping[str, Any], key: str) -> None:
        """Shift a number, preferably a timestamp, as those matter most."""
        times = [name for name in parent if "time" in name or "seen" in name]
        if times:
            key = self._random.choice(times)
        value = parent[key]
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            by = self._random.choice((-HOUR, HOUR, -20, 20, 1, -1, 86_400 * 400, 1e12))
            shifted = self._random.choice((value + by, value * 1000, value // 1000, str(value)))
            # orjson serializes only 64-bit integers.
            parent[key] = shifted if len(str(shifted)) < MAX_DIGITS else str(shifted)

    def _move_link(self, parent: MutableMapping[str, Any], key: str) -> None:
        """Move some or all fields of a record's link to a list of links (MLO)."""
        moved = {name: parent[name] for name in LINK_FIELDS if name in parent}
        odd = deepcopy(parent[key])
        parent["mlo_details"] = self._random.choice(([moved], [odd, moved], [moved, odd], odd))
        for name in self._random.sample([*moved], self._random.randint(0, len(moved))):
            del parent[name]

    def _replace_mac(self, parent: MutableMapping[str, Any], key: str) -> None:
        """Replace a MAC with another known one or an unknown one."""
        keys = [
            name
            for name, value in parent.items()
            if isinstance(value, str) and len(value) == MAC_LENGTH and value[2] == ":"
        ]
        if keys:
            key = self._random.choice(keys)
        known = self._random.choice(self._macs)
        new = f"02{self._random.getrandbits(40):010x}"
        new = ":".join(new[start : start + 2] for start in range(0, 12, 2))
        parent[key] = self._random.choice((known, known.upper(), known.replace(":", "-"), new, new))
