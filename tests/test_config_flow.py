"""The config flow, against the simulated controller: setup, errors and reauthentication."""

import asyncio
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Callable
import contextlib
import logging
import socket
from time import perf_counter
from typing import Any
from unittest.mock import patch

from aiohttp import ClientTimeout
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData, UnknownFlow
import pytest

from custom_components.unifi_scanner.api.client import UnifiClient
from custom_components.unifi_scanner.api.errors import CannotConnectError
from custom_components.unifi_scanner.hub.session import ControllerSession
from custom_components.unifi_scanner.hub.session_pool import async_acquire_session
from tests.controller import (
    Booting,
    Flavour,
    Rejection,
    SimulatedController,
    make_certificate,
)
from tests.flows import (
    Flow,
    closed_port,
    entry_of,
    furnish,
    publicly_trusted,
    typed,
    unresponsive_port,
)

pytestmark = pytest.mark.usefixtures("socket_enabled", "idle_entries", "refused_handshakes")


@pytest.fixture
async def controller() -> AsyncIterator[SimulatedController]:
    async with SimulatedController() as controller:
        furnish(controller)
        yield controller


@pytest.fixture
async def flow(hass: HomeAssistant) -> Flow:
    flow = Flow(hass)
    await flow.start()
    return flow


# Successful setup


async def test_a_controller_is_set_up(flow: Flow, controller: SimulatedController) -> None:
    assert flow.result["step_id"] == "user"
    assert flow.default("ssl") == "pinned"

    result = await flow.submit(typed(controller))
    assert result["step_id"] == "certificate"
    placeholders = result["description_placeholders"]
    assert placeholders is not None
    assert placeholders["fingerprint"] == controller.certificate.fingerprint
    assert placeholders["url"] == controller.base_url
    assert placeholders["not_before"] < placeholders["not_after"]
    assert controller.login_attempts == 0
    assert [request.path for request in controller.requests()] == ["/"]

    result = await flow.submit()
    assert result["step_id"] == "clients"
    assert flow.default("clients") == ["02:00:00:00:00:0a"]
    assert flow.default("add_new_clients") is False
    assert flow.options("clients") == [
        {"value": "02:00:00:00:00:0a", "label": "Anna (02:00:00:00:00:0a)"},
        {"value": "02:00:00:00:00:0d", "label": "Dora (02:00:00:00:00:0d)"},
        {"value": "02:00:00:00:00:0b", "label": "Pixel-7 (02:00:00:00:00:0b)"},
        {"value": "02:00:00:00:00:0c", "label": "02:00:00:00:00:0c"},
    ]

    result = await flow.submit({"clients": ["02:00:00:00:00:0b"], "add_new_clients": True})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "Dream Machine"
    assert result["result"].unique_id == f"{controller.settings.controller_id}_default"
    data = dict(result["data"])
    assert b64decode(data.pop("certificate")) == controller.certificate_der
    assert data == {
        **typed(controller),
        "url": controller.base_url,
        "site": "default",
        "controller_id": controller.settings.controller_id,
    }
    assert result["options"] == {
        "clients": ["02:00:00:00:00:0b"],
        "add_new_clients": True,
        "disconnect_delay": 10.0,
    }
    assert controller.login_attempts == 1


async def test_a_self_hosted_application_is_set_up(flow: Flow) -> None:
    async with SimulatedController(flavour=Flavour.SELF_HOSTED) as controller:
        furnish(controller)
        await flow.submit(typed(controller))
        await flow.finish()
        assert controller.login_attempts == 1


async def test_a_publicly_trusted_certificate_needs_no_confirmation_to_be_verified(
    flow: Flow, controller: SimulatedController
) -> None:
    with publicly_trusted(controller.certificate):
        result = await flow.submit(typed(controller, ssl="verify"))
        assert result["step_id"] == "clients"
        result = await flow.finish()
    assert result["data"]["ssl"] == "verify"
    assert "certificate" not in result["data"]


async def test_a_publicly_trusted_certificate_is_pinned_after_its_confirmation(
    flow: Flow, controller: SimulatedController
) -> None:
    with publicly_trusted(controller.certificate):
        result = await flow.submit(typed(controller, ssl="pinned"))
        assert result["step_id"] == "certificate"
        assert controller.login_attempts == 0
        result = await flow.finish()
    assert result["data"]["ssl"] == "pinned"
    assert b64decode(result["data"]["certificate"]) == controller.certificate_der


