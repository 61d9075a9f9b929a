"""Convert untrusted JSON values of any type to valid Python values, or None."""

from functools import lru_cache
from math import isfinite
import re
from typing import Literal
from unicodedata import category

type Band = Literal["2.4", "5", "6"]

# The controller's radio codes (docs/protocol.md 3.3).
BANDS: dict[str, Band] = {"ng": "2.4", "na": "5", "6e": "6"}

_LOG_BANDS: dict[str, Band] = {band: band for band in BANDS.values()}

# Larger timestamps are in milliseconds: in seconds they would be beyond the year 5000.
_MILLISECONDS_FROM = 1e11
_YEAR_2100 = 4_102_444_800.0
_MAC = re.compile(r"(?:[0-9a-f]{2}[:-]?){5}[0-9a-f]{2}")
_INVALID_MACS = frozenset({"00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"})
# The longest state that Home Assistant accepts; longer than any real name.
_TEXT_LIMIT = 255
_NUMBER_LIMIT = 32
_MAC_LENGTHS = range(12, 20)
# Unicode categories of characters that cannot be seen but change what is shown around them: control
# characters, formatting characters (bidirectional and zero-width ones among them), surrogates, and
# line and paragraph separators.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_BOOLEANS = {True: True, False: False, "true": True, "false": False, "1": True, "0": False}


@lru_cache(maxsize=8192)
def _canonical_mac(value: str) -> str | None:
    lowered = value.strip().lower()
    if not _MAC.fullmatch(lowered):
        return None
    digits = lowered.replace(":", "").replace("-", "")
    mac = ":".join(digits[i : i + 2] for i in range(0, 12, 2))
    return None if mac in _INVALID_MACS else mac


def normalise_mac(value: object) -> str | None:
    """Return a MAC as `aa:bb:cc:dd:ee:ff`, None if it is malformed, masked, zero or broadcast."""
    if not isinstance(value, str) or len(value) not in _MAC_LENGTHS:
        return None
    return _canonical_mac(value)


def as_ssid(value: object) -> str | None:
    """Return an SSID without invisible characters; None for a hidden network (empty name).

    Whitespace is kept, because networks may differ in it alone.
    """
    return _visible(value[:_TEXT_LIMIT]) or None if isinstance(value, str) else None


def as_text(value: object) -> str | None:
    """Return a string without invisible characters, stripped and limited to 255 characters.

    None if it is empty.
    """
    if not isinstance(value, str):
        return None
    return _visible(value[: _TEXT_LIMIT * 2]).strip()[:_TEXT_LIMIT].rstrip() or None


def _visible(text: str) -> str:
    # Most texts are printable. Spaces other than U+0020 and unassigned characters stay, too.
    if text.isprintable():
        return text
    return "".join(character for character in text if category(character) not in _INVISIBLE)


def as_boolean(value: object) -> bool | None:
    """Return a boolean, also from 0, 1, "true" or "false", else None."""
    if isinstance(value, str) and len(value) <= _NUMBER_LIMIT:
        value = value.strip().lower()
    return _BOOLEANS.get(value) if isinstance(value, bool | int | float | str) else None


def as_band(value: object) -> Band | None:
    """Return the band of a radio code such as "na"."""
    return BANDS.get(value) if isinstance(value, str) else None


def as_log_band(value: object) -> Band | None:
    """Return the band of a text such as "5 GHz", or of a radio code."""
    if not isinstance(value, str):
        return None
    name = value.lower().removesuffix("ghz").strip()
    return _LOG_BANDS.get(name) or BANDS.get(name)


def as_number(value: object) -> float | None:
    """Return a finite number, also from a numeric string, else None."""
    # Compare types exactly: bool is a subclass of int.
    if type(value) is int or type(value) is float:
        numeric: float | str = value
    elif isinstance(value, str) and len(value) <= _NUMBER_LIMIT:
        numeric = value
    else:
        return None
    try:
        number = float(numeric)
    except ValueError, OverflowError:
        return None
    return number if isfinite(number) else None


def as_integer(value: object, low: int, high: int) -> int | None:
    """Return a number within bounds as an int, also from a numeric string, else None."""
    number = value if type(value) is int else as_number(value)
    return int(number) if number is not None and low <= number <= high else None


def as_time(value: object) -> float | None:
    """Return a timestamp in seconds or milliseconds as POSIX seconds, else None."""
    number = as_number(value)
    if number is None:
        return None
    seconds = number / 1000 if number > _MILLISECONDS_FROM else number
    return seconds if 0 < seconds < _YEAR_2100 else None
