"""The controller's JSON as typed observations: the only place that knows its field names."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from math import isfinite
import re
from typing import Any, Literal

from .events import BufferedEvent

type Band = Literal["2.4", "5", "6"]

# The controller's radio codes (protocol.md 3.3).
BANDS: dict[str, Band] = {"ng": "2.4", "na": "5", "6e": "6"}

_LOG_BANDS: dict[str, Band] = {band: band for band in BANDS.values()}

# Above this a timestamp can only be milliseconds: as seconds it would lie beyond the year 5000.
_MILLISECONDS_FROM = 1e11
_YEAR_2100 = 4_102_444_800.0
_MAC = re.compile(r"(?:[0-9a-f]{2}[:-]?){5}[0-9a-f]{2}")
_NO_MACS = frozenset({"00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"})
# Home Assistant keeps no state longer than this, and no name needs more.
_TEXT_LIMIT = 255
_NUMBER_LIMIT = 32
_MAC_LENGTHS = range(12, 20)


class EventKind(StrEnum):
    """What happened to a WiFi client."""

    ROAM = "roam"
    ROAM_RADIO = "roam_radio"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One site of the controller; `name` is the short name that stands in URLs."""

    id: str
    name: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemInfo:
    """Who the controller is; `controller_id` stays when its address changes."""

    controller_id: str | None
    name: str | None
    version: str | None
    model: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRecord:
    """An adopted UniFi device, from `stat/device-basic` (protocol.md 5)."""

    mac: str
    name: str | None
    model: str | None
    type: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StationRecord:
    """A client as `stat/sta`, `sta:sync` and `client:sync` describe it (protocol.md 3.3, 3.4).

    Times are POSIX seconds: `received` by our clock, all others by the controller's.
    `signal` is in dBm; the controller's `rssi` is not and is never read.
    """

    mac: str
    received: float
    is_wired: bool
    guest: bool
    ap_mac: str | None
    bssid: str | None
    ssid: str | None
    band: Band | None
    channel: int | None
    signal: int | None
    seen_at: float | None
    connected_since: float | None
    associated_at: float | None
    roam_count: int | None
    alias: str | None
    hostname: str | None
    ip: str | None
    is_mlo: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecord:
    """What an `EVT_WU_*` or `EVT_WG_*` entry or a system log's row tells (protocol.md 3.2, 4).

    A connection has no `ap_from`, a disconnection no `ap_to`; a change of radio has the same access
    point at both. `time` is POSIX seconds by the controller's clock, `received` by ours. Only a
    row of the system log (`logged`) knows the new link's `signal`, in dBm.
    """

    kind: EventKind
    mac: str
    received: float
    time: float | None
    guest: bool
    ssid: str | None
    ap_from: str | None
    ap_to: str | None
    ap_name: str | None
    band_from: Band | None
    band_to: Band | None
    channel_from: int | None
    channel_to: int | None
    hostname: str | None
    signal: int | None = None
    logged: bool = False


type Observation = StationRecord | EventRecord

_EVENT_KINDS: dict[str, tuple[EventKind, bool]] = {
    f"{prefix}.{kind.value}": (kind, prefix == "wg")
    for prefix in ("wu", "wg")
    for kind in EventKind
}
# Rows of the v2 system log, as their keys are called from Network 10 on without the final "_2".
_LOG_KINDS: dict[str, EventKind] = {
    "CLIENT_ROAMED": EventKind.ROAM,
    "CLIENT_CONNECTED_WIRELESS": EventKind.CONNECTED,
    "CLIENT_DISCONNECTED_WIRELESS": EventKind.DISCONNECTED,
}
_SYNC_TYPES = frozenset({"sta:sync", "client:sync"})


