"""Home Assistant comes across controllers by itself."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager
from unittest.mock import patch

from aiohttp import ThreadedResolver
from homeassistant import loader
from homeassistant.config_entries import (
    SOURCE_DHCP,
    SOURCE_IGNORE,
    SOURCE_SSDP,
    ConfigEntryState,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.service_info.dhcp import DhcpServiceInfo
from homeassistant.helpers.service_info.ssdp import SsdpServiceInfo
import pytest

from custom_components.unifi_scanner.const import DOMAIN
from custom_components.unifi_scanner.hub import login_budget
from tests.controller import SimulatedController
from tests.flows import Flow, closed_port, entry_of, furnish, idle_entries, typed
from tests.handshakes import let_refused_handshakes_pass
from tests.home import Home, until

pytestmark = pytest.mark.usefixtures("socket_enabled")

MAC = "78:45:58:aa:bb:cc"
CONSOLE = SsdpServiceInfo(
    ssdp_usn="uuid:console",
    ssdp_st="upnp:rootdevice",
    ssdp_location="http://127.0.0.1:41417/rootDesc.xml",
    upnp={
        "friendlyName": "UniFi Dream Machine",
        "manufacturer": "Ubiquiti Networks",
        "modelDescription": "UniFi Dream Machine Pro",
        "serialNumber": "784558aabbcc",
    },
)
CLOUD_KEY = DhcpServiceInfo(ip="127.0.0.1", hostname="unifi-cloudkey", macaddress="784558aabbcc")


@pytest.fixture(autouse=True)
def _certificates_may_be_refused(hass: HomeAssistant) -> None:
    let_refused_handshakes_pass(hass)


@pytest.fixture
def _idle() -> Iterator[None]:
    with idle_entries():
        yield


@pytest.fixture
async def controller(
    socket_enabled: None,  # noqa: ARG001 - before the controller opens its own
) -> AsyncIterator[SimulatedController]:
    async with SimulatedController() as controller:
        furnish(controller)
        with listening_at(controller.port):
            yield controller


def listening_at(port: int) -> AbstractContextManager[object]:
    """Let controllers be looked for at a port, as the usual ones cannot be had in tests."""
    return patch("custom_components.unifi_scanner.api.endpoints.CANDIDATE_PORTS", (port,))


@pytest.fixture
def flow(hass: HomeAssistant) -> Flow:
    return Flow(hass)


class LocalResolver(ThreadedResolver):
    """Stands for Home Assistant's, which would ask the network by multicast."""

    async def real_close(self) -> None:
        """Close."""


def found(hass: HomeAssistant) -> list[str | None]:
    """Return the ids of what is shown as discovered."""
    return [flow["context"]["unique_id"] for flow in hass.config_entries.flow.async_progress()]


async def test_the_manifest_asks_for_what_the_steps_take(hass: HomeAssistant) -> None:
    ssdp, dhcp = await loader.async_get_ssdp(hass), await loader.async_get_dhcp(hass)
    described = {key: CONSOLE.upnp[key] for key in ("manufacturer", "modelDescription")}
    assert described in ssdp[DOMAIN]
    assert {"domain": DOMAIN, "hostname": "unifi*"} in dhcp


@pytest.mark.usefixtures("_idle")
@pytest.mark.parametrize(("source", "info"), [(SOURCE_SSDP, CONSOLE), (SOURCE_DHCP, CLOUD_KEY)])
async def test_a_controller_that_was_found_is_set_up(
    hass: HomeAssistant,
    flow: Flow,
    controller: SimulatedController,
    source: str,
    info: SsdpServiceInfo | DhcpServiceInfo,
) -> None:
    result = await flow.start(source, info)
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "user")
    assert flow.suggestions() == {"host": "127.0.0.1"}
    assert found(hass) == [MAC]
    (shown,) = hass.config_entries.flow.async_progress()
    assert shown["context"]["title_placeholders"]["host"] == "127.0.0.1"
    assert shown["context"]["configuration_url"] == controller.base_url
    assert {request.path for request in controller.requests()} == {"/"}
    assert controller.login_attempts == 0

    await flow.submit(typed(controller, host="127.0.0.1"))
    result = await flow.finish()
    assert result["result"].unique_id == f"{controller.settings.controller_id}_default"
    assert found(hass) == []


