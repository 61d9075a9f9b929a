"""Parse the controller's JSON into typed records; no other module reads its field names."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from .frames import SYNC_TYPES, BufferedEvent
from .memoize import Memoize
from .parsing import (
    Band,
    as_band,
    as_boolean,
    as_integer,
    as_log_band,
    as_ssid,
    as_text,
    as_time,
    normalise_mac,
)

__all__ = [
    "Band",
    "DeviceRecord",
    "EventKind",
    "EventRecord",
    "KnownClient",
    "Link",
    "Observation",
    "Site",
    "StationRecord",
    "SystemInfo",
    "is_wanted",
    "normalise_mac",
    "observation_from",
    "parse_device",
    "parse_known_client",
    "parse_log_row",
    "parse_site",
    "parse_station",
    "parse_system_info",
    "with_link",
]


class EventKind(StrEnum):
    """What happened to a WiFi client."""

    ROAM = "roam"
    ROAM_RADIO = "roam_radio"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A site of the controller; `name` is the short name used in URLs."""

    name: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemInfo:
    """Identity of the controller; `controller_id` is independent of its address."""

    controller_id: str | None
    name: str | None
    version: str | None
    model: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRecord:
    """An adopted UniFi device, from `stat/device-basic` (docs/protocol.md 5)."""

    mac: str
    name: str | None
    model: str | None
    type: str | None


class Link(NamedTuple):
    """A client's association: access point, band, channel and SSID."""

    ap_mac: str
    band: Band | None = None
    channel: int | None = None
    ssid: str | None = None


class StationRecord(NamedTuple):
    """A connected client, from `stat/sta`, `sta:sync` or `client:sync` (docs/protocol.md 3.3, 3.4).

    Times are POSIX seconds: `received` on our clock, all others on the controller's.
    `signal` is in dBm; the controller's `rssi` is not in dBm and is never read.
    """

    mac: str
    received: float
    is_wired: bool
    guest: bool
    link: Link | None
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
class KnownClient:
    """A client that has ever connected to a site, from `rest/user` (docs/protocol.md 5)."""

    mac: str
    alias: str | None
    hostname: str | None
    is_wired: bool


class EventRecord(NamedTuple):
    """An `EVT_WU_*` or `EVT_WG_*` event or a row of the system log (docs/protocol.md 3.2, 4).

    `link_from` is None for a connection, `link_to` for a disconnection; a change of radio has the
    same access point in both. `time` is POSIX seconds on the controller's clock, `received` on
    ours. Only rows of the system log (`logged`) have the new link's `signal`, in dBm.
    """

    kind: EventKind
    mac: str
    received: float
    time: float | None
    guest: bool
    link_from: Link | None
    link_to: Link | None
    hostname: str | None
    signal: int | None = None
    logged: bool = False

    @property
    def ap_from(self) -> str | None:
        """MAC of the access point that the client left."""
        return None if self.link_from is None else self.link_from.ap_mac

    @property
    def ap_to(self) -> str | None:
        """MAC of the access point that the client moved to."""
        return None if self.link_to is None else self.link_to.ap_mac


type Observation = StationRecord | EventRecord

_EVENT_KINDS: dict[str, tuple[EventKind, bool]] = {
    f"{prefix}.{kind.value}": (kind, prefix == "wg")
    for prefix in ("wu", "wg")
    for kind in EventKind
}
# Keys of v2 system log rows; Network 10 appends "_2" to them.
_LOG_KINDS: dict[str, EventKind] = {
    "CLIENT_ROAMED": EventKind.ROAM,
    "CLIENT_CONNECTED_WIRELESS": EventKind.CONNECTED,
    "CLIENT_DISCONNECTED_WIRELESS": EventKind.DISCONNECTED,
}


def is_wanted(event: BufferedEvent, clients: Container[str]) -> bool:
    """Return whether this is an event of any client, or a record of one of these clients."""
    return event.event_type not in SYNC_TYPES or normalise_mac(event.data.get("mac")) in clients


