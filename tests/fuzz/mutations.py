"""What can be wrong with a frame: a value, a field, the order, the bytes."""

from collections.abc import Callable, MutableMapping
from copy import deepcopy
from random import Random
from typing import Any

import orjson

from tests.controller.models import Json

ODD: tuple[Any, ...] = (
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
    "NaN",
    "1e999",
    "9" * 40,
    "ng",
    "na",
    "ok",
    "error",
    "EVT_WU_Roam",
    "EVT_WU_Nobody_Knows",
    "sta:sync",
    "WIRED",
    "VPN",
    "00:00:00:00:00:00",
    "ff:ff:ff:ff:ff:ff",
    "xx:xx:xx:xx:xx:xx",
    "02-AA-00-00-00-01",
    "02aa00000001",
    "\U0001f4f6" * 5,
    '","meta":{"rc":"ok","message":"sta:sync"}}',
    "x" * 3000,
    [],
    {},
    [[]],
    [{}],
    {"name": {"name": None}},
)
LURES = (b'"', b"\\", b"{", b"}", b"[", b'"meta":{"message":"events"}', b"\xff\xfe", b"\x00", b",")
HOUR = 3600
MOST_DIGITS = 18
ADDRESS = 17  # characters


class Mutations:
    """Makes something else of frames, records and rows, repeatably."""

    def __init__(self, random: Random, addresses: list[str]) -> None:
        """Use these addresses, of access points and clients, where one is exchanged."""
        self._random = random
        self._addresses = addresses
        self._operations: tuple[Callable[[MutableMapping[str, Any], str], None], ...] = (
            self._make_odd,
            self._make_odd,
            self._drop,
            self._copy,
            self._wrap,
            self._shift,
            self._readdress,
            self._readdress,
        )

    def record(self, record: MutableMapping[str, Any], most: int = 3) -> None:
        """Change up to so many fields of a record, at any depth."""
        for _ in range(self._random.randint(1, most)):
            place = record
            key = self._key(place)
            while key is not None and isinstance(place[key], dict) and self._random.random() < 0.8:
                place = place[key]
                key = self._key(place)
            if key is not None:
                self._random.choice(self._operations)(place, key)

    def frame(self, frame: Json) -> None:
        """Change a frame: mostly fields of its entries, sometimes how it is built."""
        where = self._random.random()
        data = frame.get("data")
        if where < 0.75 and isinstance(data, list) and data:
            entry = self._random.choice(data)
            if isinstance(entry, dict):
                self.record(entry)
        elif where < 0.85 and isinstance(frame.get("meta"), dict):
            self.record(frame["meta"], 2)
        elif where < 0.92 and isinstance(data, list) and data:
            odd = deepcopy(self._random.choice((*ODD, data[0])))
            data.insert(self._random.randrange(len(data) + 1), odd)
            self._random.shuffle(data)
        else:
            self.record(frame, 1)

    def text(self, frame: Json) -> bytes:
        """Write a frame down, now and then with `meta` last or with blanks."""
        way = self._random.random()
        if way < 0.2 and "meta" in frame:
            frame["meta"] = frame.pop("meta")
        return orjson.dumps(frame, option=orjson.OPT_INDENT_2 if way > 0.95 else None)

    def bytes(self, raw: bytes) -> bytes:
        """Cut, splice or spoil what is written."""
        for _ in range(self._random.randint(1, 3)):
            start = self._random.randint(0, len(raw))
            end = min(len(raw), start + self._random.randint(0, 12))
            put = self._random.choice((b"", raw[:start], *LURES)) if len(raw) < 20_000 else b""
            raw = raw[:start] + put + raw[end if self._random.random() < 0.7 else len(raw) :]
        return raw

    def _key(self, place: MutableMapping[str, Any]) -> str | None:
        return self._random.choice(list(place)) if place else None

    def _make_odd(self, place: MutableMapping[str, Any], key: str) -> None:
        place[key] = deepcopy(self._random.choice(ODD))

    def _drop(self, place: MutableMapping[str, Any], key: str) -> None:
        del place[key]

    def _copy(self, place: MutableMapping[str, Any], key: str) -> None:
        place[key] = deepcopy(place[self._key(place) or key])

    def _wrap(self, place: MutableMapping[str, Any], key: str) -> None:
        value = place[key]
        place[key] = self._random.choice(([value], {"id": value}, str(value)[:100]))

    def _shift(self, place: MutableMapping[str, Any], key: str) -> None:
        """Shift a number; the times are what matters, so one of those if there is one."""
        times = [name for name in place if "time" in name or "seen" in name]
        if times:
            key = self._random.choice(times)
        value = place[key]
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            by = self._random.choice((-HOUR, HOUR, -20, 20, 1, -1, 86_400 * 400, 1e12))
            shifted = self._random.choice((value + by, value * 1000, value // 1000, str(value)))
            # JSON knows no bounds, the writer used here does.
            place[key] = shifted if len(str(shifted)) < MOST_DIGITS else str(shifted)

    def _readdress(self, place: MutableMapping[str, Any], key: str) -> None:
        """Put another address in the place of one: a known one, or one nobody has seen."""
        keys = [
            name
            for name, value in place.items()
            if isinstance(value, str) and len(value) == ADDRESS and value[2] == ":"
        ]
        if keys:
            key = self._random.choice(keys)
        known = self._random.choice(self._addresses)
        new = f"02{self._random.getrandbits(40):010x}"
        new = ":".join(new[start : start + 2] for start in range(0, 12, 2))
        place[key] = self._random.choice((known, known.upper(), known.replace(":", "-"), new, new))