async def test_an_unchecked_certificate_needs_no_confirmation(
    flow: Flow, controller: SimulatedController
) -> None:
    result = await flow.submit(typed(controller, ssl="insecure"))
    assert result["step_id"] == "clients"
    result = await flow.finish()
    assert result["data"]["ssl"] == "insecure"
    assert "certificate" not in result["data"]


@pytest.mark.parametrize("ssl", ["pinned", "insecure"])
async def test_a_host_without_a_port_is_tried_on_the_default_ports(
    flow: Flow, controller: SimulatedController, ssl: str
) -> None:
    ports = (closed_port(), controller.port)
    with patch("custom_components.unifi_scanner.api.endpoints.CANDIDATE_PORTS", ports):
        await flow.submit(typed(controller, host="127.0.0.1", ssl=ssl))
    result = await flow.finish()
    assert result["data"]["host"] == "127.0.0.1"
    assert result["data"]["url"] == controller.base_url


async def test_an_unresponsive_default_port_does_not_delay_setup(
    flow: Flow, controller: SimulatedController
) -> None:
    with unresponsive_port() as silent:
        ports = (closed_port(), controller.port, silent)
        with patch("custom_components.unifi_scanner.api.endpoints.CANDIDATE_PORTS", ports):
            started = perf_counter()
            result = await flow.submit(typed(controller, host="127.0.0.1", ssl="insecure"))
    assert perf_counter() - started < 5
    assert result["step_id"] == "clients"


@contextlib.asynccontextmanager
async def web_server() -> AsyncIterator[SimulatedController]:
    """Run a web server that is no controller, such as that of a NAS."""
    async with SimulatedController() as server:
        server.faults.refuse("*", status=200, body="<html>NAS</html>")
        yield server


async def test_default_ports_are_tried_concurrently(
    flow: Flow, controller: SimulatedController
) -> None:
    all_ports = asyncio.Barrier(3)

    async def async_detect(_client: UnifiClient) -> None:
        await all_ports.wait()
        raise CannotConnectError("Nothing responds")

    with patch.object(UnifiClient, "detect", async_detect):
        result = await flow.submit(typed(controller, host="127.0.0.1", ssl="insecure"))
    assert result["errors"] == {"base": "cannot_connect"}


async def test_the_most_informative_error_of_several_ports_is_shown(
    flow: Flow, controller: SimulatedController
) -> None:
    booting(controller)
    ports = (closed_port(), controller.port, closed_port())
    with patch("custom_components.unifi_scanner.api.endpoints.CANDIDATE_PORTS", ports):
        result = await flow.submit(typed(controller, host="127.0.0.1"))
    assert result["errors"] == {"base": "controller_starting"}


@pytest.mark.parametrize("ssl", ["pinned", "insecure"])
@pytest.mark.parametrize("flavour", Flavour)
async def test_no_password_is_sent_to_another_web_server_of_the_host(
    flow: Flow, ssl: str, flavour: Flavour
) -> None:
    async with SimulatedController(flavour=flavour) as controller, web_server() as other:
        furnish(controller)
        ports = (other.port, controller.port)
        with patch("custom_components.unifi_scanner.api.endpoints.CANDIDATE_PORTS", ports):
            await flow.submit(typed(controller, host="127.0.0.1", ssl=ssl))
            result = await flow.finish()
        assert result["data"]["url"] == controller.base_url
        assert other.requests()
        assert {request.method for request in other.requests()} == {"GET"}


async def test_a_web_server_that_is_no_controller_is_named_as_such(flow: Flow) -> None:
    async with web_server() as other:
        ports = (closed_port(), other.port)
        with patch("custom_components.unifi_scanner.api.endpoints.CANDIDATE_PORTS", ports):
            result = await flow.submit(typed(other, host="127.0.0.1"))
        assert (result["step_id"], result["errors"]) == ("user", {"base": "not_a_controller"})
        assert {request.method for request in other.requests()} == {"GET"}


async def test_an_untrusted_controller_is_named_rather_than_another_web_server(
    flow: Flow, controller: SimulatedController
) -> None:
    async with web_server() as other:
        ports = (other.port, controller.port)
        with (
            patch("custom_components.unifi_scanner.api.endpoints.CANDIDATE_PORTS", ports),
            publicly_trusted(other.certificate),
        ):
            result = await flow.submit(typed(controller, host="127.0.0.1", ssl="verify"))
    assert result["errors"] == {"base": "certificate_not_trusted"}


