"""Tests of the simulated controller's frames and records (docs/protocol.md 3, 4 and 5)."""

from collections.abc import Iterator
import json
from pathlib import Path
from typing import Any

import pytest

from tests.controller import PLANTED_SECRETS, Band, Flavour, Generation, SimulatedController
from tests.controller.device_records import device_record
from tests.controller.frames import event_record
from tests.controller.models import Movement
from tests.controller.records import station_record, station_record_v2

from .conftest import HttpClient, next_frame

CAPTURES = Path(__file__).parents[3] / "shared" / "captures"
NOW = 1_761_598_567.827
UNIFI_OS = pytest.mark.parametrize("flavour", [Flavour.UNIFI_OS])
needs_captures = pytest.mark.skipif(
    not CAPTURES.is_dir(), reason="the captures are not part of the repository"
)


@pytest.fixture
def idle_controller() -> SimulatedController:
    """Return a controller that does not listen and whose clock stands still."""
    controller = SimulatedController(clock=lambda: NOW, network_version="7.4.162")
    controller.world.add_access_point("Hall", radios={Band.NG: 11, Band.NA: 40})
    controller.world.add_access_point("Kitchen", radios={Band.NG: 1, Band.NA: 100})
    controller.world.add_client("Anna's phone", hostname="Anna", ap="Hall", signal=-63)
    return controller


def event(idle_controller: SimulatedController, movement: Movement) -> dict[str, Any]:
    return event_record(movement, idle_controller.world, idle_controller.settings.major)


def test_roam_event_has_both_access_points_and_channels_as_strings(
    idle_controller: SimulatedController,
) -> None:
    record = event(
        idle_controller, idle_controller.world.roam("Anna's phone", "Kitchen", band=Band.NA)
    )
    hall, kitchen = (idle_controller.world.access_point(name).mac for name in ("Hall", "Kitchen"))
    anna = idle_controller.world.client("Anna's phone").mac
    assert record.pop("_id")
    assert record == {
        "user": anna,
        "ap_from": hall,
        "ap_to": kitchen,
        "radio_from": "na",
        "radio_to": "na",
        "radio": "na",
        "channel_from": "40",
        "channel_to": "100",
        "channel": "100",
        "ssid": "Home",
        "key": "EVT_WU_Roam",
        "subsystem": "wlan",
        "is_negative": False,
        "site_id": idle_controller.world.site.id,
        "time": 1_761_598_567_827,
        "datetime": "2025-10-27T20:56:07Z",
        "msg": f"User[{anna}] roams from AP[{hall}] to AP[{kitchen}] "
        'from "channel 40(na)" to "channel 100(na)" on "Home"',
    }


def test_roam_radio_event_has_one_access_point_and_no_ssid(
    idle_controller: SimulatedController,
) -> None:
    record = event(idle_controller, idle_controller.world.roam_radio("Anna's phone", Band.NG))
    assert record["key"] == "EVT_WU_RoamRadio"
    assert (record["radio_from"], record["radio_to"]) == ("na", "ng")
    assert (record["channel_from"], record["channel_to"]) == ("40", "11")
    assert not {"ssid", "hostname", "ap_from", "ap_to"} & set(record)


def test_disconnected_event_has_whole_seconds_and_no_radio(
    idle_controller: SimulatedController,
) -> None:
    record = event(idle_controller, idle_controller.world.disconnect("Anna's phone", left=NOW - 20))
    assert record["time"] == 1_761_598_547_000
    assert isinstance(record["duration"], int)
    assert record["ap_name"] == "Hall"
    assert not {"radio", "channel"} & set(record)


