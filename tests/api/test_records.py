"""Tests of parsing the controller's JSON into typed records, including hostile input."""

from datetime import UTC, datetime
import json
from pathlib import Path
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.unifi_scanner.api import BufferedEvent, parse_unifi_events
from custom_components.unifi_scanner.api.records import (
    EventKind,
    EventRecord,
    Link,
    StationRecord,
    is_wanted,
    normalise_mac,
    observation_from,
    parse_device,
    parse_known_client,
    parse_log_row,
    parse_site,
    parse_station,
    parse_system_info,
)

CAPTURES = Path(__file__).parents[3] / "shared" / "captures"
RECEIVED = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
PHONE = "aa:00:00:00:00:01"
HALL = "f0:00:00:00:00:0a"
BEDROOM = "f0:00:00:00:00:0b"


def observe(event_type: str, data: dict[str, Any]) -> EventRecord | StationRecord | None:
    return observation_from(BufferedEvent(timestamp=RECEIVED, event_type=event_type, data=data))


def test_roam_event_has_both_links() -> None:
    record = observe(
        "wu.roam",
        {
            "user": PHONE.upper(),
            "ap_from": HALL.replace(":", "-"),
            "ap_to": BEDROOM,
            "radio_from": "na",
            "radio_to": "ng",
            "radio": "ng",
            "channel_from": "60",
            "channel_to": "11",
            "channel": "11",
            "ssid": "Home",
            "time": 1_790_000_000_230,
        },
    )
    assert isinstance(record, EventRecord)
    assert (record.kind, record.mac, record.ap_from, record.ap_to) == (
        EventKind.ROAM,
        PHONE,
        HALL,
        BEDROOM,
    )
    assert record.link_from == Link(HALL, "5", 60, "Home")
    assert record.link_to == Link(BEDROOM, "2.4", 11, "Home")
    assert record.time == pytest.approx(1_790_000_000.23)
    assert record.received == RECEIVED.timestamp()


def test_guest_event_has_its_client_in_the_guest_field() -> None:
    record = observe("wg.connected", {"guest": PHONE, "ap": HALL, "radio": "6e", "channel": "37"})
    assert (record.guest, record.link_from, record.link_to) == (True, None, Link(HALL, "6", 37))


def test_radio_change_event_has_the_same_access_point_in_both_links() -> None:
    record = observe("wu.roam_radio", {"user": PHONE, "ap": HALL, "radio_to": "ng"})
    assert record.link_to is not None
    assert (record.ap_from, record.ap_to, record.link_to.band) == (HALL, HALL, "2.4")


def test_disconnection_event_has_only_the_link_from() -> None:
    record = observe("wu.disconnected", {"user": PHONE, "ap": HALL, "time": "1790000000000"})
    assert (record.ap_from, record.ap_to, record.time) == (HALL, None, 1_790_000_000)


def test_station_signal_is_in_dbm_and_never_the_rssi() -> None:
    base = {"mac": PHONE, "ap_mac": HALL, "rssi": 51, "noise": -109}
    assert parse_station(base | {"signal": -58}, 0).signal == -58
    assert parse_station(base, 0).signal is None


@pytest.mark.parametrize("kind", ["VPN", "TELEPORT"])
def test_station_record_of_a_tunnel_is_ignored(kind: str) -> None:
    assert parse_station({"mac": PHONE, "type": kind}, 0) is None


@pytest.mark.parametrize("data", [{"is_wired": True}, {"type": "WIRED"}])
def test_station_record_of_a_wired_client_is_wired(data: dict[str, Any]) -> None:
    assert parse_station({"mac": PHONE, **data}, 0).is_wired


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        *((value, True) for value in ("true", "True", "1", 1)),
        *((value, False) for value in ("false", "0", 0, None, "", {})),
    ],
    ids=repr,
)
def test_booleans_of_records_may_be_texts_or_numbers(sent: object, *, expected: bool) -> None:
    flags = {"mac": PHONE, "is_wired": sent, "is_guest": sent, "is_mlo": sent}
    record = parse_station(flags, 0)
    assert (record.is_wired, record.guest, record.is_mlo) == (expected,) * 3
    assert parse_known_client(flags).is_wired is expected