@pytest.mark.usefixtures("_idle", "controller")
async def test_what_is_found_in_two_ways_is_shown_once(hass: HomeAssistant, flow: Flow) -> None:
    await flow.start(SOURCE_SSDP, CONSOLE)
    for source, info in (
        (SOURCE_SSDP, CONSOLE),
        (SOURCE_DHCP, CLOUD_KEY),
        # By another of its addresses in the network.
        (SOURCE_DHCP, DhcpServiceInfo(ip="127.0.0.1", hostname="unifi", macaddress="784558aabbcd")),
    ):
        result = await Flow(hass).start(source, info)
        assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "already_in_progress")
    assert found(hass) == [MAC]


@pytest.mark.usefixtures("_idle", "controller")
async def test_one_that_tells_no_serial_number_is_known_by_its_address(
    hass: HomeAssistant, flow: Flow
) -> None:
    nameless = SsdpServiceInfo(
        ssdp_usn="uuid:console",
        ssdp_st="upnp:rootdevice",
        ssdp_location=CONSOLE.ssdp_location,
        upnp={},
    )
    await flow.start(SOURCE_SSDP, nameless)
    assert found(hass) == ["127.0.0.1"]


@pytest.mark.parametrize("location", [None, "http://127.0.0.1/rootDesc.xml"])
async def test_what_is_no_controller_is_not_shown(flow: Flow, location: str | None) -> None:
    camera = SsdpServiceInfo(
        ssdp_usn="uuid:camera", ssdp_st="upnp:rootdevice", ssdp_location=location, upnp={}
    )
    with listening_at(closed_port()):
        result = await flow.start(SOURCE_SSDP, camera)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "no_controller")


@pytest.mark.usefixtures("_idle")
async def test_what_the_user_ignores_is_not_shown_again(
    hass: HomeAssistant, flow: Flow, controller: SimulatedController
) -> None:
    await flow.start(SOURCE_SSDP, CONSOLE)
    await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_IGNORE}, data={"unique_id": MAC, "title": "UniFi"}
    )
    asked = len(controller.requests())
    result = await flow.start(SOURCE_SSDP, CONSOLE)
    assert result["reason"] == "already_configured"
    assert len(controller.requests()) == asked

    # By hand it can be set up all the same.
    await flow.start()
    await flow.submit(typed(controller))
    await flow.finish()


@pytest.mark.usefixtures("_idle")
async def test_one_that_was_ignored_half_way_through_can_be_set_up_by_hand(
    hass: HomeAssistant, flow: Flow, controller: SimulatedController
) -> None:
    unique_id = f"{controller.settings.controller_id}_default"
    await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_IGNORE}, data={"unique_id": unique_id, "title": "UniFi"}
    )
    await flow.start()
    await flow.submit(typed(controller))
    await flow.finish()


@pytest.mark.usefixtures("_idle")
async def test_one_that_is_set_up_by_hand_is_no_longer_shown_as_found(
    hass: HomeAssistant, flow: Flow, controller: SimulatedController
) -> None:
    await flow.start(SOURCE_SSDP, CONSOLE)
    unfinished, by_hand = Flow(hass), Flow(hass)
    await unfinished.start()
    await by_hand.start()
    await by_hand.submit(typed(controller))
    await by_hand.finish()
    (left,) = hass.config_entries.flow.async_progress()
    assert left["flow_id"] == unfinished.result["flow_id"]


@pytest.mark.usefixtures("_idle")
async def test_a_site_that_is_set_up_ends_nobody_elses_question_for_a_login(
    hass: HomeAssistant, flow: Flow, controller: SimulatedController
) -> None:
    other_site = entry_of(controller, site="8xff0x6m", host="127.0.0.1")
    other_site.add_to_hass(hass)
    question = await other_site.start_reauth_flow(hass)
    await flow.start()
    await flow.submit(typed(controller))
    await flow.finish()
    (left,) = hass.config_entries.flow.async_progress()
    assert left["flow_id"] == question["flow_id"]