def observation_from(event: BufferedEvent) -> Observation | None:
    """Return what a frame's entry tells about a client, None when it tells nothing usable."""
    received = event.timestamp.timestamp()
    if event.event_type in _SYNC_TYPES:
        return parse_station(event.data, received)
    if (known := _EVENT_KINDS.get(event.event_type)) is None:
        return None
    kind, guest = known
    return _parse_event(event.data, kind, received, guest=guest)


def parse_station(data: Mapping[str, Any], received: float) -> StationRecord | None:
    """Return a client record, None without a usable MAC or for a tunnel (VPN, Teleport)."""
    get = data.get
    mac = normalise_mac(get("mac"))
    kind = get("type")
    if mac is None or kind in ("VPN", "TELEPORT"):
        return None
    return StationRecord(
        mac=mac,
        received=received,
        is_wired=get("is_wired") is True or kind == "WIRED",
        guest=get("is_guest") is True,
        ap_mac=normalise_mac(get("ap_mac")),
        bssid=normalise_mac(get("bssid")),
        ssid=_ssid(get("essid")),
        band=_band(get("radio")),
        channel=_integer(get("channel"), 1, 300),
        signal=_integer(get("signal"), -150, -1),
        seen_at=_time(get("last_seen")),
        connected_since=_time(get("assoc_time")),
        associated_at=_time(get("latest_assoc_time")),
        roam_count=_integer(get("roam_count"), 0, 2**53),
        alias=_text(get("name")) or _text(get("display_name")),
        hostname=_text(get("hostname")),
        ip=_text(get("ip")),
        is_mlo=get("is_mlo") is True,
    )


def _parse_event(
    data: Mapping[str, Any], kind: EventKind, received: float, *, guest: bool
) -> EventRecord | None:
    get = data.get
    # The client stands in `user` or `guest` by kind of event, in `mac` only in alias frames.
    mac = normalise_mac(get("guest" if guest else "user")) or normalise_mac(get("mac"))
    if mac is None:
        return None
    ap = normalise_mac(get("ap"))
    ap_from, ap_to = {
        EventKind.ROAM: (normalise_mac(get("ap_from")), normalise_mac(get("ap_to"))),
        EventKind.ROAM_RADIO: (ap, ap),
        EventKind.CONNECTED: (None, ap),
        EventKind.DISCONNECTED: (ap, None),
    }[kind]
    band, channel = _band(get("radio")), _integer(get("channel"), 1, 300)
    return EventRecord(
        kind=kind,
        mac=mac,
        received=received,
        time=_time(get("time")),
        guest=guest,
        ssid=_ssid(get("ssid")),
        ap_from=ap_from,
        ap_to=ap_to,
        ap_name=_text(get("ap_displayName")) or _text(get("ap_name")),
        band_from=_band(get("radio_from")),
        band_to=_band(get("radio_to")) or band,
        channel_from=_integer(get("channel_from"), 1, 300),
        channel_to=_integer(get("channel_to"), 1, 300) or channel,
        hostname=_text(get("hostname")),
    )


def parse_log_row(row: Mapping[str, Any], received: float) -> EventRecord | None:
    """Return what a row of the v2 system log tells of a wireless client, if any (protocol.md 4)."""
    key = row.get("key", row.get("event"))
    kind = _LOG_KINDS.get(key.removesuffix("_2")) if isinstance(key, str) else None
    parameters = row.get("parameters")
    if kind is None or not isinstance(parameters, dict):
        return None

    def get(parameter: str, field: str = "name") -> object:
        value = parameters.get(parameter)
        return value.get(field) if isinstance(value, dict) else None

    mac = normalise_mac(get("CLIENT", "id"))
    if mac is None:
        return None
    device = normalise_mac(get("DEVICE", "id"))
    left, reached = normalise_mac(get("DEVICE_FROM", "id")), normalise_mac(get("DEVICE_TO", "id"))
    band, channel = _log_band(get("RADIO_BAND")), _integer(get("CHANNEL"), 1, 300)
    gone = kind is EventKind.DISCONNECTED
    return EventRecord(
        kind=kind,
        mac=mac,
        received=received,
        time=_time(row.get("timestamp")),
        guest=False,
        ssid=_ssid(get("WLAN")),
        ap_from=left or (device if gone else None),
        ap_to=None if gone else reached or device,
        ap_name=_text(get("DEVICE_TO")) or _text(get("DEVICE")),
        band_from=band if gone else _log_band(get("PREVIOUS_RADIO_BAND")),
        band_to=None if gone else band,
        channel_from=channel if gone else _integer(get("PREVIOUS_CHANNEL"), 1, 300),
        channel_to=None if gone else channel,
        hostname=_text(get("CLIENT")) or _text(get("CLIENT", "hostname")),
        signal=_integer(get("SIGNAL_STRENGTH"), -150, -1),
        logged=True,
    )