@pytest.mark.parametrize("sent", [False, "false", 0, "0"], ids=repr)
def test_device_that_is_not_adopted_is_ignored(sent: object) -> None:
    assert parse_device({"mac": HALL, "adopted": sent}) is None
    assert parse_device({"mac": HALL, "adopted": None}) is not None


# A multi-link client's links, as a record lists them (docs/protocol.md 3.3).
LINKS = [
    {"mac": "aa:00:00:00:00:f1", "radio": "6e", "channel": 85, "signal": -61},
    {"mac": "aa:00:00:00:00:f2", "radio": "na", "channel": 128, "signal": -95},
]


def test_link_of_a_record_that_only_lists_its_links_is_the_first_with_an_access_point() -> None:
    links = [None, "x", LINKS[0], LINKS[1] | {"ap_mac": BEDROOM}, LINKS[0] | {"ap_mac": HALL}]
    record = parse_station({"mac": PHONE, "essid": "Home", "mlo_details": links}, 7)
    assert (record.mac, record.received) == (PHONE, 7)
    assert (record.link, record.signal) == (Link(BEDROOM, "5", 128, "Home"), -95)
    assert record.is_mlo


def test_link_of_a_record_without_a_radio_is_the_first_on_its_access_point() -> None:
    links = [LINKS[0] | {"ap_mac": BEDROOM}, {"channel": 1}, LINKS[1], LINKS[0]]
    record = parse_station({"mac": PHONE, "ap_mac": HALL, "channel": 1, "mlo_details": links}, 0)
    assert (record.link, record.signal) == (Link(HALL, "5", 128), -95)


def test_record_that_has_a_link_of_its_own_keeps_it() -> None:
    own = {"mac": PHONE, "ap_mac": HALL, "radio": "na", "channel": 36, "signal": -50}
    other = LINKS[0] | {"ap_mac": BEDROOM}
    record = parse_station(own | {"is_mlo": False, "mlo_details": [other]}, 0)
    assert record == parse_station(own, 0)


@pytest.mark.parametrize("links", [None, [], {}, "x", 7, [[]], [{}], LINKS, [{"ap_mac": "x"}]])
def test_record_without_a_usable_link_has_none(links: object) -> None:
    record = parse_station({"mac": PHONE, "mlo_details": links}, 0)
    assert (record.link, record.is_mlo) == (None, False)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("AA-00-00-00-00-01", PHONE),
        ("aa0000000001", PHONE),
        (" aa:00:00:00:00:01 ", PHONE),
        ("<<mac>>", None),
        ("aa:xx:00:00:00:01", None),
        ("aa:00:00:00:00", None),
        ("00:00:00:00:00:00", None),
        ("ff:ff:ff:ff:ff:ff", None),
        (None, None),
        (12, None),
        (["aa:00:00:00:00:01"], None),
    ],
)
def test_normalise_mac_returns_the_canonical_form_or_none(
    given: object, expected: str | None
) -> None:
    assert normalise_mac(given) == expected


@pytest.mark.parametrize("ssid", ["<b>", 'a"b', "Wohnung 🏠", " blank "])
def test_station_ssid_is_kept_unchanged(ssid: str) -> None:
    assert parse_station({"mac": PHONE, "ap_mac": HALL, "essid": ssid}, 0).link.ssid == ssid


def test_station_ssid_of_a_hidden_network_is_none() -> None:
    assert parse_station({"mac": PHONE, "ap_mac": HALL, "essid": ""}, 0).link.ssid is None


@pytest.mark.parametrize(
    "odd", [None, "", "x", "nan", "inf", -1, 0, 10**400, [], {}, True, 1e300, "9" * 5000]
)
def test_station_numbers_that_are_invalid_are_none(odd: object) -> None:
    record = parse_station(
        {
            "mac": PHONE,
            "ap_mac": HALL,
            "channel": odd,
            "signal": odd if odd != -1 else 1,
            "last_seen": odd,
            "roam_count": odd if odd != 0 else -1,
        },
        0,
    )
    assert record.link is not None
    assert (record.link.channel in {None, 1}, record.signal, record.seen_at) == (
        True,
        None,
        None,
    ) or odd is True
    assert record.roam_count is None


