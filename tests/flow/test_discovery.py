"""Controllers discovered by SSDP or DHCP."""

from collections.abc import AsyncIterator
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
from tests.flows import Flow, closed_port, entry_of, furnish, typed
from tests.home import Home, until

pytestmark = pytest.mark.usefixtures("socket_enabled", "refused_handshakes")

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


@pytest.fixture
async def controller(
    socket_enabled: None,  # noqa: ARG001 - the simulated controller listens on loopback
) -> AsyncIterator[SimulatedController]:
    async with SimulatedController() as controller:
        furnish(controller)
        with searching_port(controller.port):
            yield controller


def searching_port(port: int) -> AbstractContextManager[object]:
    """Search for controllers on this port, as tests cannot listen on the default ones."""
    return patch("custom_components.unifi_scanner.api.endpoints.CANDIDATE_PORTS", (port,))


@pytest.fixture
def flow(hass: HomeAssistant) -> Flow:
    return Flow(hass)


class LocalResolver(ThreadedResolver):
    """Replaces Home Assistant's resolver, which would send multicast queries."""

    async def real_close(self) -> None:
        """Close."""


def discovered(hass: HomeAssistant) -> list[str | None]:
    """Return the unique ids of the flows in progress, which users see as discovered."""
    return [flow["context"]["unique_id"] for flow in hass.config_entries.flow.async_progress()]


async def test_discovery_matches_the_manifest(hass: HomeAssistant) -> None:
    ssdp, dhcp = await loader.async_get_ssdp(hass), await loader.async_get_dhcp(hass)
    described = {key: CONSOLE.upnp[key] for key in ("manufacturer", "modelDescription")}
    assert described in ssdp[DOMAIN]
    assert {"domain": DOMAIN, "hostname": "unifi*"} in dhcp


@pytest.mark.usefixtures("idle_entries")
@pytest.mark.parametrize(("source", "info"), [(SOURCE_SSDP, CONSOLE), (SOURCE_DHCP, CLOUD_KEY)])
async def test_a_discovered_controller_is_set_up(
    hass: HomeAssistant,
    flow: Flow,
    controller: SimulatedController,
    source: str,
    info: SsdpServiceInfo | DhcpServiceInfo,
) -> None:
    result = await flow.start(source, info)
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "user")
    assert flow.suggestions() == {"host": "127.0.0.1"}
    assert discovered(hass) == [MAC]
    (progress,) = hass.config_entries.flow.async_progress()
    assert progress["context"]["title_placeholders"]["host"] == "127.0.0.1"
    assert progress["context"]["configuration_url"] == controller.base_url
    assert {request.path for request in controller.requests()} == {"/"}
    assert controller.login_attempts == 0

    await flow.submit(typed(controller, host="127.0.0.1"))
    result = await flow.finish()
    assert result["result"].unique_id == f"{controller.settings.controller_id}_default"
    assert discovered(hass) == []


@pytest.mark.usefixtures("idle_entries", "controller")
async def test_a_controller_discovered_twice_is_shown_once(hass: HomeAssistant, flow: Flow) -> None:
    await flow.start(SOURCE_SSDP, CONSOLE)
    for source, info in (
        (SOURCE_SSDP, CONSOLE),
        (SOURCE_DHCP, CLOUD_KEY),
        # The same controller, found by another of its MAC addresses.
        (SOURCE_DHCP, DhcpServiceInfo(ip="127.0.0.1", hostname="unifi", macaddress="784558aabbcd")),
    ):
        result = await Flow(hass).start(source, info)
        assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "already_in_progress")
    assert discovered(hass) == [MAC]


@pytest.mark.usefixtures("idle_entries", "controller")
async def test_a_discovery_without_a_serial_number_is_identified_by_its_host(
    hass: HomeAssistant, flow: Flow
) -> None:
    anonymous = SsdpServiceInfo(
        ssdp_usn="uuid:console",
        ssdp_st="upnp:rootdevice",
        ssdp_location=CONSOLE.ssdp_location,
        upnp={},
    )
    await flow.start(SOURCE_SSDP, anonymous)
    assert discovered(hass) == ["127.0.0.1"]


@pytest.mark.parametrize("location", [None, "http://127.0.0.1/rootDesc.xml"])
async def test_a_discovery_of_something_else_is_aborted(flow: Flow, location: str | None) -> None:
    camera = SsdpServiceInfo(
        ssdp_usn="uuid:camera", ssdp_st="upnp:rootdevice", ssdp_location=location, upnp={}
    )
    with searching_port(closed_port()):
        result = await flow.start(SOURCE_SSDP, camera)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "no_controller")


@pytest.mark.usefixtures("idle_entries")
async def test_an_ignored_discovery_is_not_shown_again(
    hass: HomeAssistant, flow: Flow, controller: SimulatedController
) -> None:
    await flow.start(SOURCE_SSDP, CONSOLE)
    await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_IGNORE}, data={"unique_id": MAC, "title": "UniFi"}
    )
    requests = len(controller.requests())
    result = await flow.start(SOURCE_SSDP, CONSOLE)
    assert result["reason"] == "already_configured"
    assert len(controller.requests()) == requests

    # It can still be set up manually.
    await flow.start()
    await flow.submit(typed(controller))
    await flow.finish()


