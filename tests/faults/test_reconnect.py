"""Faults C1 to C11 of docs/faults.md: restarts, upgrades, closed sockets and reconnecting."""

import asyncio
import gc
from itertools import pairwise
from typing import Any
from unittest.mock import NonCallableMock

from homeassistant.config_entries import SOURCE_USER, ConfigEntryState
from homeassistant.core import Event, EventStateChangedData, HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from websockets.asyncio.client import ClientConnection

from custom_components.unifi_scanner.const import DOMAIN
from tests.controller import Booting, Flavour, SimulatedController
from tests.home import ANNA, BEN, CARA, Home, furnished_home

from .clock import VirtualTime

pytestmark = pytest.mark.usefixtures("socket_enabled")

EMPTY: dict[str, Any] = {"meta": {"rc": "ok"}, "data": []}


@pytest.fixture
def controller_settings(clock: VirtualTime) -> dict[str, Any]:
    return {"clock": clock.time}


def connected(home: Home) -> bool:
    return home.coordinator.stream_connected and home.controller.open_sockets == 1


def attempts(home: Home) -> list[float]:
    """Return a list that collects the times of all future attempts to open the socket."""
    client = home.coordinator._stream.client
    assert client is not None
    opener, times = client._opener, list[float]()
    original_open = opener.open

    async def record_and_open() -> ClientConnection:
        times.append(home.controller.state.clock())
        return await original_open()

    opener.open = record_and_open  # type: ignore[method-assign]  # only observes
    return times


async def lose_socket(home: Home, clock: VirtualTime) -> float:
    """Close the socket, wait for the next one, and return how long that took."""
    await home.controller.close_sockets(1001)
    began = clock.time()
    await home.controller.wait_for_sockets(seconds=310)
    waited = clock.time() - began
    await clock.until(lambda: connected(home), 10)
    await home.settled()
    return waited


def objects(home: Home) -> int:
    """Return the number of Python objects, without the logs of the controller and of mocks."""
    home.controller.state.request_log.requests.clear()
    home.controller.state.request_log.handshakes.clear()
    for mock in [each for each in gc.get_objects() if issubclass(type(each), NonCallableMock)]:
        # The harness mocks the storage, and records what is written.
        mock.reset_mock()
    gc.collect()
    return len(gc.get_objects())


def watch_states(hass: HomeAssistant) -> list[str]:
    """Return a list that collects every future state."""
    written: list[str] = []

    def collect(event: Event[EventStateChangedData]) -> None:
        if (new := event.data["new_state"]) is not None:
            written.append(new.state)

    hass.bus.async_listen("state_changed", collect)
    return written


async def test_C1_reconnect_after_a_boot_of_several_minutes(home: Home, clock: VirtualTime) -> None:
    """Reported: 502, then 503 during a boot; no reconnect, or a flood of attempts (core#40145).

    Promised: attempts back off with jitter, and the stream is back within a minute of the
    controller. States are kept for a minute, then unavailable, and then restored without an event.
    """
    await home.set_up()
    times = attempts(home)
    home.controller.faults.booting = Booting.BAD_GATEWAY
    await home.controller.close_sockets(1001)
    await asyncio.sleep(50)
    assert home.shows("access_point", ANNA) == "Hall"
    await asyncio.sleep(130)
    home.controller.faults.booting = Booting.UNAVAILABLE
    await asyncio.sleep(60)
    assert home.shows("access_point", ANNA) == "unavailable"
    waits = [after - before for before, after in pairwise(times)]
    assert 5 <= len(times) <= 12
    assert waits[0] < waits[1] < waits[2]
    assert all(3 < wait <= 45 for wait in waits)
    assert len({round(wait, 1) for wait in waits[3:]}) > 1
    home.controller.faults.booting = None
    await clock.until(lambda: connected(home), 60)
    await home.settled()
    assert home.shows("access_point", ANNA) == "Hall"
    assert home.events == []
    assert home.controller.logins == 1


async def test_C2_handshake_answered_with_html_is_retried(home: Home, clock: VirtualTime) -> None:
    """Reported: HTTP 200 with HTML instead of a WebSocket stopped the integration (core#68328).

    Promised: another attempt in the same session, after detecting the controller type again.
    """
    await home.set_up()
    home.controller.faults.refuse("*wss*", status=200, body="<html>starting</html>", times=3)
    await home.controller.close_sockets(1001)
    await clock.until(lambda: connected(home), 90)
    assert len(home.controller.requests("/events")) == 5
    assert home.controller.login_attempts == 1
    assert [request.path for request in home.controller.requests()].count("/") == 1 + 3
    await home.controller.roam(ANNA, "Kitchen")
    await home.happened(1)