@pytest.mark.parametrize("mac", [PHONE, PHONE.upper(), "aa:00:00:00:00:02", None, 7])
def test_is_wanted_accepts_events_and_records_of_given_clients(mac: object) -> None:
    def wanted(event_type: str) -> bool:
        event = BufferedEvent(timestamp=RECEIVED, event_type=event_type, data={"mac": mac})
        return is_wanted(event, {PHONE})

    ours = str(mac).lower() == PHONE
    assert wanted("sta:sync") is wanted("client:sync") is ours
    assert wanted("wu.roam")


def test_sites_devices_clients_and_system_info_are_parsed() -> None:
    site = parse_site({"_id": "1", "name": "default", "desc": "Home "})
    assert (site.name, site.description) == ("default", "Home")
    assert parse_site({"desc": "nameless"}) is None
    device = parse_device({"mac": HALL, "type": "udm", "model": "UDR", "name": ""})
    assert (device.mac, device.name, device.type) == (HALL, None, "udm")
    assert parse_device({"mac": HALL, "adopted": False}) is None
    client = parse_known_client({"mac": PHONE.upper(), "name": " ", "hostname": "Phone"})
    assert (client.mac, client.alias, client.hostname) == (PHONE, None, "Phone")
    assert parse_known_client({"name": "Phone"}) is None
    system = parse_system_info({"anonymous_controller_id": "id", "hostname": "UDR"})
    assert (system.controller_id, system.name, system.version) == ("id", "UDR", None)


def test_log_row_of_a_roam_has_both_links_and_the_signal() -> None:
    record = parse_log_row(
        {
            "key": "CLIENT_ROAMED_2",
            "timestamp": 1_790_000_000_500,
            "parameters": {
                "CLIENT": {"id": PHONE, "name": "Anna's phone"},
                "DEVICE_FROM": {"id": HALL, "name": "Hall"},
                "DEVICE_TO": {"id": BEDROOM, "name": "Bedroom"},
                "PREVIOUS_RADIO_BAND": {"name": "2.4 GHz"},
                "RADIO_BAND": {"name": "5 GHz"},
                "PREVIOUS_SIGNAL_STRENGTH": {"name": "-84"},
                "SIGNAL_STRENGTH": {"name": "-71"},
                "WLAN": {"name": "Home"},
            },
        },
        5.0,
    )
    assert (record.kind, record.ap_from, record.ap_to) == (EventKind.ROAM, HALL, BEDROOM)
    assert record.link_from is not None
    assert record.link_to is not None
    assert (record.signal, record.link_from.band, record.link_to.band, record.link_to.ssid) == (
        -71,
        "2.4",
        "5",
        "Home",
    )
    assert (record.time, record.received, record.logged) == (1_790_000_000.5, 5.0, True)


def test_log_rows_of_connections_have_one_link() -> None:
    parameters = {"CLIENT": {"id": PHONE}, "DEVICE": {"id": HALL}}
    connected = parse_log_row({"key": "CLIENT_CONNECTED_WIRELESS", "parameters": parameters}, 0)
    assert (connected.kind, connected.ap_from, connected.ap_to) == (EventKind.CONNECTED, None, HALL)
    disconnected = parse_log_row(
        {"event": "CLIENT_DISCONNECTED_WIRELESS", "parameters": parameters}, 0
    )
    assert (disconnected.kind, disconnected.ap_from, disconnected.ap_to) == (
        EventKind.DISCONNECTED,
        HALL,
        None,
    )