async def test_all_clients_are_preselected_if_none_has_an_alias(flow: Flow) -> None:
    async with SimulatedController() as controller:
        furnish(controller, named=False)
        await flow.submit(typed(controller, ssl="insecure"))
        assert flow.default("clients") == [f"02:00:00:00:00:0{x}" for x in "abc"]


@pytest.mark.parametrize("status", [403, 502])
async def test_setup_works_without_the_list_of_known_clients(
    flow: Flow, controller: SimulatedController, status: int
) -> None:
    controller.faults.refuse("*rest/user", status=status)
    await flow.submit(typed(controller, ssl="insecure"))
    assert [option["value"][-1] for option in flow.options("clients")] == ["a", "b", "c"]
    await flow.finish()
    assert controller.login_attempts == 1


async def test_the_list_of_clients_is_limited(flow: Flow, controller: SimulatedController) -> None:
    for number in range(1000):
        controller.world.add_client(
            f"Gone {number:04}", mac=f"02:00:00:01:{number >> 8:02x}:{number & 255:02x}"
        )
    await flow.submit(typed(controller, ssl="insecure"))
    assert len(flow.options("clients")) <= 1000
    await flow.finish()


async def test_a_site_without_clients_can_be_set_up(flow: Flow) -> None:
    async with SimulatedController() as controller:
        await flow.submit(typed(controller, ssl="insecure"))
        result = await flow.finish()
        assert result["options"]["clients"] == []


async def test_a_controller_without_an_id_is_identified_by_its_host(
    flow: Flow, controller: SimulatedController
) -> None:
    controller.faults.refuse("*stat/sysinfo", status=200, body={"meta": {"rc": "ok"}, "data": [{}]})
    await flow.submit(typed(controller, ssl="insecure"))
    result = await flow.finish()
    assert result["result"].unique_id == "127.0.0.1_default"
    assert result["title"] == f"127.0.0.1:{controller.port}"


# Several sites


@pytest.fixture
async def campus() -> AsyncIterator[SimulatedController]:
    async with SimulatedController(sites=("default", "8xff0x6m")) as controller:
        furnish(controller)
        yield controller


async def test_one_of_several_sites_is_set_up(flow: Flow, campus: SimulatedController) -> None:
    result = await flow.submit(typed(campus, ssl="insecure"))
    assert result["step_id"] == "site"
    assert [option["value"] for option in flow.options("site")] == ["8xff0x6m", "default"]

    await flow.submit({"site": "8xff0x6m"})
    assert flow.options("clients") == []
    result = await flow.finish()
    assert result["data"]["site"] == "8xff0x6m"
    assert result["title"] == "Dream Machine 8Xff0X6M"
    assert campus.login_attempts == 1


async def test_a_site_that_is_already_set_up_is_not_offered(
    hass: HomeAssistant, flow: Flow, campus: SimulatedController
) -> None:
    entry_of(campus).add_to_hass(hass)
    await flow.submit(typed(campus, ssl="insecure"))
    assert [option["value"] for option in flow.options("site")] == ["8xff0x6m"]
    with pytest.raises(InvalidData):
        await flow.submit({"site": "default"})


async def test_an_error_after_selecting_a_site_shows_the_first_form_again(
    flow: Flow, campus: SimulatedController
) -> None:
    await flow.submit(typed(campus, ssl="insecure"))
    fault = campus.faults.refuse("*stat/sta", status=502)
    result = await flow.submit({"site": "default"})
    assert (result["step_id"], result["errors"]) == ("user", {"base": "controller_starting"})

    campus.faults.remove(fault)
    assert (await flow.submit(flow.suggestions()))["step_id"] == "site"
    await flow.submit({"site": "default"})
    await flow.finish()
    assert campus.login_attempts == 1


# Controllers that are already set up


async def test_a_controller_is_not_set_up_twice(
    hass: HomeAssistant, flow: Flow, controller: SimulatedController
) -> None:
    entry = entry_of(controller)
    entry.add_to_hass(hass)
    before = dict(entry.data)
    result = await flow.submit(typed(controller, ssl="insecure"))
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "already_configured")
    assert dict(entry.data) == before