def parse_site(data: Mapping[str, Any]) -> Site | None:
    """Return a site of `/api/self/sites`, None when it has no name."""
    name = _text(data.get("name"))
    if name is None:
        return None
    return Site(
        id=_text(data.get("_id")) or name,
        name=name,
        description=_text(data.get("desc")) or name,
    )


def parse_device(data: Mapping[str, Any]) -> DeviceRecord | None:
    """Return a device of `stat/device-basic`, None without a usable MAC or not adopted."""
    mac = normalise_mac(data.get("mac"))
    if mac is None or data.get("adopted") is False:
        return None
    return DeviceRecord(
        mac=mac,
        name=_text(data.get("name")),
        model=_text(data.get("model")),
        type=_text(data.get("type")),
    )


def parse_system_info(data: Mapping[str, Any]) -> SystemInfo:
    """Return `data[0]` of `stat/sysinfo`."""
    return SystemInfo(
        controller_id=_text(data.get("anonymous_controller_id")),
        name=_text(data.get("name")) or _text(data.get("hostname")),
        version=_text(data.get("version")),
        model=_text(data.get("ubnt_device_type")),
    )


@lru_cache(maxsize=8192)
def _canonical_mac(value: str) -> str | None:
    lowered = value.strip().lower()
    if not _MAC.fullmatch(lowered):
        return None
    digits = lowered.replace(":", "").replace("-", "")
    mac = ":".join(digits[i : i + 2] for i in range(0, 12, 2))
    return None if mac in _NO_MACS else mac


def normalise_mac(value: object) -> str | None:
    """Return a MAC as `aa:bb:cc:dd:ee:ff`, None for what is not one (masked, short, zero)."""
    if not isinstance(value, str) or len(value) not in _MAC_LENGTHS:
        return None
    return _canonical_mac(value)


def _ssid(value: object) -> str | None:
    # Blanks belong to an SSID; an empty one is a hidden network whose name is not told.
    return value[:_TEXT_LIMIT] if isinstance(value, str) and value else None


def _text(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    return value[: _TEXT_LIMIT * 2].strip()[:_TEXT_LIMIT] or None


def _band(value: object) -> Band | None:
    return BANDS.get(value) if isinstance(value, str) else None


def _log_band(value: object) -> Band | None:
    """Return the band of a text such as "5 GHz", or of a radio code."""
    if not isinstance(value, str):
        return None
    name = value.lower().removesuffix("ghz").strip()
    return _LOG_BANDS.get(name) or BANDS.get(name)


def _number(value: object) -> float | None:
    if isinstance(value, str) and len(value) <= _NUMBER_LIMIT:
        try:
            value = float(value)
        except ValueError:
            return None
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if isfinite(number) else None


def _integer(value: object, low: int, high: int) -> int | None:
    number = _number(value)
    return int(number) if number is not None and low <= number <= high else None


def _time(value: object) -> float | None:
    number = _number(value)
    if number is None:
        return None
    seconds = number / 1000 if number > _MILLISECONDS_FROM else number
    return seconds if 0 < seconds < _YEAR_2100 else None
