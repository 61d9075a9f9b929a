"""New clients: detected once, only if real, and never among those that were there before."""

import asyncio
from collections.abc import Mapping
from copy import replace
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import CoreState, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
import pytest

from custom_components.unifi_scanner import coordinator
from custom_components.unifi_scanner.roaming import ClientState, EventKind
from custom_components.unifi_scanner.site import history as module
from custom_components.unifi_scanner.site.history import SiteHistory
from custom_components.unifi_scanner.site.new_clients import NewClientDetector, is_randomised
from custom_components.unifi_scanner.site.publisher import SIGNAL_NEW_CLIENT
from custom_components.unifi_scanner.site.timers import Timers
from tests.home import ANNA, BEN, CARA, HALL, Home, until
from tests.samples import ROAM, STATE

pytestmark = pytest.mark.usefixtures("socket_enabled")

DORA = "02:00:00:00:00:0d"


@pytest.fixture
async def signals(hass: HomeAssistant) -> list[Mapping[str, Any]]:
    """Return a list that fills with the payloads of new-client signals."""
    signals: list[Mapping[str, Any]] = []

    @callback
    def record(data: Mapping[str, Any]) -> None:
        signals.append(data)

    async_dispatcher_connect(hass, SIGNAL_NEW_CLIENT, record)
    return signals


async def seeded_detector(
    hass: HomeAssistant, clients: dict[str, ClientState]
) -> NewClientDetector:
    """Return a started detector whose history is seeded with these clients."""
    history = SiteHistory(hass, "entry", set())
    await history.async_load()
    detector = NewClientDetector(
        hass, history=history, clients=clients, timers=Timers(hass), on_due=lambda: None
    )
    detector.seen_before = ()
    detector.async_start()
    assert detector.async_process_snapshot() == []
    return detector


def state(mac: str, **changes: Any) -> ClientState:
    return replace(STATE, mac=mac, **changes)


async def test_new_client_is_detected_once_and_only_with_an_address(hass: HomeAssistant) -> None:
    clients = {ANNA: state(ANNA)}
    detector = await seeded_detector(hass, clients)
    clients[CARA] = state(CARA, ip=None)
    assert detector.async_check([ANNA, CARA]) == []
    clients[CARA] = state(CARA)
    assert detector.async_check([ANNA, CARA]) == [CARA]
    assert detector.async_check([ANNA, CARA]) == detector.async_process_snapshot() == []
    detector._timers.async_close()


async def test_new_clients_are_not_seeded_by_a_snapshot_without_clients(
    hass: HomeAssistant,
) -> None:
    clients: dict[str, ClientState] = {}
    detector = await seeded_detector(hass, clients)
    clients[ANNA] = state(ANNA)
    assert detector.async_check([ANNA]) == []
    assert detector.async_process_snapshot() == []


async def test_no_client_is_new_while_it_is_unknown_who_was_there_before(
    hass: HomeAssistant,
) -> None:
    history = SiteHistory(hass, "entry", set())
    clients = {ANNA: state(ANNA)}
    detector = NewClientDetector(
        hass, history=history, clients=clients, timers=Timers(hass), on_due=lambda: None
    )
    detector.async_start()
    assert detector.async_process_snapshot() == []
    clients[CARA] = state(CARA)
    assert detector.async_check([CARA]) == detector.async_process_snapshot() == []
    assert not history.is_seeded

    detector.seen_before = (BEN,)
    assert detector.async_process_snapshot() == []
    clients |= {BEN: state(BEN), HALL: state(HALL)}
    assert detector.async_check([BEN, CARA, HALL]) == [HALL]


async def test_client_passing_by_without_an_address_is_not_new(hass: HomeAssistant) -> None:
    clients = {ANNA: state(ANNA)}
    detector = await seeded_detector(hass, clients)
    clients[CARA] = state(CARA, ip=None)
    assert detector.async_check([CARA]) == []
    clients[CARA] = state(CARA, ip=None, link=None)
    assert detector.async_check([CARA]) == []
    detector._clock = lambda: hass.loop.time() + 61
    clients[CARA] = state(CARA, ip=None)
    assert detector.async_check([CARA]) == []
    detector._timers.async_close()


async def test_client_without_an_address_is_new_after_a_minute(hass: HomeAssistant) -> None:
    clients = {ANNA: state(ANNA)}
    detector = await seeded_detector(hass, clients)
    clients[CARA] = state(CARA, ip=None)
    assert detector.async_check([CARA]) == []
    assert detector.async_check_waiting() == []
    detector._clock = lambda: hass.loop.time() + 61
    assert detector.async_check_waiting() == [CARA]
    assert detector.async_check_waiting() == []
    detector._timers.async_close()


async def test_snapshot_does_not_mark_a_waiting_client_known(
    hass: HomeAssistant,
) -> None:
    clients = {ANNA: state(ANNA)}
    detector = await seeded_detector(hass, clients)
    clients[CARA] = state(CARA, ip=None)
    assert detector.async_check([CARA]) == detector.async_process_snapshot() == []
    clients[CARA] = state(CARA)
    assert detector.async_process_snapshot() == [CARA]
    detector._timers.async_close()


async def test_new_client_waits_again_after_it_disconnected(hass: HomeAssistant) -> None:
    clients = {ANNA: state(ANNA), CARA: state(CARA, ip=None)}
    detector = await seeded_detector(hass, {ANNA: clients[ANNA]})
    detector._clients = clients
    now = 0.0
    detector._clock = lambda: now
    assert detector.async_check([CARA]) == []
    now = 50.0
    detector.async_process_events([replace(ROAM, mac=CARA, kind=EventKind.DISCONNECTED)])
    assert detector.async_check([CARA]) == []
    now = 70.0
    detector.async_process_events([replace(ROAM, mac=CARA)])
    assert detector.async_check([CARA]) == detector.async_check_waiting() == []
    now = 110.0
    assert detector.async_check_waiting() == [CARA]
    detector._timers.async_close()