async def test_a_site_whose_id_has_changed_is_recognized(
    hass: HomeAssistant, flow: Flow, controller: SimulatedController
) -> None:
    """Updates of UniFi Network may change the format of its object ids."""
    entry_of(controller).add_to_hass(hass)
    controller.world.site.id = "0f8fad5b-d9cb-469f-a165-70867728950e"
    result = await flow.submit(typed(controller, ssl="insecure"))
    assert result["reason"] == "already_configured"


async def test_setup_updates_the_entries_of_a_controller_that_has_moved(
    hass: HomeAssistant, flow: Flow, campus: SimulatedController
) -> None:
    entries = [
        entry_of(campus, host="10.0.0.1", url="https://10.0.0.1:443", site=site)
        for site in ("default", "8xff0x6m")
    ]
    for entry in entries:
        entry.add_to_hass(hass)
    await flow.submit(typed(campus))
    result = await flow.submit()
    assert result["reason"] == "already_configured"
    for entry in entries:
        assert entry.data["host"] == f"127.0.0.1:{campus.port}"
        assert entry.data["url"] == campus.base_url
        assert entry.data["ssl"] == "pinned"
        assert b64decode(entry.data["certificate"]) == campus.certificate_der


@pytest.mark.parametrize("check", ["pinned", "verify"])
@pytest.mark.parametrize("typed_check", ["verify", "insecure"])
async def test_setup_without_pinning_never_changes_the_certificate_check_of_an_entry(
    hass: HomeAssistant, flow: Flow, campus: SimulatedController, check: str, typed_check: str
) -> None:
    certificate = {"certificate": "MAo="} if check == "pinned" else {}
    entries = [
        entry_of(campus, url="https://10.0.0.1:443", site=site, ssl=check, **certificate)
        for site in ("default", "8xff0x6m")
    ]
    for entry in entries:
        entry.add_to_hass(hass)
    with publicly_trusted(campus.certificate):
        result = await flow.submit(typed(campus, ssl=typed_check))
    assert result["reason"] == "already_configured"
    for entry in entries:
        assert entry.data["url"] == campus.base_url
        assert entry.data["ssl"] == check
        assert entry.data.get("certificate") == certificate.get("certificate")


async def test_a_second_flow_for_the_same_site_is_aborted(
    hass: HomeAssistant, flow: Flow, controller: SimulatedController
) -> None:
    await flow.submit(typed(controller, ssl="insecure"))
    other = Flow(hass)
    await other.start()
    result = await other.submit(typed(controller, ssl="insecure"))
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "already_in_progress")
    assert controller.login_attempts == 1


# Sessions


async def test_an_abandoned_flow_logs_out(
    hass: HomeAssistant, flow: Flow, controller: SimulatedController
) -> None:
    await flow.submit(typed(controller, ssl="insecure"))
    flow.abort()
    await hass.async_block_till_done()
    assert len(controller.requests("/api/auth/logout")) == 1


async def test_a_flow_abandoned_while_acquiring_a_session_does_not_log_in(
    hass: HomeAssistant, flow: Flow, controller: SimulatedController
) -> None:
    acquired, abandoned = asyncio.Event(), asyncio.Event()

    async def async_acquire(hass: HomeAssistant, data: dict[str, Any]) -> ControllerSession:
        session = await async_acquire_session(hass, data)
        acquired.set()
        await abandoned.wait()
        return session

    with patch("custom_components.unifi_scanner.flow.base.async_acquire_session", async_acquire):
        submission = hass.async_create_task(flow.submit(typed(controller, ssl="insecure")))
        await acquired.wait()
        flow.abort()
        abandoned.set()
        with pytest.raises(UnknownFlow):
            await submission
    assert controller.login_attempts == 0
    assert not hass.config_entries.flow.async_progress()


async def test_a_flow_abandoned_at_once_has_no_session_to_end(
    hass: HomeAssistant, flow: Flow
) -> None:
    flow.abort()
    assert not hass.config_entries.flow.async_progress()


async def test_the_entry_reuses_the_session_of_the_flow(
    hass: HomeAssistant, flow: Flow, controller: SimulatedController
) -> None:
    await flow.submit(typed(controller, ssl="insecure"))
    await flow.finish()
    await hass.async_block_till_done()
    assert controller.requests("/api/auth/logout") == []