@pytest.mark.parametrize("flavour", list(Flavour))
@pytest.mark.parametrize("booting", list(Booting))
async def test_C3_controller_type_is_not_detected_while_it_boots(
    hass: HomeAssistant, clock: VirtualTime, flavour: Flavour, booting: Booting
) -> None:
    """Reported: a booting controller was permanently taken for another type (core#114196).

    Promised: setup succeeds as soon as the controller has started.
    """
    async with furnished_home(hass, clock=clock.time, flavour=flavour) as home:
        home.controller.faults.booting = booting
        await home.set_up(wait=False)
        assert home.entry.state is ConfigEntryState.SETUP_RETRY
        await asyncio.sleep(120)
        home.controller.faults.booting = None
        await clock.until(lambda: home.entry.state is ConfigEntryState.LOADED, 90)
        await clock.until(lambda: connected(home), 10)
        assert home.coordinator.session.client.device_type == flavour.value
        assert home.controller.login_attempts == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [(Flavour.SELF_HOSTED, Flavour.UNIFI_OS), (Flavour.UNIFI_OS, Flavour.SELF_HOSTED)],
)
async def test_C3_controller_that_returns_as_another_type_is_detected(
    hass: HomeAssistant, clock: VirtualTime, before: Flavour, after: Flavour
) -> None:
    """Reported: paths of the wrong type were used until Home Assistant restarted (core#87895).

    Promised: login and socket path adapt, here for an application that moved into a UniFi OS
    Server, and back.
    """
    async with furnished_home(hass, clock=clock.time, flavour=before) as home:
        await home.set_up()
        await home.controller.stop_listening()
        await asyncio.sleep(61)
        async with SimulatedController(
            clock=clock.time,
            flavour=after,
            port=home.controller.port,
            certificate=home.controller.certificate,
        ) as successor:
            successor.world.devices |= home.world.devices
            successor.world.clients |= home.world.clients
            await clock.until(lambda: successor.open_sockets == 1, 300)
            await home.settled()
            assert successor.last_handshake is not None
            assert successor.last_handshake.path.startswith("/proxy") is (after is Flavour.UNIFI_OS)
            await successor.roam(ANNA, "Kitchen")
            await home.happened(1)
            await hass.config_entries.async_unload(home.entry.entry_id)


async def test_C4_no_client_disconnects_after_an_upgrade(home: Home, clock: VirtualTime) -> None:
    """Reported: a just started controller lists no clients, so all were away (core#107061).

    Promised: no client is disconnected by two minutes of empty lists, nor while the list then fills
    up; clients that really left are disconnected soon after.
    """
    home.world.add_client("Cara", mac=CARA, ap="Kitchen")
    await home.set_up(clients=(ANNA, BEN, CARA))
    await asyncio.sleep(61)
    faults = home.controller.faults
    faults.booting = Booting.BAD_GATEWAY
    await home.controller.close_sockets(1001)
    await asyncio.sleep(100)
    faults.booting = None
    empty = faults.refuse("*stat/sta", status=200, body=EMPTY)
    await clock.until(lambda: connected(home), 60)
    home.world.clients[ANNA].connected = home.world.clients[BEN].connected = False
    await asyncio.sleep(120)
    faults.remove(empty)
    # Only Cara's access point has reported so far.
    await asyncio.sleep(60)
    home.world.clients[ANNA].connected = True
    await asyncio.sleep(30)
    assert home.events == []
    assert home.shows("access_point", ANNA) == home.shows("access_point", BEN) == "Hall"
    # Ben has left while the controller was down.
    await asyncio.sleep(240)
    ((kind, data),) = await home.happened(1)
    assert (kind, data["client_mac"]) == ("unifi_scanner_disconnected", BEN)


@pytest.mark.parametrize("path", ["*wss*", "*stat/sta"])
async def test_C4_no_client_disconnects_after_a_short_restart(
    home: Home, clock: VirtualTime, path: str
) -> None:
    """Reported: as above (core#107061), if the restart affects only the socket or one snapshot.

    Promised: no client is disconnected.
    """
    await home.set_up()
    await asyncio.sleep(61)
    home.controller.faults.refuse(path, status=502, times=1)
    await home.controller.close_sockets(1001)
    home.world.clients[ANNA].connected = False
    await clock.until(lambda: not home.coordinator.stream_connected, 10)
    await clock.until(lambda: connected(home), 60)
    await asyncio.sleep(90)
    home.world.clients[ANNA].connected = True
    await asyncio.sleep(90)
    assert home.events == []


