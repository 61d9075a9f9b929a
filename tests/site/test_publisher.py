"""The payload of events on the bus."""

from copy import replace

import pytest

from custom_components.unifi_scanner.api.records import EventKind
from custom_components.unifi_scanner.site.publisher import EVENT_TYPES, Location, event_data
from tests.samples import ROAM

# The documented payload, in its order.
KEYS = [
    "entry_id",
    "site",
    "client_mac",
    "client_name",
    "device_id",
    "ssid",
    "guest",
    "ap_from_mac",
    "ap_from_name",
    "ap_to_mac",
    "ap_to_name",
    "area_from",
    "area_to",
    "band_from",
    "band_to",
    "channel_from",
    "channel_to",
    "signal",
    "time",
    "source",
    "inferred",
    "roam_gap",
    "late",
]
HALL = Location(mac="78:45:58:00:00:01", name="Hall", area="downstairs")
KITCHEN = Location(mac="78:45:58:00:00:02", name="Kitchen", area=None)


def test_event_data_of_a_roam_has_both_ends() -> None:
    data = event_data(
        ROAM, entry_id="1", site="default", device_id="d", origin=HALL, destination=KITCHEN
    )
    assert list(data) == KEYS
    assert data == {
        "entry_id": "1",
        "site": "default",
        "client_mac": "02:00:00:00:00:0a",
        "client_name": "Anna",
        "device_id": "d",
        "ssid": "Home",
        "guest": False,
        "ap_from_mac": "78:45:58:00:00:01",
        "ap_from_name": "Hall",
        "ap_to_mac": "78:45:58:00:00:02",
        "ap_to_name": "Kitchen",
        "area_from": "downstairs",
        "area_to": None,
        "band_from": "2.4",
        "band_to": "6",
        "channel_from": 1,
        "channel_to": 37,
        "signal": -61,
        "time": "2025-11-22T08:26:40.250000+00:00",
        "source": "sync",
        "inferred": True,
        "roam_gap": 0.75,
        "late": False,
    }


@pytest.mark.parametrize(
    ("kind", "origin", "destination"),
    [(EventKind.CONNECTED, Location(), KITCHEN), (EventKind.DISCONNECTED, HALL, Location())],
)
def test_event_data_has_every_key_and_none_for_unknown_values(
    kind: EventKind, origin: Location, destination: Location
) -> None:
    event = replace(
        ROAM,
        kind=kind,
        link_from=ROAM.link_from if origin.mac else None,
        link_to=ROAM.link_to if destination.mac else None,
    )
    data = event_data(
        event,
        entry_id="1",
        site="default",
        device_id=None,
        origin=origin,
        destination=destination,
    )
    assert list(data) == KEYS
    assert (data["ap_from_mac"], data["ap_from_name"]) == (origin.mac, origin.name)
    assert (data["ap_to_mac"], data["ap_to_name"]) == (destination.mac, destination.name)
    assert data["device_id"] is None


def test_event_data_of_a_late_event_says_so() -> None:
    data = event_data(
        replace(ROAM, late=True),
        entry_id="1",
        site="default",
        device_id=None,
        origin=HALL,
        destination=KITCHEN,
    )
    assert data["late"] is True


def test_event_types_start_with_the_domain() -> None:
    assert set(EVENT_TYPES.values()) == {
        "unifi_scanner_roam",
        "unifi_scanner_roam_radio",
        "unifi_scanner_connected",
        "unifi_scanner_disconnected",
    }