async def test_a_second_site_reuses_the_session_of_the_first(
    hass: HomeAssistant, flow: Flow, campus: SimulatedController
) -> None:
    await flow.submit(typed(campus, ssl="insecure"))
    await flow.submit({"site": "default"})
    await flow.finish()

    second = Flow(hass)
    await second.start()
    await second.submit(typed(campus, ssl="insecure"))
    await second.submit({"site": "8xff0x6m"})
    await second.finish()
    assert campus.login_attempts == 1


# Errors

NO_DATA = {"meta": {"rc": "ok"}, "data": []}
NO_PERMISSION = {"meta": {"rc": "error", "msg": "api.err.NoPermission"}, "data": []}


def second_factor(controller: SimulatedController) -> None:
    controller.faults.login_code = "123456"


def locked(controller: SimulatedController) -> None:
    controller.faults.limit_logins(locked_until=2e9, retry_after=90)


def locked_indefinitely(controller: SimulatedController) -> None:
    controller.faults.limit_logins(locked_until=2e9)


def booting(controller: SimulatedController) -> None:
    controller.faults.booting = Booting.BAD_GATEWAY


def unexpected_response(controller: SimulatedController) -> None:
    controller.faults.refuse("*self/sites", status=200, body={"result": "hello"})


def no_access(controller: SimulatedController) -> None:
    controller.faults.refuse("*self/sites", status=403)


def no_sites(controller: SimulatedController) -> None:
    controller.faults.refuse("*self/sites", status=200, body=NO_DATA)


def forbidden_site(controller: SimulatedController) -> None:
    controller.faults.refuse("*stat/sysinfo", status=200, body=NO_PERMISSION)


def not_a_controller(controller: SimulatedController) -> None:
    controller.faults.refuse("*", status=418)


def no_network_application(controller: SimulatedController) -> None:
    controller.faults.refuse("/proxy/network/*", status=404, body="Not found")


@pytest.mark.parametrize(
    ("fault", "error", "placeholders"),
    [
        (second_factor, "second_factor", {}),
        (locked, "rate_limited", {"seconds": "90"}),
        (locked_indefinitely, "rate_limited", {"seconds": "300"}),
        (booting, "controller_starting", {}),
        (unexpected_response, "unexpected_answer", {}),
        (no_access, "no_access", {}),
        (no_sites, "no_sites", {}),
        (forbidden_site, "unknown_site", {"site": "default"}),
        (not_a_controller, "not_a_controller", {}),
        (no_network_application, "no_network_application", {}),
    ],
)
async def test_the_flow_recovers_from_an_error_of_the_controller(
    flow: Flow,
    controller: SimulatedController,
    fault: Callable[[SimulatedController], None],
    error: str,
    placeholders: dict[str, str],
) -> None:
    fault(controller)
    result = await flow.submit(typed(controller, ssl="insecure"))
    assert (result["step_id"], result["errors"]) == ("user", {"base": error})
    assert result["description_placeholders"] is not None
    assert placeholders.items() <= result["description_placeholders"].items()
    assert flow.suggestions() == typed(controller, ssl="insecure")
    assert controller.login_attempts <= 1

    controller.faults.clear()
    await flow.submit(flow.suggestions())
    await flow.finish()


@pytest.mark.parametrize("rejection", Rejection)
async def test_a_wrong_password_can_be_corrected_immediately(
    flow: Flow, controller: SimulatedController, rejection: Rejection
) -> None:
    controller.faults.rejection = rejection
    await flow.submit(typed(controller, password="wrong"))
    result = await flow.submit()
    assert (result["step_id"], result["errors"]) == ("user", {"base": "invalid_auth"})
    assert flow.suggestions() == typed(controller, password="wrong")

    # The certificate is confirmed and not asked about again.
    result = await flow.submit(typed(controller))
    assert result["step_id"] == "clients"
    await flow.finish()
    assert controller.login_attempts == 2