def observation_from(event: BufferedEvent) -> Observation | None:
    """Parse a buffered event, None if it is unusable or not about a client."""
    received = event.timestamp.timestamp()
    if event.event_type in SYNC_TYPES:
        return parse_station(event.data, received)
    if (event_kind := _EVENT_KINDS.get(event.event_type)) is None:
        return None
    kind, guest = event_kind
    return _parse_event(event.data, kind, received, guest=guest)


class _StationTexts(NamedTuple):
    """The parsed text fields of a client record."""

    mac: str
    is_wired: bool
    ap_mac: str | None
    ssid: str | None
    band: Band | None
    alias: str | None
    hostname: str | None
    ip: str | None


_STATION_TEXTS = (
    "mac",
    "type",
    "ap_mac",
    "essid",
    "radio",
    "name",
    "display_name",
    "hostname",
    "ip",
)


# What each link of a multi-link client has of its own.
_LINK_FIELDS = ("ap_mac", "essid", "radio", "channel", "signal")


@Memoize
def _station_texts(values: tuple[Any, ...]) -> _StationTexts | None:
    mac, kind, ap_mac, ssid, radio, name, display_name, hostname, ip = values
    client = normalise_mac(mac)
    if client is None or kind in ("VPN", "TELEPORT"):
        return None
    return _StationTexts(
        mac=client,
        is_wired=kind == "WIRED",
        ap_mac=normalise_mac(ap_mac),
        ssid=as_ssid(ssid),
        band=as_band(radio),
        alias=as_text(name) or as_text(display_name),
        hostname=as_text(hostname),
        ip=as_text(ip),
    )