@pytest.mark.usefixtures("_idle")
async def test_one_that_is_set_up_by_its_name_is_no_longer_shown_as_found_either(
    hass: HomeAssistant, flow: Flow, controller: SimulatedController
) -> None:
    resolver = "homeassistant.helpers.aiohttp_client._async_make_resolver"
    with patch(resolver, return_value=LocalResolver()):
        await flow.start(SOURCE_SSDP, CONSOLE)
        by_hand = Flow(hass)
        await by_hand.start()
        await by_hand.submit(typed(controller, host=f"localhost:{controller.port}"))
        await by_hand.finish()
    assert found(hass) == []


# What is set up already


@pytest.mark.usefixtures("_idle")
@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
async def test_one_that_is_set_up_is_known_by_its_address(
    hass: HomeAssistant, flow: Flow, controller: SimulatedController, name: str
) -> None:
    entry_of(controller, url=f"https://{name}:{controller.port}").add_to_hass(hass)
    result = await flow.start(SOURCE_SSDP, CONSOLE)
    assert result["reason"] == "already_configured"
    assert controller.requests() == []


@pytest.mark.usefixtures("_idle")
async def test_a_name_that_nobody_knows_is_no_address(
    hass: HomeAssistant, flow: Flow, controller: SimulatedController
) -> None:
    entry_of(controller, url="https://nowhere.invalid:443", ssl="verify").add_to_hass(hass)
    with patch.object(hass.loop, "getaddrinfo", side_effect=OSError("Name not known")):
        result = await flow.start(SOURCE_SSDP, CONSOLE)
    assert result["step_id"] == "user"


# A console has an address in each of its networks.
ELSEWHERE = SsdpServiceInfo(
    ssdp_usn="uuid:console",
    ssdp_st="upnp:rootdevice",
    ssdp_location="http://127.0.0.2/rootDesc.xml",
    upnp=CONSOLE.upnp,
)


def answering_elsewhere(controller: SimulatedController) -> AbstractContextManager[object]:
    """Let a controller be reached at any address; connections to others are barred in tests."""
    return patch(
        "custom_components.unifi_scanner.flow.discovery.candidate_urls",
        return_value=(controller.base_url,),
    )


async def move_away(home: Home) -> None:
    """Let an entry look for its controller where nobody is."""
    data = {**home.entry.data, "url": f"https://127.0.0.1:{closed_port()}"}
    home.hass.config_entries.async_update_entry(home.entry, data=data)
    await home.hass.config_entries.async_reload(home.entry.entry_id)
    assert home.entry.state is ConfigEntryState.SETUP_RETRY


async def test_an_entry_follows_its_controller_by_the_certificate(
    home: Home, flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login_budget, "LOGIN_INTERVAL", 0.0)
    await home.set_up()
    await move_away(home)
    with answering_elsewhere(home.controller):
        result = await flow.start(SOURCE_SSDP, ELSEWHERE)
    assert result["reason"] == "already_configured"
    assert home.entry.data["host"] == "127.0.0.2"
    assert home.entry.data["url"] == home.controller.base_url
    await until(lambda: home.entry.state is ConfigEntryState.LOADED)
    await home.streaming(4)


async def test_an_entry_that_reaches_its_controller_stays_where_it_is(
    home: Home, flow: Flow
) -> None:
    await home.set_up()
    before = dict(home.entry.data)
    with answering_elsewhere(home.controller):
        result = await flow.start(SOURCE_SSDP, ELSEWHERE)
        assert result["reason"] == "already_configured"
        assert dict(home.entry.data) == before

        home.coordinator.available = False
        await flow.start(SOURCE_SSDP, ELSEWHERE)
    assert home.entry.data["host"] == "127.0.0.2"
    await home.streaming(4)


async def test_another_controller_does_not_take_its_place(home: Home, flow: Flow) -> None:
    await home.set_up()
    await move_away(home)
    async with SimulatedController() as other:
        with answering_elsewhere(other):
            result = await flow.start(SOURCE_SSDP, ELSEWHERE)
    assert result["step_id"] == "user"
    assert home.entry.data["host"] == "127.0.0.1"