async def test_C5_socket_closed_every_five_hours_changes_no_state(
    home: Home, clock: VirtualTime
) -> None:
    """Reported: 15 seconds of unavailability every five hours fired automations (core#110723).

    Promised: no state is unavailable, and no client connects or disconnects.
    """
    await home.set_up()
    written = watch_states(home.hass)
    for hours in (0, 5):
        await asyncio.sleep(hours * 3600)
        await home.controller.close_sockets(1001)
        await clock.until(lambda: not home.coordinator.stream_connected, 10)
        await clock.until(lambda: connected(home), 10)
    await asyncio.sleep(61)
    assert "unavailable" not in written
    assert home.shows("access_point", ANNA) == "Hall"
    assert home.events == []
    assert home.controller.logins == 1


async def test_C6_reconnect_delay_grows_while_sockets_are_short_lived(
    home: Home, clock: VirtualTime
) -> None:
    """Reported: a socket closed after 20 s, over and over, filled log and memory (core#66016).

    Promised: delays grow up to five minutes, tasks and memory stay constant, and the delay is only
    reset after a minute of a stable stream with frames.
    """
    await home.set_up()
    waits: list[float] = []
    tasks: list[int] = []
    object_counts: list[int] = []
    for _ in range(50):
        await asyncio.sleep(20)
        waits.append(await lose_socket(home, clock))
        tasks.append(len(asyncio.all_tasks()))
        object_counts.append(objects(home) if len(waits) % 20 == 10 else 0)
    assert waits[0] < waits[1] < waits[2] < waits[3] < waits[4]
    assert all(200 < wait <= 305 for wait in waits[6:])
    assert len({round(wait) for wait in waits[6:]}) > 5
    assert max(tasks) <= max(tasks[:3])
    assert object_counts[49] < object_counts[9] + 2_000
    assert home.events == []
    # A minute without any frame does not count as a stable stream.
    home.controller.faults.silent = True
    await lose_socket(home, clock)
    await asyncio.sleep(70)
    assert await lose_socket(home, clock) > 200
    home.controller.faults.silent = False
    await home.controller.sync()
    await asyncio.sleep(70)
    assert await lose_socket(home, clock) < 6


@pytest.mark.parametrize("fault", [401, 403, 500, "silence"])
async def test_C7_failing_system_log_is_requested_less_and_less(
    hass: HomeAssistant, clock: VirtualTime, fault: int | str
) -> None:
    """Reported: a failing endpoint was requested again immediately, endlessly (core#141987).

    Promised: requests back off, a refusal causes a single login, and snapshots continue.
    """
    async with furnished_home(hass, clock=clock.time, network_version="10.4.57") as home:
        await home.set_up()
        if isinstance(fault, int):
            home.controller.faults.refuse("*/v2/*", status=fault)
        else:
            home.controller.faults.hang("*/v2/*")
        for _ in range(30):
            await home.controller.close_sockets(1001)
            await asyncio.sleep(120)
        assert 3 <= len(home.controller.requests("/v2/")) <= 7
        assert home.controller.login_attempts == (2 if fault in {401, 403} else 1)
        assert home.coordinator.last_update_success
        await home.controller.roam(ANNA, "Kitchen")
        await home.happened(1)
        await clock.until(lambda: connected(home), 310)


async def test_C7_retry_after_0_does_not_cause_a_flood_of_requests(
    home: Home, clock: VirtualTime
) -> None:
    """Reported: for REST, "wait 0 s" led to immediate retries (core#141987).

    Promised: requests are never sent more often than every few seconds, whatever the controller
    answers.
    """
    await home.set_up()
    home.controller.faults.refuse("*stat*", status=429, headers={"Retry-After": "0"})
    before = len(home.controller.requests("stat"))
    await asyncio.sleep(600)
    assert len(home.controller.requests("stat")) - before <= 600 / 4
    home.controller.faults.clear()
    await clock.until(lambda: home.coordinator.last_update_success, 60)
    assert home.shows("access_point", ANNA) == "Hall"