@pytest.mark.parametrize(
    ("fields", "key", "who"),
    [
        ({}, "EVT_WU_Connected", "user"),
        ({"is_guest": True}, "EVT_WG_Connected", "guest"),
        ({"is_wired": True}, "EVT_LU_Connected", "user"),
    ],
)
def test_event_key_depends_on_the_type_of_client(
    idle_controller: SimulatedController, fields: dict[str, bool], key: str, who: str
) -> None:
    client = idle_controller.world.add_client("New", **fields)
    movement = idle_controller.world.connect("New", None if client.is_wired else "Hall")
    record = event(idle_controller, movement)
    assert (record["key"], record[who]) == (key, client.mac)


def test_events_have_an_id_up_to_network_7_only(idle_controller: SimulatedController) -> None:
    movement = idle_controller.world.roam("Anna's phone", "Kitchen")
    assert "_id" in event_record(movement, idle_controller.world, 7)
    assert "_id" not in event_record(movement, idle_controller.world, 9)


def test_station_record_signal_is_rssi_minus_96_and_times_are_seconds(
    idle_controller: SimulatedController,
) -> None:
    record = station_record(idle_controller.world.client("Anna's phone"), idle_controller.world)
    assert (record["signal"], record["rssi"], record["channel"]) == (-63, 33, 40)
    assert record["uptime"] == record["last_seen"] - record["assoc_time"]
    assert all(type(record[key]) is int for key in ("assoc_time", "last_seen", "channel"))
    assert "roam_count" not in record
    idle_controller.world.roam("Anna's phone", "Kitchen")
    moved = station_record(idle_controller.world.client("Anna's phone"), idle_controller.world)
    assert moved["roam_count"] == 1
    assert moved["assoc_time"] == record["assoc_time"]
    assert moved["latest_assoc_time"] == int(NOW)
    assert moved["bssid"] != record["bssid"]


def test_station_record_fields_can_be_overridden_and_removed(
    idle_controller: SimulatedController,
) -> None:
    idle_controller.world.add_client(
        "Odd", ap="Hall", extra={"rssi": 51}, without=frozenset({"signal"})
    )
    record = station_record(idle_controller.world.client("Odd"), idle_controller.world)
    assert record["rssi"] == 51
    assert "signal" not in record


def test_v2_record_display_name_without_alias_ends_with_the_mac_address(
    idle_controller: SimulatedController,
) -> None:
    client = idle_controller.world.add_client(
        None, hostname="esp", mac="02:00:00:00:4c:18", ap="Hall"
    )
    assert station_record_v2(client, idle_controller.world)["display_name"] == "esp 4c:18"
    assert "name" not in station_record(client, idle_controller.world)


def test_device_record_is_large_and_contains_all_secrets(
    idle_controller: SimulatedController,
) -> None:
    hall = idle_controller.world.access_point("Hall")
    text = json.dumps(device_record(hall, idle_controller.world))
    assert len(text) > 8000
    assert all(secret in text for secret in PLANTED_SECRETS.values())
    bssids = {row["bssid"] for row in device_record(hall, idle_controller.world)["vap_table"]}
    assert (
        station_record(idle_controller.world.client("Anna's phone"), idle_controller.world)["bssid"]
        in bssids
    )


async def test_v2_sockets_get_client_sync_instead_of_sta_sync(
    http: HttpClient, controller: SimulatedController
) -> None:
    await http.login()
    async with await http.open_socket() as old, await http.open_socket("?clients=v2") as new:
        await controller.wait_for_sockets(2)
        await controller.sync()
        assert "_id" in (await next_frame(old, "sta:sync"))["data"][0]
        assert "display_name" in (await next_frame(new, "client:sync"))["data"][0]


@UNIFI_OS
@pytest.mark.parametrize("settings", [{"generation": Generation.SYNC_ONLY}])
async def test_sync_only_generation_sends_no_events(
    http: HttpClient, controller: SimulatedController
) -> None:
    await http.login()
    async with await http.open_socket() as socket:
        await next_frame(socket, "session-metadata:sync")
        await controller.roam("Anna's phone", "Kitchen")
        await controller.disconnect("Anna's phone")
        await controller.connect("Anna's phone", "Hall")
        access_points = []
        for _ in range(2):
            frame = await socket.receive_json(timeout=5)
            assert frame["meta"]["message"] == "sta:sync"
            access_points.append(frame["data"][0]["ap_mac"])
    assert access_points == [controller.world.access_point(n).mac for n in ("Kitchen", "Hall")]