def with_link(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a client record with the first fitting link of its list, if it lacks its own.

    That is the first that names an access point, or, if the record names one itself, the first with
    a radio that does not name another (docs/protocol.md 3.3).
    """
    if not isinstance(links := data.get("mlo_details"), list):
        return data
    ap_mac = normalise_mac(data.get("ap_mac"))
    if ap_mac is not None and as_band(data.get("radio")) is not None:
        return data
    for link in links:
        if not isinstance(link, dict):
            continue
        link_ap = normalise_mac(link.get("ap_mac"))
        if ap_mac is None:
            fits = link_ap is not None
        else:
            fits = link_ap in {None, ap_mac} and as_band(link.get("radio")) is not None
        if fits:
            own = {key: link[key] for key in _LINK_FIELDS if link.get(key) is not None}
            return {**data, **own, "is_mlo": True}
    return data


def parse_station(data: Mapping[str, Any], received: float) -> StationRecord | None:
    """Parse a client record, None without a valid MAC or for a tunnel (VPN, Teleport)."""
    get = with_link(data).get
    if (texts := _station_texts((*map(get, _STATION_TEXTS),))) is None:
        return None
    mac, is_wired, ap_mac, ssid, band, alias, hostname, ip = texts
    return StationRecord(
        mac=mac,
        received=received,
        is_wired=is_wired or as_boolean(get("is_wired")) is True,
        guest=as_boolean(get("is_guest")) is True,
        link=None
        if ap_mac is None
        else Link(ap_mac, band, as_integer(get("channel"), 1, 300), ssid),
        signal=as_integer(get("signal"), -150, -1),
        seen_at=as_time(get("last_seen")),
        connected_since=as_time(get("assoc_time")),
        associated_at=as_time(get("latest_assoc_time")),
        roam_count=as_integer(get("roam_count"), 0, 2**53),
        alias=alias,
        hostname=hostname,
        ip=ip,
        is_mlo=as_boolean(get("is_mlo")) is True,
    )


def _parse_event(
    data: Mapping[str, Any], kind: EventKind, received: float, *, guest: bool
) -> EventRecord | None:
    get = data.get
    # The MAC is in `user` or `guest`, depending on the event; alias frames may use `mac`.
    mac = normalise_mac(get("guest" if guest else "user")) or normalise_mac(get("mac"))
    if mac is None:
        return None
    ap = normalise_mac(get("ap"))
    ssid = as_ssid(get("ssid"))
    radio = as_band(get("radio")), as_integer(get("channel"), 1, 300)
    radio_from = as_band(get("radio_from")), as_integer(get("channel_from"), 1, 300)
    radio_to = (
        as_band(get("radio_to")) or radio[0],
        as_integer(get("channel_to"), 1, 300) or radio[1],
    )
    match kind:
        case EventKind.ROAM:
            link_from = _link(normalise_mac(get("ap_from")), radio_from, ssid)
            link_to = _link(normalise_mac(get("ap_to")), radio_to, ssid)
        case EventKind.ROAM_RADIO:
            link_from, link_to = _link(ap, radio_from, ssid), _link(ap, radio_to, ssid)
        case EventKind.CONNECTED:
            link_from, link_to = None, _link(ap, radio_to, ssid)
        case EventKind.DISCONNECTED:
            link_from, link_to = _link(ap, radio, ssid), None
    return EventRecord(
        kind=kind,
        mac=mac,
        received=received,
        time=as_time(get("time")),
        guest=guest,
        link_from=link_from,
        link_to=link_to,
        hostname=as_text(get("hostname")),
    )


def _link(
    ap_mac: str | None, radio: tuple[Band | None, int | None], ssid: str | None
) -> Link | None:
    return None if ap_mac is None else Link(ap_mac, *radio, ssid)


def parse_log_row(row: Mapping[str, Any], received: float) -> EventRecord | None:
    """Parse a v2 system log row, None if not about a wireless client (docs/protocol.md 4)."""
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
    # Some builds use other names (docs/protocol.md 4).
    device = normalise_mac(get("DEVICE", "id")) or normalise_mac(get("AP", "id"))
    ap_from, ap_to = normalise_mac(get("DEVICE_FROM", "id")), normalise_mac(get("DEVICE_TO", "id"))
    ssid = as_ssid(get("WLAN")) or as_ssid(get("SSID"))
    radio = as_log_band(get("RADIO_BAND")), as_integer(get("CHANNEL"), 1, 300)
    radio_from = (
        as_log_band(get("PREVIOUS_RADIO_BAND")),
        as_integer(get("PREVIOUS_CHANNEL"), 1, 300),
    )
    disconnected = kind is EventKind.DISCONNECTED
    return EventRecord(
        kind=kind,
        mac=mac,
        received=received,
        time=as_time(row.get("timestamp")),
        guest=False,
        link_from=_link(ap_from or device, radio, ssid)
        if disconnected
        else _link(ap_from, radio_from, ssid),
        link_to=None if disconnected else _link(ap_to or device, radio, ssid),
        hostname=as_text(get("CLIENT")) or as_text(get("CLIENT", "hostname")),
        signal=as_integer(get("SIGNAL_STRENGTH"), -150, -1),
        logged=True,
    )


def parse_site(data: Mapping[str, Any]) -> Site | None:
    """Parse a site of `/api/self/sites`, None without a name."""
    name = as_text(data.get("name"))
    if name is None:
        return None
    return Site(
        name=name,
        description=as_text(data.get("desc")) or name,
    )


def parse_device(data: Mapping[str, Any]) -> DeviceRecord | None:
    """Parse a device of `stat/device-basic`, None without a valid MAC or if not adopted."""
    mac = normalise_mac(data.get("mac"))
    if mac is None or as_boolean(data.get("adopted")) is False:
        return None
    return DeviceRecord(
        mac=mac,
        name=as_text(data.get("name")),
        model=as_text(data.get("model")),
        type=as_text(data.get("type")),
    )


def parse_known_client(data: Mapping[str, Any]) -> KnownClient | None:
    """Parse a client of `rest/user`, None without a valid MAC."""
    mac = normalise_mac(data.get("mac"))
    if mac is None:
        return None
    return KnownClient(
        mac=mac,
        alias=as_text(data.get("name")),
        hostname=as_text(data.get("hostname")),
        is_wired=as_boolean(data.get("is_wired")) is True,
    )


def parse_system_info(data: Mapping[str, Any]) -> SystemInfo:
    """Parse `data[0]` of `stat/sysinfo`."""
    return SystemInfo(
        controller_id=as_text(data.get("anonymous_controller_id")),
        name=as_text(data.get("name")) or as_text(data.get("hostname")),
        version=as_text(data.get("version")),
        model=as_text(data.get("ubnt_device_type")),
    )