async def test_a_controller_that_does_not_answer_in_time_is_not_taken_for_a_wrong_address(
    flow: Flow, controller: SimulatedController, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = "custom_components.unifi_scanner.api.client"
    monkeypatch.setattr(f"{module}._TIMEOUT", ClientTimeout(total=0.2, connect=10))
    controller.faults.hang()
    ports = (closed_port(), controller.port)
    with patch("custom_components.unifi_scanner.api.endpoints.CANDIDATE_PORTS", ports):
        result = await flow.submit(typed(controller, host="127.0.0.1"))
    assert (result["step_id"], result["errors"]) == ("user", {"base": "timeout"})


async def test_an_address_without_a_server_can_be_corrected(
    flow: Flow, controller: SimulatedController
) -> None:
    result = await flow.submit(typed(controller, host=f"127.0.0.1:{closed_port()}"))
    assert (result["step_id"], result["errors"]) == ("user", {"base": "cannot_connect"})
    await flow.submit(typed(controller))
    await flow.finish()


@pytest.mark.parametrize("ssl", ["pinned", "insecure"])
async def test_an_unresolvable_host_name_can_be_corrected(
    hass: HomeAssistant, flow: Flow, controller: SimulatedController, ssl: str
) -> None:
    # Stands in for the name servers, which tests must not query.
    not_found = socket.gaierror("Name or service not known")
    with (
        patch("aiohttp.connector.TCPConnector._resolve_host", side_effect=not_found),
        patch.object(hass.loop, "getaddrinfo", side_effect=not_found),
    ):
        result = await flow.submit(typed(controller, host="nowhere.invalid", ssl=ssl))
    assert (result["step_id"], result["errors"]) == ("user", {"base": "unknown_name"})
    await flow.submit(typed(controller))
    await flow.finish()


async def test_an_address_without_encryption_can_be_corrected(
    flow: Flow, controller: SimulatedController
) -> None:
    result = await flow.submit(typed(controller, host=f"HTTP://127.0.0.1:{controller.port}"))
    assert (result["step_id"], result["errors"]) == ("user", {"host": "https_only"})
    assert controller.requests() == []
    await flow.submit(typed(controller))
    await flow.finish()


@pytest.mark.parametrize("host", ["", "https://me:secret@127.0.0.1", "a b"])
async def test_an_invalid_address_can_be_corrected(
    flow: Flow, controller: SimulatedController, host: str
) -> None:
    result = await flow.submit(typed(controller, host=host))
    assert (result["step_id"], result["errors"]) == ("user", {"host": "invalid_host"})
    await flow.submit(typed(controller))
    await flow.finish()


async def test_a_self_signed_certificate_is_rejected_by_verify(
    flow: Flow, controller: SimulatedController
) -> None:
    result = await flow.submit(typed(controller, ssl="verify"))
    assert result["errors"] == {"base": "certificate_not_trusted"}
    assert controller.requests() == []

    await flow.submit(typed(controller, ssl="pinned"))
    await flow.finish()


async def test_a_certificate_that_is_too_weak_to_pin_is_named_and_can_be_left_unchecked(
    flow: Flow,
) -> None:
    async with SimulatedController(certificate=make_certificate(rsa_bits=1024)) as controller:
        furnish(controller)
        result = await flow.submit(typed(controller, ssl="pinned"))
        assert (result["step_id"], result["errors"]) == ("user", {"base": "certificate_too_weak"})
        assert controller.requests() == []
        result = await flow.submit(typed(controller, ssl="insecure"))
        assert result["step_id"] == "clients"


async def test_an_rsa_certificate_of_2048_bits_can_be_pinned(flow: Flow) -> None:
    async with SimulatedController(certificate=make_certificate(rsa_bits=2048)) as controller:
        furnish(controller)
        await flow.submit(typed(controller, ssl="pinned"))
        await flow.finish()


async def test_no_credentials_are_sent_if_the_certificate_changes_after_confirmation(
    flow: Flow, controller: SimulatedController
) -> None:
    await flow.submit(typed(controller))
    await controller.restart(certificate=make_certificate())
    result = await flow.submit()
    assert (result["step_id"], result["errors"]) == ("user", {"base": "certificate_changed"})
    assert controller.login_attempts == 0

    result = await flow.submit(flow.suggestions())
    assert result["step_id"] == "certificate"
    placeholders = result["description_placeholders"]
    assert placeholders is not None
    assert placeholders["fingerprint"] == controller.certificate.fingerprint
    await flow.finish()


async def test_an_unexpected_error_is_logged_without_the_password(
    flow: Flow, controller: SimulatedController, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with patch(
        "custom_components.unifi_scanner.flow.base.async_find_controller", side_effect=TypeError
    ):
        result = await flow.submit(typed(controller))
    assert (result["step_id"], result["errors"]) == ("user", {"base": "unknown"})
    assert "TypeError" in caplog.text

    await flow.submit(typed(controller))
    await flow.finish()
    assert controller.password not in caplog.text


# Reauthentication


async def test_reauth_updates_the_password_of_all_entries_of_the_account(
    hass: HomeAssistant, campus: SimulatedController
) -> None:
    entry = entry_of(campus, password="old")
    other_site = entry_of(campus, password="old", site="8xff0x6m")
    other_account = entry_of(campus, password="old", username="other", site="third")
    other_controller = entry_of(campus, password="old", controller_id="elsewhere")
    for each in (entry, other_site, other_account, other_controller):
        each.add_to_hass(hass)

    flow = Flow(hass)
    flow.result = await entry.start_reauth_flow(hass)
    assert flow.result["step_id"] == "reauth_confirm"
    placeholders = flow.result["description_placeholders"]
    assert placeholders is not None
    assert placeholders["username"] == campus.username

    result = await flow.submit({"password": "wrong"})
    assert (result["step_id"], result["errors"]) == ("reauth_confirm", {"base": "invalid_auth"})

    result = await flow.submit({"password": campus.password})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "reauth_successful")
    assert entry.data["password"] == other_site.data["password"] == campus.password
    assert other_account.data["password"] == other_controller.data["password"] == "old"
    assert campus.login_attempts == 2


async def test_reauth_sends_no_password_to_a_certificate_other_than_the_pinned_one(
    hass: HomeAssistant, controller: SimulatedController
) -> None:
    certificate = b64encode(make_certificate().der).decode()
    entry = entry_of(controller, ssl="pinned", certificate=certificate)
    entry.add_to_hass(hass)
    before = dict(entry.data)
    flow = Flow(hass)
    flow.result = await entry.start_reauth_flow(hass)
    with publicly_trusted(controller.certificate):
        result = await flow.submit({"password": controller.password})
    assert result["errors"] == {"base": "certificate_changed"}
    assert controller.requests() == []
    assert dict(entry.data) == before


async def test_reauth_succeeds_after_the_second_factor_is_turned_off(
    hass: HomeAssistant, controller: SimulatedController
) -> None:
    entry = entry_of(controller)
    entry.add_to_hass(hass)
    second_factor(controller)
    flow = Flow(hass)
    flow.result = await entry.start_reauth_flow(hass)
    result = await flow.submit({"password": controller.password})
    assert result["errors"] == {"base": "second_factor"}

    controller.faults.clear()
    result = await flow.submit({"password": controller.password})
    assert result["reason"] == "reauth_successful"


async def test_site_known_by_its_address_is_not_set_up_a_second_time(
    hass: HomeAssistant, controller: SimulatedController
) -> None:
    entry = entry_of(controller, controller_id="127.0.0.1")
    entry.add_to_hass(hass)
    flow = Flow(hass)
    await flow.start()
    result = await flow.submit(typed(controller, ssl="insecure"))
    assert result["reason"] == "already_configured"


async def test_second_controller_from_the_backup_of_a_first_leaves_the_firsts_entry_as_it_is(
    hass: HomeAssistant, controller: SimulatedController
) -> None:
    async with SimulatedController() as second:
        second.world.add_client("Anna", mac="02:00:00:00:00:0a")
        assert second.settings.controller_id == controller.settings.controller_id
        entry = entry_of(controller)
        entry.add_to_hass(hass)
        entry.mock_state(hass, ConfigEntryState.LOADED)
        before = dict(entry.data)
        flow = Flow(hass)
        await flow.start()
        result = await flow.submit(typed(second, ssl="insecure"))
        assert (result["type"], result["reason"]) == (
            FlowResultType.ABORT,
            "duplicate_controller_id",
        )
        placeholders = result["description_placeholders"]
        assert placeholders["title"] == entry.title
        assert placeholders["other_url"] == controller.base_url
        assert dict(entry.data) == before


async def test_setup_moves_the_entry_of_a_controller_that_no_longer_answers_at_its_address(
    hass: HomeAssistant, controller: SimulatedController
) -> None:
    entry = entry_of(controller, url="https://127.0.0.1:9")
    entry.add_to_hass(hass)
    entry.mock_state(hass, ConfigEntryState.LOADED)
    flow = Flow(hass)
    await flow.start()
    result = await flow.submit(typed(controller, ssl="insecure"))
    assert result["reason"] == "already_configured"
    assert entry.data["url"] == controller.base_url