@UNIFI_OS
async def test_frames_arrive_in_the_order_they_were_sent(
    http: HttpClient, controller: SimulatedController
) -> None:
    await http.login()
    async with await http.open_socket() as socket:
        await controller.wait_for_sockets(1)
        for number in range(50):
            await controller.roam("Anna's phone", ("Kitchen", "Hall")[number % 2])
        frames = [await next_frame(socket, "events") for _ in range(50)]
    ends = [frame["data"][0]["ap_to"] for frame in frames]
    assert ends == [h.after.ap for h in controller.world.truth if h.after]


@UNIFI_OS
async def test_roam_can_be_sent_as_a_reconnect(
    http: HttpClient, controller: SimulatedController
) -> None:
    await http.login()
    async with await http.open_socket() as socket:
        await controller.wait_for_sockets(1)
        roam = controller.world.roam("Anna's phone", "Kitchen")
        await controller.send_as_reconnect(roam)
        left, came = [(await next_frame(socket, "events"))["data"][0] for _ in range(2)]
    assert (left["key"], came["key"]) == ("EVT_WU_Disconnected", "EVT_WU_Connected")
    assert left["time"] < came["time"]
    assert [left["ap"], came["ap"]] == [
        controller.world.access_point(name).mac for name in ("Hall", "Kitchen")
    ]


async def test_every_site_has_its_own_clients_and_frames(flavour: Flavour) -> None:
    async with SimulatedController(flavour=flavour, sites=("default", "8abc0d1e")) as controller:
        controller.worlds["8abc0d1e"].add_access_point("Reception")
        desk = controller.worlds["8abc0d1e"].add_client("Desk", ap="Reception")
        http = HttpClient(controller)
        await http.login()
        assert [s["name"] for s in await http.records("/api/self/sites")] == [
            "default",
            "8abc0d1e",
        ]
        assert await http.records("/api/s/default/stat/sta") == []
        stations = await http.records("/api/s/8abc0d1e/stat/sta")
        assert [station["mac"] for station in stations] == [desk.mac]
        assert (await http.get("/api/s/nowhere/stat/sta")).status == 400
        async with await http.open_socket(site="8abc0d1e") as socket:
            await controller.wait_for_sockets(1)
            await controller.send({"meta": {"message": "other"}, "data": []}, site="default")
            await controller.sync(site="8abc0d1e")
            await next_frame(socket, "session-metadata:sync")
            assert (await socket.receive_json(timeout=5))["meta"]["message"] == "sta:sync"
        await http.session.close()


@UNIFI_OS
@pytest.mark.parametrize("settings", [{"network_version": "10.4.57"}])
async def test_system_log_is_paged_and_has_both_signals(
    http: HttpClient, controller: SimulatedController
) -> None:
    for number in range(5):
        controller.world.roam("Anna's phone", ("Kitchen", "Hall")[number % 2], signal=-50 - number)
    await http.login()
    url = f"{http.prefix}/v2/api/site/default/system-log/client-alert"

    async def page(number: int, **query: Any) -> dict[str, Any]:
        response = await http.request(
            "POST", url, json={"pageNumber": number, "pageSize": 2, **query}
        )
        body: dict[str, Any] = await response.json()
        return body

    pages = [await page(number) for number in range(3)]
    assert [len(body["data"]) for body in pages] == [2, 2, 1]
    assert (pages[0]["total_element_count"], pages[0]["total_page_count"]) == (5, 3)
    newest = pages[0]["data"][0]
    assert newest["key"] == "CLIENT_ROAMED_2"
    parameters = newest["parameters"]
    assert parameters["PREVIOUS_SIGNAL_STRENGTH"]["name"] == "-53"
    assert parameters["SIGNAL_STRENGTH"]["name"] == "-54"
    assert (parameters["DEVICE_FROM"]["name"], parameters["DEVICE_TO"]["name"]) == (
        "Hall",
        "Kitchen",
    )
    assert (await page(0, timestampFrom=newest["timestamp"] + 1))["data"] == []
    assert (await page(0, keys=["CLIENT_CONNECTED_WIRELESS_2"]))["data"] == []
    assert (await http.request("POST", url, json={"categories": ["MONITORING"]})).status == 400
    assert (await http.request("GET", url)).status == 405