async def test_new_clients_are_not_detected_before_home_assistant_is_running(
    hass: HomeAssistant,
) -> None:
    clients = {ANNA: state(ANNA)}
    detector = await seeded_detector(hass, clients)
    clients[CARA] = state(CARA)
    hass.set_state(CoreState.starting)
    assert detector.async_check([CARA]) == detector.async_process_snapshot() == []
    hass.set_state(CoreState.running)
    assert detector.async_process_snapshot() == [CARA]


async def test_passers_by_do_not_displace_connected_clients_from_the_history(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_KNOWN_LIMIT", 3)
    clients = {ANNA: state(ANNA)}
    detector = await seeded_detector(hass, clients)
    for number in range(10):
        mac = f"02:00:00:00:01:{number:02x}"
        clients[mac] = state(mac)
        assert detector.async_check([mac]) == [mac]
        del clients[mac]
        assert detector.async_process_snapshot() == []
    assert detector.async_check([ANNA]) == []
    assert len(detector._history._known or ()) == 3


@pytest.mark.parametrize(
    ("mac", "randomised"),
    [("02:00:00:00:00:01", True), ("78:45:58:00:00:01", False), ("03:00:00:00:00:01", False)],
)
def test_randomised_mac_is_recognised(mac: str, *, randomised: bool) -> None:
    assert is_randomised(mac) is randomised


async def test_new_client_is_signalled_once_with_the_whole_payload(
    home: Home, signals: list[Mapping[str, Any]]
) -> None:
    await home.set_up()
    home.world.add_client("Cara", mac=CARA)
    await home.controller.connect(CARA, "Hall")
    await home.later(61)
    await until(lambda: signals)
    assert signals == [
        {
            "entry_id": home.entry.entry_id,
            "site": "default",
            "client_mac": CARA,
            "client_name": "Cara",
            "device_id": None,
            "guest": False,
            "ssid": "Home",
            "ip": signals[0]["ip"],
            "randomised_mac": True,
            "ap_mac": HALL,
            "ap_name": "Hall",
            "area": None,
        }
    ]
    await home.controller.disconnect(CARA)
    await home.later(61)
    await home.controller.connect(CARA, "Hall")
    await home.later(122)
    assert len(signals) == 1


async def test_client_that_the_controller_remembers_is_not_new(
    home: Home, signals: list[Mapping[str, Any]]
) -> None:
    home.world.add_client("Cara", mac=CARA)
    await home.set_up()
    await home.controller.connect(CARA, "Hall")
    await home.happened(1)
    await home.later(61)
    assert signals == []


@pytest.mark.parametrize(
    "response",
    [
        {"status": 503},
        {"status": 403},
        {"status": 200, "body": {"meta": {"rc": "ok"}, "data": []}},
    ],
    ids=["unavailable", "refused", "empty"],
)
async def test_client_is_not_new_if_the_remembered_ones_are_only_read_later(
    home: Home,
    signals: list[Mapping[str, Any]],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    response: dict[str, Any],
) -> None:
    monkeypatch.setattr(coordinator, "KNOWN_CLIENTS_RETRY", 0.2)
    home.world.add_client("Cara", mac=CARA)
    home.controller.faults.refuse("*rest/user", times=2, **response)
    await home.set_up()
    assert "has not listed the clients that it remembers" in caplog.text
    await until(lambda: len(home.controller.requests("rest/user")) == 3)
    await home.quiet()
    await home.coordinator.async_refresh()
    await home.controller.connect(CARA, "Hall")
    await home.happened(1)
    home.world.add_client("Dora", mac=DORA)
    await home.controller.connect(DORA, "Hall")
    await home.later(122)
    await until(lambda: signals)
    assert [signal["client_mac"] for signal in signals] == [DORA]
    assert len(home.controller.requests("rest/user")) == 3


async def test_list_of_remembered_clients_is_not_waited_for_after_a_failed_setup(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coordinator, "KNOWN_CLIENTS_RETRY", 0.1)
    home.controller.faults.refuse("*rest/user", status=503)
    home.controller.faults.refuse("*stat/sta", status=503)
    await home.set_up(wait=False)
    assert home.entry.state is ConfigEntryState.SETUP_RETRY
    await asyncio.sleep(0.3)
    assert len(home.controller.requests("rest/user")) == 1


async def test_client_is_not_new_after_a_reload(
    home: Home, signals: list[Mapping[str, Any]]
) -> None:
    await home.set_up(clients=(ANNA,))
    await home.quiet()
    await home.hass.config_entries.async_reload(home.entry.entry_id)
    await home.streaming(4)
    await home.controller.roam(BEN, "Kitchen")
    await home.happened(1)
    assert signals == []


async def test_new_client_that_came_while_unloaded_is_shown_by_the_event_entity(home: Home) -> None:
    await home.set_up(clients=(ANNA,))
    await home.quiet()
    await home.hass.config_entries.async_unload(home.entry.entry_id)
    home.world.add_client("Cara", mac=CARA, ap="Hall")
    snapshots = home.snapshots
    await home.hass.config_entries.async_setup(home.entry.entry_id)
    await home.streaming(snapshots + 2)
    visitor = home.state("visitor", domain="event")
    assert visitor is not None
    assert visitor.attributes["event_type"] == "new_client"
    assert visitor.attributes["client_mac"] == CARA