@pytest.mark.parametrize("status", [None, 400, 405])
async def test_C8_missing_system_log_is_requested_once(
    hass: HomeAssistant, clock: VirtualTime, status: int | None
) -> None:
    """Reported: an endpoint missing on old controllers prevented setup (core#103269).

    Promised: setup does not need it, and a single request detects that it is missing.
    """
    version = "9.4.19" if status is None else "10.4.57"
    async with furnished_home(hass, clock=clock.time, network_version=version) as home:
        if status is not None:
            home.controller.faults.refuse("*/v2/*", status=status)
        await home.set_up()
        assert home.controller.requests("/v2/") == []
        for place in ("Kitchen", "Attic", "Hall"):
            await home.controller.close_sockets(1001)
            await clock.until(lambda: not home.coordinator.stream_connected, 10)
            home.world.roam(ANNA, place)
            await clock.until(lambda: connected(home), 60)
            await home.settled()
        (request,) = home.controller.requests("/v2/")
        assert request.status == (status or 404)
        events = await home.happened(3)
        assert {data["source"] for _, data in events} == {"resync"}


async def test_C9_setup_is_retried_while_the_controller_lists_no_site(
    home: Home, clock: VirtualTime
) -> None:
    """Reported: a booting controller's empty list of sites raised KeyError (core#99794).

    Setup of an entry does not read sites, but the system information, which may be empty too.
    Promised: setup is retried with a clear reason, and succeeds once there is data.
    """
    for path in ("*self/sites", "*stat/sysinfo"):
        home.controller.faults.refuse(path, status=200, body=EMPTY, times=2)
    await home.set_up(wait=False)
    assert home.entry.state is ConfigEntryState.SETUP_RETRY
    assert home.entry.error_reason_translation_key == "controller_starting"
    await clock.until(lambda: home.entry.state is ConfigEntryState.LOADED, 60)
    assert home.controller.requests("self/sites") == []
    assert home.controller.login_attempts == 1


def user_input(home: Home) -> dict[str, Any]:
    return {
        "host": home.controller.base_url,
        "username": home.controller.username,
        "password": home.controller.password,
        "ssl": "insecure",
    }


async def test_C9_config_flow_reports_a_controller_without_sites(home: Home) -> None:
    """Promised: for an empty list of sites the form shows an error and can be submitted again."""
    home.controller.faults.refuse("*self/sites", status=200, body=EMPTY, times=2)
    flow = home.hass.config_entries.flow
    result = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    for _ in range(2):
        result = await flow.async_configure(result["flow_id"], user_input(home))
        assert result["errors"] == {"base": "no_sites"}
    result = await flow.async_configure(result["flow_id"], user_input(home))
    assert result["step_id"] == "clients"
    flow.async_abort(result["flow_id"])
    await home.hass.async_block_till_done()


async def test_C10_twenty_reloads_leave_one_socket_and_no_tasks(
    home: Home, clock: VirtualTime
) -> None:
    """Reported: reloads left sockets and tasks behind, each of which reported everything again.

    Promised: after twenty reloads there is one socket, no extra task, and each roam is one event.
    """
    await home.set_up()
    before = len(asyncio.all_tasks())
    for _ in range(20):
        assert await home.hass.config_entries.async_reload(home.entry.entry_id)
    await clock.until(lambda: connected(home), 10)
    await home.settled()
    # Tasks of unloaded entries take a moment to finish.
    await clock.until(lambda: len(asyncio.all_tasks()) <= before, 30)
    assert home.controller.logins == 1
    assert len(home.entry._background_tasks) == 1
    await home.controller.roam(ANNA, "Kitchen")
    await asyncio.sleep(1)
    assert len(home.events) == 1


async def test_C11_site_with_a_new_id_keeps_its_entities(home: Home) -> None:
    """Reported: Network 11 turned site ids into UUIDs, which duplicated entities.

    Promised: our ids are made of the controller's id and the site's short name.
    """
    home.world.site.id = "5b21393fb150b6c08a49dca0"
    flow = home.hass.config_entries.flow
    result = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    result = await flow.async_configure(result["flow_id"], user_input(home))
    result = await flow.async_configure(
        result["flow_id"], {"clients": [ANNA, BEN], "add_new_clients": False}
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    (entry,) = home.hass.config_entries.async_entries(DOMAIN)
    await home.hass.async_block_till_done()
    registries = er.async_get(home.hass).entities, dr.async_get(home.hass).devices
    before = [sorted(registry) for registry in registries]
    assert all(before)

    home.world.site.id = "b1946ac9-2492-4d23-9ad1-3b2ff7ac7b2d"
    assert await home.hass.config_entries.async_reload(entry.entry_id)
    await home.hass.async_block_till_done()
    assert [sorted(registry) for registry in registries] == before
    result = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    result = await flow.async_configure(result["flow_id"], user_input(home))
    assert result["reason"] == "already_configured"
    await home.hass.async_block_till_done()
    home.entry = entry  # type: ignore[assignment]  # only its id and state are needed
    await home.quiet()