async def test_network_9_has_no_system_log(http: HttpClient) -> None:
    await http.login()
    url = f"{http.prefix}/v2/api/site/default/system-log/all"
    assert (await http.request("POST", url, json={})).status == 404


async def test_renamed_client_is_reported_by_user_sync(
    http: HttpClient, controller: SimulatedController
) -> None:
    await http.login()
    async with await http.open_socket() as socket:
        await controller.wait_for_sockets(1)
        await controller.rename("Anna's phone", "Anna's new phone")
        assert (await next_frame(socket, "user:sync"))["data"][0]["name"] == "Anna's new phone"
    users = await http.records("/api/s/default/rest/user")
    assert [user["name"] for user in users] == ["Anna's new phone"]


def type_differences(real: dict[str, Any], ours: dict[str, Any]) -> Iterator[str]:
    """Name the fields whose type differs from the real record's."""
    for key in real.keys() & ours.keys():
        if type(real[key]) is not type(ours[key]) and real[key] is not None:
            yield f"{key}: {type(ours[key]).__name__}, not {type(real[key]).__name__}"


@needs_captures
def test_records_have_the_field_types_of_captured_records(
    idle_controller: SimulatedController,
) -> None:
    real = json.loads((CAPTURES / "stat_sta_2025-07.json").read_text())["data"][0]
    idle_controller.world.roam("Anna's phone", "Kitchen")
    ours = station_record(idle_controller.world.client("Anna's phone"), idle_controller.world)
    assert list(type_differences(real, ours)) == []
    invented = ours.keys() - real.keys()
    # Present in other records of docs/protocol.md 3.3, or only if the user set them.
    assert invented <= {"name", "noted", "authorized", "vlan", "is_11r", "roam_count", "anomalies"}

    device = json.loads((CAPTURES / "stat_device_access_point.json").read_text())
    ours = device_record(idle_controller.world.access_point("Hall"), idle_controller.world)
    assert list(type_differences(device, ours)) == []
    assert len(ours.keys() & device.keys()) > 60
    for table in ("vap_table", "radio_table", "radio_table_stats", "port_table"):
        assert list(type_differences(device[table][0], ours[table][0])) == []


@needs_captures
def test_events_have_the_fields_and_types_of_captured_events(
    idle_controller: SimulatedController,
) -> None:
    lines = (CAPTURES / "frames.jsonl").read_text().splitlines()
    real = {}
    for line in lines:
        for record in json.loads(line)["frame"]["data"]:
            if isinstance(record, dict) and record.get("key", "").startswith("EVT_W"):
                real[record["key"]] = record
    world = idle_controller.world
    guest = world.add_client(None, hostname="Guest", is_guest=True)
    movements = [
        world.roam("Anna's phone", "Kitchen"),
        world.roam_radio("Anna's phone", Band.NG),
        world.disconnect("Anna's phone"),
        world.connect(guest.mac, "Hall"),
    ]
    for movement in movements:
        ours = event(idle_controller, movement)
        example = dict(real[ours["key"]])
        example["time"] = int(example["time"])
        assert list(type_differences(example, ours)) == []
        optional = {"hostname", "is_negative", "_id", "channelWidth"}
        optional |= {"ap_model", "ap_name", "ap_displayName"}
        assert example.keys() ^ ours.keys() <= optional