@pytest.mark.parametrize("kind", ["CONNECTED", "DISCONNECTED"])
@pytest.mark.parametrize(("access_point", "network"), [("DEVICE", "SSID"), ("AP", "WLAN")])
def test_log_row_with_other_names_is_parsed(kind: str, access_point: str, network: str) -> None:
    parameters = {
        "CLIENT": {"id": PHONE},
        access_point: {"id": HALL, "name": "Hall"},
        network: {"name": "Home"},
    }
    record = parse_log_row({"key": f"CLIENT_{kind}_WIRELESS_2", "parameters": parameters}, 0)
    assert record is not None
    assert (record.link_to or record.link_from) == Link(HALL, None, None, "Home")


@pytest.mark.skipif(not CAPTURES.exists(), reason="the captures are not part of the repository")
def test_captured_log_rows_with_other_names_are_parsed() -> None:
    rows = json.loads((CAPTURES / "log_rows_variants.json").read_text(encoding="utf-8"))
    first, second = (parse_log_row(row, 0) for row in rows)
    assert first is not None
    assert second is not None
    assert first.link_to == Link("78:45:58:00:00:01", None, None, None)
    assert second.link_to == Link("78:45:58:00:00:01", None, None, "Home")


def test_log_rows_of_other_kinds_are_ignored() -> None:
    assert parse_log_row({"key": "CLIENT_CONNECTED_WIRED_2", "parameters": {}}, 0) is None
    assert parse_log_row({"key": "CLIENT_ROAMED_2", "parameters": {}}, 0) is None
    assert parse_log_row({"key": ["CLIENT_ROAMED"], "parameters": None}, 0) is None


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
FIELDS = [
    *("mac", "user", "guest", "ap", "ap_mac", "ap_from", "ap_to", "essid", "ssid", "radio", "type"),
    *("radio_from", "radio_to", "channel", "channel_to", "signal", "time", "last_seen", "name"),
    *("assoc_time", "latest_assoc_time", "roam_count", "is_wired", "is_mlo", "hostname", "desc"),
    *("is_guest", "adopted", "mlo_details"),
]


@given(st.dictionaries(st.sampled_from(FIELDS), anything), st.sampled_from([*EventKind]))
def test_records_with_fields_of_any_type_do_not_raise(
    data: dict[str, Any], kind: EventKind
) -> None:
    # Without a valid MAC the other fields are not parsed, so add one.
    for fields in (data, data | {"mac": PHONE}):
        for event_type in (f"wu.{kind}", f"wg.{kind}", "sta:sync", "client:sync", "alert"):
            record = observe(event_type, fields)
            assert record is None or isinstance(record, StationRecord | EventRecord)
        parse_log_row({"key": "CLIENT_ROAMED_2", "timestamp": None, "parameters": fields}, 0)
        parse_site(fields)
        parse_device(fields)
        parse_known_client(fields)
        parse_system_info(fields)


@pytest.mark.skipif(not CAPTURES.exists(), reason="the captures are not part of the repository")
def test_captured_booleans_that_are_texts_are_read() -> None:
    text = (CAPTURES / "flexible_booleans.json").read_text(encoding="utf-8")
    record = parse_station(json.loads(text), 0)
    assert record is not None
    assert (record.is_wired, record.guest) == (True, True)


@pytest.mark.skipif(not CAPTURES.exists(), reason="the captures are not part of the repository")
def test_captured_frames_are_parsed() -> None:
    lines = (CAPTURES / "frames.jsonl").read_text(encoding="utf-8").splitlines()
    observations = [
        observation_from(event)
        for line in lines
        for event in parse_unifi_events(json.dumps(json.loads(line)["frame"]))
    ]
    kinds = [item.kind for item in observations if isinstance(item, EventRecord)]
    # The other events have masked MACs, which are invalid.
    assert kinds == [EventKind.ROAM, EventKind.DISCONNECTED, EventKind.CONNECTED]
    stations = json.loads((CAPTURES / "stat_sta_2025-07.json").read_text(encoding="utf-8"))["data"]
    station = parse_station(stations[0], 0)
    assert station is not None
    assert station.link is not None
    assert (station.link.band, station.signal, station.link.channel) == ("5", -63, 60)