@pytest.mark.usefixtures("idle_entries")
async def test_a_site_ignored_during_setup_can_still_be_set_up_manually(
    hass: HomeAssistant, flow: Flow, controller: SimulatedController
) -> None:
    unique_id = f"{controller.settings.controller_id}_default"
    await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_IGNORE}, data={"unique_id": unique_id, "title": "UniFi"}
    )
    await flow.start()
    await flow.submit(typed(controller))
    await flow.finish()


@pytest.mark.usefixtures("idle_entries")
async def test_manual_setup_dismisses_the_discovery(
    hass: HomeAssistant, flow: Flow, controller: SimulatedController
) -> None:
    await flow.start(SOURCE_SSDP, CONSOLE)
    unfinished, manual = Flow(hass), Flow(hass)
    await unfinished.start()
    await manual.start()
    await manual.submit(typed(controller))
    await manual.finish()
    (left,) = hass.config_entries.flow.async_progress()
    assert left["flow_id"] == unfinished.result["flow_id"]


@pytest.mark.usefixtures("idle_entries")
async def test_setup_does_not_dismiss_a_reauthentication(
    hass: HomeAssistant, flow: Flow, controller: SimulatedController
) -> None:
    other_site = entry_of(controller, site="8xff0x6m", host="127.0.0.1")
    other_site.add_to_hass(hass)
    reauth = await other_site.start_reauth_flow(hass)
    await flow.start()
    await flow.submit(typed(controller))
    await flow.finish()
    (left,) = hass.config_entries.flow.async_progress()
    assert left["flow_id"] == reauth["flow_id"]


@pytest.mark.usefixtures("idle_entries")
async def test_manual_setup_by_host_name_dismisses_the_discovery(
    hass: HomeAssistant, flow: Flow, controller: SimulatedController
) -> None:
    resolver = "homeassistant.helpers.aiohttp_client._async_make_resolver"
    with patch(resolver, return_value=LocalResolver()):
        await flow.start(SOURCE_SSDP, CONSOLE)
        manual = Flow(hass)
        await manual.start()
        await manual.submit(typed(controller, host=f"localhost:{controller.port}"))
        await manual.finish()
    assert discovered(hass) == []


# Controllers that are already set up


@pytest.mark.usefixtures("idle_entries")
@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
async def test_a_discovery_at_the_address_of_an_entry_is_aborted(
    hass: HomeAssistant, flow: Flow, controller: SimulatedController, name: str
) -> None:
    entry_of(controller, url=f"https://{name}:{controller.port}").add_to_hass(hass)
    result = await flow.start(SOURCE_SSDP, CONSOLE)
    assert result["reason"] == "already_configured"
    assert controller.requests() == []


@pytest.mark.usefixtures("idle_entries")
async def test_discovery_ignores_an_entry_whose_host_name_does_not_resolve(
    hass: HomeAssistant, flow: Flow, controller: SimulatedController
) -> None:
    entry_of(controller, url="https://nowhere.invalid:443", ssl="verify").add_to_hass(hass)
    with patch.object(hass.loop, "getaddrinfo", side_effect=OSError("Name not known")):
        result = await flow.start(SOURCE_SSDP, CONSOLE)
    assert result["step_id"] == "user"


# A controller has one address per network.
ELSEWHERE = SsdpServiceInfo(
    ssdp_usn="uuid:console",
    ssdp_st="upnp:rootdevice",
    ssdp_location="http://127.0.0.2/rootDesc.xml",
    upnp=CONSOLE.upnp,
)


def answering_elsewhere(controller: SimulatedController) -> AbstractContextManager[object]:
    """Reach a controller at any address, as tests may only connect to loopback."""
    return patch(
        "custom_components.unifi_scanner.flow.discovery.candidate_urls",
        return_value=(controller.base_url,),
    )


async def move_away(home: Home) -> None:
    """Point an entry to an address where nothing listens."""
    data = {**home.entry.data, "url": f"https://127.0.0.1:{closed_port()}"}
    home.hass.config_entries.async_update_entry(home.entry, data=data)
    await home.hass.config_entries.async_reload(home.entry.entry_id)
    assert home.entry.state is ConfigEntryState.SETUP_RETRY


async def test_discovery_updates_the_address_of_an_entry_by_its_certificate(
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


async def test_discovery_keeps_the_address_of_an_entry_that_reaches_its_controller(
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


async def test_discovery_of_another_controller_does_not_update_the_entry(
    home: Home, flow: Flow
) -> None:
    await home.set_up()
    await move_away(home)
    async with SimulatedController() as other:
        with answering_elsewhere(other):
            result = await flow.start(SOURCE_SSDP, ELSEWHERE)
    assert result["step_id"] == "user"
    assert home.entry.data["host"] == "127.0.0.1"
