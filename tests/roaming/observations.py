"""Builders of observations as the API layer parses them, with sensible defaults."""

from typing import Any

from custom_components.unifi_scanner.api.records import EventKind, EventRecord, Link, StationRecord

PHONE = "aa:00:00:00:00:01"
HALL = "f0:00:00:00:00:0a"
BEDROOM = "f0:00:00:00:00:0b"
OFFICE = "f0:00:00:00:00:0c"


def event(kind: EventKind, time: float | None, **fields: Any) -> EventRecord:
    """Return an event of the phone, by default received when it happened."""
    values: dict[str, Any] = {
        "mac": PHONE,
        "received": time,
        "guest": False,
        "ssid": "Home",
        "hostname": None,
    } | fields
    ssid = values.pop("ssid")
    links = {
        f"link_{end}": link_of(
            values.pop(f"ap_{end}", None),
            band=values.pop(f"band_{end}", None),
            channel=values.pop(f"channel_{end}", None),
            ssid=ssid,
        )
        for end in ("from", "to")
    }
    return EventRecord(kind=kind, time=time, **links, **values)


def link_of(ap_mac: str | None, **fields: Any) -> Link | None:
    """Return a link to an access point, or None if there is none."""
    return None if ap_mac is None else Link(ap_mac, **fields)


def roam(time: float | None, ap_from: str, ap_to: str, **fields: Any) -> EventRecord:
    """Return an EVT_WU_Roam."""
    return event(EventKind.ROAM, time, ap_from=ap_from, ap_to=ap_to, **fields)


def connected(time: float | None, ap: str, **fields: Any) -> EventRecord:
    """Return an EVT_WU_Connected."""
    return event(EventKind.CONNECTED, time, ap_to=ap, **fields)


def disconnected(time: float | None, ap: str, **fields: Any) -> EventRecord:
    """Return an EVT_WU_Disconnected."""
    return event(EventKind.DISCONNECTED, time, ap_from=ap, **fields)


def roam_radio(time: float | None, ap: str, band: str, channel: int, **fields: Any) -> EventRecord:
    """Return an EVT_WU_RoamRadio."""
    return event(
        EventKind.ROAM_RADIO,
        time,
        **{"ap_from": ap, "ap_to": ap, "band_to": band, "channel_to": channel, "ssid": None}
        | fields,
    )


def station(time: float | None, ap: str | None, **fields: Any) -> StationRecord:
    """Return a client record of the phone, last seen at `time`."""
    values: dict[str, Any] = {
        "mac": PHONE,
        "received": time,
        "is_wired": False,
        "guest": False,
        "signal": -60,
        "seen_at": time,
        "connected_since": None,
        "associated_at": None,
        "roam_count": None,
        "alias": "Anna's phone",
        "hostname": "iPhone",
        "ip": "10.0.0.20",
        "is_mlo": False,
    } | fields
    radio = {"band": "5", "channel": 36, "ssid": "Home"}
    link = link_of(ap, **{name: values.pop(name, default) for name, default in radio.items()})
    return StationRecord(link=link, **values)
