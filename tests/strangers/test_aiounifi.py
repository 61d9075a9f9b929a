"""Check the simulated controller with aiounifi, the library of Home Assistant's UniFi integration.

An independent client shows that the simulation follows the protocol and not our own expectations.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
import ssl

import aiohttp
from aiounifi.controller import Controller
from aiounifi.errors import AiounifiException, LoginRequired, WebsocketError
from aiounifi.interfaces.api_handlers import ItemEvent
from aiounifi.models.client import (
    ClientBlockRequest,
    ClientReconnectRequest,
    ClientRemoveRequest,
)
from aiounifi.models.configuration import Configuration
from aiounifi.models.device import DeviceState
from aiounifi.models.event import Event, EventKey
import pytest

from tests.controller import Band, Flavour, Generation, SimulatedController


@pytest.fixture
async def aiounifi(controller: SimulatedController) -> AsyncGenerator[Controller]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=controller.certificate_der)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield Controller(
            Configuration(
                session,
                "127.0.0.1",
                username=controller.username,
                password=controller.password,
                port=controller.port,
                ssl_context=context,
            )
        )


@pytest.fixture
async def streaming(
    controller: SimulatedController, aiounifi: Controller
) -> AsyncGenerator[Controller]:
    """Return an aiounifi controller that is logged in and has its event socket open."""
    await aiounifi.login()
    await aiounifi.clients.update()
    stream = asyncio.create_task(aiounifi.start_websocket())
    await controller.wait_for_sockets()
    yield aiounifi
    stream.cancel()
    with suppress(asyncio.CancelledError, WebsocketError):
        await stream


async def test_aiounifi_detects_the_controller_type_and_logs_in(
    controller: SimulatedController, aiounifi: Controller
) -> None:
    await aiounifi.login()
    assert aiounifi.connectivity.is_unifi_os is (controller.settings.flavour is Flavour.UNIFI_OS)
    assert controller.logins == 1


async def test_aiounifi_kicks_a_client(
    controller: SimulatedController, aiounifi: Controller
) -> None:
    await aiounifi.login()
    phone = controller.world.client("Anna's phone")
    await aiounifi.request(ClientReconnectRequest.create(phone.mac))
    assert not phone.connected


async def test_aiounifi_blocks_unblocks_and_forgets_a_client(
    controller: SimulatedController, streaming: Controller
) -> None:
    mac = controller.world.client("Anna's phone").mac
    events: asyncio.Queue[Event] = asyncio.Queue()
    keys = {True: EventKey.WIRELESS_CLIENT_BLOCKED, False: EventKey.WIRELESS_CLIENT_UNBLOCKED}
    streaming.events.subscribe(events.put_nowait, tuple(keys.values()))
    for block, key in keys.items():
        await streaming.request(ClientBlockRequest.create(mac, block=block))
        event = await asyncio.wait_for(events.get(), 5)
        assert (event.key, event.mac) == (key, mac)
        await streaming.clients_all.update()
        assert streaming.clients_all[mac].blocked is block

    deleted: asyncio.Queue[str] = asyncio.Queue()
    streaming.clients.subscribe(lambda _, mac: deleted.put_nowait(mac), ItemEvent.DELETED)
    await streaming.request(ClientRemoveRequest.create([mac]))
    assert await asyncio.wait_for(deleted.get(), 5) == mac


async def test_aiounifi_lists_sites_clients_devices_and_system_information(
    controller: SimulatedController, aiounifi: Controller
) -> None:
    await aiounifi.login()
    for handler in (
        aiounifi.sites,
        aiounifi.clients,
        aiounifi.clients_all,
        aiounifi.devices,
        aiounifi.system_information,
        aiounifi.wlans,
    ):
        await handler.update()

    assert {(site.name, site.description) for site in aiounifi.sites.values()} == {
        ("default", "Default"),
        ("8abc0d1e", "Holiday Home"),
    }
    assert len(aiounifi.clients_all.items()) == 3
    anna = aiounifi.clients[controller.world.client("Anna's phone").mac]
    hall = controller.world.access_point("Hall")
    assert (anna.name, anna.essid, anna.access_point_mac) == ("Anna's phone", "Home", hall.mac)
    assert not anna.is_wired
    assert {client.is_guest for client in aiounifi.clients.values()} == {True, False}
    assert {device.name: device.type for device in aiounifi.devices.values()} == {
        "Dream Machine": "udm",
        "Hall": "uap",
        "Kitchen": "uap",
    }
    assert aiounifi.devices[hall.mac].state is DeviceState.CONNECTED
    assert {(wlan.name, wlan.is_guest) for wlan in aiounifi.wlans.values()} == {
        ("Home", False),
        ("Guests", True),
    }
    information = next(iter(aiounifi.system_information.values()))
    assert information.version == controller.settings.network_version
    assert information.anonymous_controller_id == controller.settings.controller_id


async def test_aiounifi_finds_no_settings_that_nobody_made(
    controller: SimulatedController, aiounifi: Controller
) -> None:
    await aiounifi.login()
    for handler in (
        aiounifi.dpi_apps,
        aiounifi.dpi_groups,
        aiounifi.firewall_policies,
        aiounifi.object_oriented_network_configs,
        aiounifi.port_forwarding,
        aiounifi.traffic_routes,
        aiounifi.traffic_rules,
    ):
        await handler.update()
        assert controller.state.request_log.requests[-1].status == 200
        assert not handler.items()


async def test_aiounifi_receives_the_frames_of_a_roam(
    controller: SimulatedController, streaming: Controller
) -> None:
    events: asyncio.Queue[Event] = asyncio.Queue()
    streaming.events.subscribe(events.put_nowait, EventKey.WIRELESS_CLIENT_ROAM)
    changed = asyncio.Event()
    streaming.clients.subscribe(lambda *_: changed.set(), ItemEvent.CHANGED)

    roam = await controller.roam("Anna's phone", "Kitchen")
    event = await asyncio.wait_for(events.get(), 5)
    assert event.mac == roam.mac
    assert (event.raw["ap_from"], event.raw["ap_to"]) == (
        controller.world.access_point("Hall").mac,
        controller.world.access_point("Kitchen").mac,
    )
    assert event.ssid == "Home"

    await controller.sync("Anna's phone")
    await asyncio.wait_for(changed.wait(), 5)
    kitchen = controller.world.access_point("Kitchen").mac
    assert streaming.clients[roam.mac].access_point_mac == kitchen


@pytest.mark.parametrize(
    ("verb", "key"),
    [
        ("disconnect", EventKey.WIRELESS_CLIENT_DISCONNECTED),
        ("connect", EventKey.WIRELESS_CLIENT_CONNECTED),
        ("roam_radio", EventKey.WIRELESS_CLIENT_ROAM_RADIO),
    ],
)
async def test_aiounifi_recognizes_the_other_events(
    controller: SimulatedController, streaming: Controller, verb: str, key: EventKey
) -> None:
    events: asyncio.Queue[Event] = asyncio.Queue()
    streaming.events.subscribe(events.put_nowait)
    match verb:
        case "disconnect":
            await controller.disconnect("Anna's phone")
        case "connect":
            await controller.connect("Away", "Hall")
        case _:
            await controller.roam_radio("Anna's phone", Band.NG)
    assert (await asyncio.wait_for(events.get(), 5)).key is key


async def test_aiounifi_receives_a_roam_of_the_sync_only_generation() -> None:
    async with (
        SimulatedController(generation=Generation.SYNC_ONLY) as controller,
        aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session,
    ):
        for name in ("Hall", "Kitchen"):
            controller.world.add_access_point(name)
        anna = controller.world.add_client("Anna's phone", ap="Hall")
        aiounifi = Controller(
            Configuration(
                session,
                "127.0.0.1",
                username=controller.username,
                password=controller.password,
                port=controller.port,
            )
        )
        await aiounifi.login()
        events: list[Event] = []
        aiounifi.events.subscribe(events.append)
        changed = asyncio.Event()
        aiounifi.clients.subscribe(lambda *_: changed.set())
        stream = asyncio.create_task(aiounifi.start_websocket())
        await controller.wait_for_sockets()
        await controller.roam("Anna's phone", "Kitchen")
        await asyncio.wait_for(changed.wait(), 5)
        kitchen = controller.world.access_point("Kitchen").mac
        assert aiounifi.clients[anna.mac].access_point_mac == kitchen
        assert not events
        stream.cancel()
        with suppress(asyncio.CancelledError, WebsocketError):
            await stream


async def test_aiounifi_recognizes_a_wrong_password(
    controller: SimulatedController, aiounifi: Controller
) -> None:
    aiounifi.connectivity.config.password = "wrong"
    with pytest.raises(AiounifiException):
        await aiounifi.login()
    assert (controller.login_attempts, controller.logins) == (1, 0)


async def test_aiounifi_logs_in_with_a_second_factor(
    controller: SimulatedController, aiounifi: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    controller.faults.login_code = "123456"
    aiounifi.connectivity.config.totp_secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    monkeypatch.setattr("pyotp.TOTP.now", lambda _: "123456")
    await aiounifi.login()
    await aiounifi.sites.update()
    assert controller.logins == 1


async def test_aiounifi_logs_in_again_after_the_session_has_expired(
    controller: SimulatedController, aiounifi: Controller
) -> None:
    await aiounifi.login()
    await controller.expire_sessions()
    await aiounifi.sites.update()
    assert controller.logins == 2


async def test_aiounifi_is_rejected_without_a_login(
    controller: SimulatedController, aiounifi: Controller
) -> None:
    await aiounifi.connectivity.check_unifi_os()
    with pytest.raises(LoginRequired):
        await aiounifi.sites.update()
    assert controller.logins == 0
