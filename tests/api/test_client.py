"""Tests of the REST client against a simulated controller, over real TLS sockets."""

import asyncio
import ssl

import aiohttp
import pytest

from custom_components.unifi_scanner.api import (
    BadCredentialsError,
    CannotConnectError,
    Certificate,
    CertificateNotTrustedError,
    CertificateTooWeakError,
    ControllerStartingError,
    DeviceType,
    NoNetworkApplicationError,
    RateLimitedError,
    ResponseTimeoutError,
    SecondFactorRequiredError,
    SessionExpiredError,
    SiteUnknownError,
    TlsMode,
    UnexpectedResponseError,
    UnifiClient,
    UnifiError,
    UnrecognizedServerError,
    create_context,
)
from custom_components.unifi_scanner.api.client import _TIMEOUT
from tests.controller import (
    Booting,
    Flavour,
    Rejection,
    ServerCertificate,
    SimulatedController,
    make_certificate,
)
from tests.flows import unresponsive_port

MODULE = "custom_components.unifi_scanner.api.client"
WEAK = make_certificate(rsa_bits=1024)
BOTH_KINDS = pytest.mark.parametrize("flavour", list(Flavour))
SELF_HOSTED = pytest.mark.parametrize("flavour", [Flavour.SELF_HOSTED])


@BOTH_KINDS
async def test_detect_returns_the_kind_of_controller(client: UnifiClient, flavour: Flavour) -> None:
    assert client.device_type is None
    assert await client.detect() is DeviceType(flavour.value)
    assert client.device_type is DeviceType(flavour.value)


@BOTH_KINDS
async def test_sites_clients_devices_and_system_info_are_readable_after_a_login(
    logged_in: UnifiClient,
) -> None:
    assert [site.name for site in await logged_in.sites()] == ["default"]
    assert [station.hostname for station in await logged_in.stations("default")] == ["Phone"]
    devices = await logged_in.devices("default")
    assert {device.name for device in devices} == {"Hall", "Kitchen"}
    assert (await logged_in.system_info("default")).controller_id


@BOTH_KINDS
async def test_known_clients_include_disconnected_ones(
    controller: SimulatedController, logged_in: UnifiClient
) -> None:
    controller.world.add_client("Anna", mac="02:00:00:00:00:0a", hostname="Annas-iPhone")
    controller.world.add_client(None, mac="02:00:00:00:00:0b", hostname=None, is_wired=True)
    controller.world.disconnect("02:00:00:00:00:0b")
    known = {client.mac: client for client in await logged_in.known_clients("default")}
    assert len(known) == 3
    anna, unnamed = known["02:00:00:00:00:0a"], known["02:00:00:00:00:0b"]
    assert (anna.alias, anna.hostname, anna.is_wired) == ("Anna", "Annas-iPhone", False)
    assert (unnamed.alias, unnamed.hostname, unnamed.is_wired) == (None, None, True)


@BOTH_KINDS
async def test_login_is_a_single_post(
    controller: SimulatedController, logged_in: UnifiClient
) -> None:
    assert controller.login_attempts == 1
    await logged_in.login(controller.username, controller.password)
    assert controller.login_attempts == 2


@pytest.mark.parametrize(
    ("flavour", "names"),
    [(Flavour.UNIFI_OS, {"TOKEN"}), (Flavour.SELF_HOSTED, {"unifises", "csrf_token"})],
)
async def test_cookies_are_the_session_cookies(
    controller: SimulatedController, client: UnifiClient, names: set[str]
) -> None:
    assert client.cookies == {}
    await client.login(controller.username, controller.password)
    assert set(client.cookies) == names


@pytest.mark.parametrize("cookie", ["TOKEN", "UOS_TOKEN"])
@pytest.mark.parametrize("partitioned", [False, True])
async def test_login_supports_every_session_cookie_of_unifi_os(
    session: aiohttp.ClientSession, cookie: str, *, partitioned: bool
) -> None:
    async with SimulatedController(cookie=cookie, partitioned=partitioned) as controller:
        client = UnifiClient(session, controller.base_url, create_context(TlsMode.INSECURE))
        await client.login(controller.username, controller.password)
        assert set(client.cookies) == {cookie}
        assert await client.sites()


async def test_csrf_token_that_changes_with_every_response_is_updated(
    controller: SimulatedController, client: UnifiClient
) -> None:
    controller.faults.rotate_csrf = True
    await client.login(controller.username, controller.password)
    await asyncio.gather(*(client.stations("default") for _ in range(5)))
    await client.login(controller.username, controller.password)
    assert await client.sites()


async def test_detect_keeps_the_session(
    controller: SimulatedController, logged_in: UnifiClient
) -> None:
    controller.faults.stale_root_cookie = True
    await logged_in.detect()
    assert await logged_in.sites()
    assert controller.login_attempts == 1


@BOTH_KINDS
async def test_logout_discards_the_session(
    controller: SimulatedController, logged_in: UnifiClient
) -> None:
    await logged_in.logout()
    assert logged_in.cookies == {}
    assert controller.requests("logout")
    with pytest.raises(SessionExpiredError):
        await logged_in.sites()


async def test_failed_logout_still_discards_the_cookies(
    controller: SimulatedController, logged_in: UnifiClient
) -> None:
    await controller.stop_listening()
    await logged_in.logout()
    assert logged_in.cookies == {}


async def test_logout_without_a_session_sends_no_request(
    controller: SimulatedController, client: UnifiClient
) -> None:
    await client.logout()
    assert controller.requests("logout") == []


@pytest.mark.parametrize(
    ("rejection", "definite"), [(Rejection.ERRORS_401, False), (Rejection.CODE_403, True)]
)
async def test_login_with_a_wrong_password_raises_whether_it_is_definite(
    controller: SimulatedController, client: UnifiClient, rejection: Rejection, *, definite: bool
) -> None:
    controller.faults.rejection = rejection
    with pytest.raises(BadCredentialsError) as caught:
        await client.login(controller.username, "wrong")
    assert caught.value.definite is definite
    assert controller.login_attempts == 1


@SELF_HOSTED
async def test_login_with_a_wrong_password_on_a_self_hosted_controller_is_definite(
    controller: SimulatedController, client: UnifiClient
) -> None:
    with pytest.raises(BadCredentialsError) as caught:
        await client.login(controller.username, "wrong")
    assert caught.value.definite


@BOTH_KINDS
async def test_login_raises_if_a_second_factor_is_required(
    controller: SimulatedController, client: UnifiClient
) -> None:
    controller.faults.login_code = "123456"
    with pytest.raises(SecondFactorRequiredError):
        await client.login(controller.username, controller.password)
    assert controller.login_attempts == 1


@pytest.mark.parametrize("retry_after", [None, 77])
async def test_login_rate_limit_raises_with_its_retry_after(
    controller: SimulatedController, client: UnifiClient, retry_after: int | None
) -> None:
    controller.faults.limit_logins(0, retry_after=retry_after)
    with pytest.raises(RateLimitedError) as caught:
        await client.login(controller.username, controller.password)
    assert caught.value.retry_after == retry_after


async def test_login_rate_limit_is_detected_by_its_code_whatever_the_status(
    controller: SimulatedController, client: UnifiClient
) -> None:
    body = {"code": "AUTHENTICATION_FAILED_LIMIT_REACHED"}
    controller.faults.refuse("*login", status=403, body=body)
    with pytest.raises(RateLimitedError):
        await client.login(controller.username, controller.password)


@BOTH_KINDS
@pytest.mark.parametrize("booting", list(Booting))
async def test_login_to_a_booting_controller_does_not_keep_the_detected_kind(
    controller: SimulatedController, client: UnifiClient, booting: Booting, flavour: Flavour
) -> None:
    controller.faults.booting = booting
    with pytest.raises(ControllerStartingError):
        await client.login(controller.username, controller.password)
    assert client.device_type is None
    controller.faults.booting = None
    await client.login(controller.username, controller.password)
    assert client.device_type is DeviceType(flavour.value)


@SELF_HOSTED
async def test_login_discards_a_wrong_kind_of_a_self_hosted_controller(
    controller: SimulatedController, client: UnifiClient
) -> None:
    client.device_type = DeviceType.UNIFI_OS
    with pytest.raises(ControllerStartingError):
        await client.login(controller.username, controller.password)
    assert client.device_type is None


@BOTH_KINDS
@pytest.mark.parametrize("booting", list(Booting))
async def test_rebooting_controller_is_not_mistaken_for_an_expired_session(
    controller: SimulatedController, logged_in: UnifiClient, booting: Booting
) -> None:
    controller.faults.booting = booting
    with pytest.raises(ControllerStartingError):
        await logged_in.stations("default")
    controller.faults.booting = None
    assert await logged_in.stations("default")
    assert controller.login_attempts == 1


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, "Unauthorized", SessionExpiredError),
        (403, "", SessionExpiredError),
        (200, {"meta": {"rc": "error", "msg": "api.err.LoginRequired"}}, SessionExpiredError),
        (401, {"errorCode": 401, "message": "api.err.LoginRequired"}, SessionExpiredError),
        (429, "", RateLimitedError),
        (302, "", ControllerStartingError),
        (404, "<html>", ControllerStartingError),
        (500, "", ControllerStartingError),
        (200, "<html>", ControllerStartingError),
        (200, "", ControllerStartingError),
        (200, "null", ControllerStartingError),
        (200, [], UnexpectedResponseError),
        (200, {"meta": {"rc": "ok"}}, UnexpectedResponseError),
        (200, {"meta": {"rc": "ok"}, "data": {}}, UnexpectedResponseError),
        (200, {"meta": {"rc": "error", "msg": "api.err.Other"}}, UnexpectedResponseError),
        (200, {"meta": [], "data": "x"}, UnexpectedResponseError),
        (400, {"meta": {"rc": "error", "msg": 7}, "data": []}, UnexpectedResponseError),
        (401, {"meta": {"rc": "error", "msg": "api.err.NoSiteContext"}}, SiteUnknownError),
        (403, {"meta": {"rc": "error", "msg": "api.err.NoPermission"}}, SiteUnknownError),
    ],
)
async def test_response_to_a_read_maps_to_an_error(
    controller: SimulatedController,
    logged_in: UnifiClient,
    status: int,
    body: object,
    error: type[UnifiError],
) -> None:
    controller.faults.refuse("*stat/sta", status=status, body=body)
    with pytest.raises(error) as caught:
        await logged_in.stations("default")
    assert type(caught.value) is error


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, "Unauthorized", BadCredentialsError),
        (401, {"meta": {"rc": "error", "msg": "api.err.LoginRequired"}}, ControllerStartingError),
        (400, {"meta": {"rc": "error", "msg": "api.err.Other"}}, UnexpectedResponseError),
        (400, "", UnexpectedResponseError),
        (200, {"meta": {"rc": "error", "msg": "api.err.NoPermission"}}, BadCredentialsError),
        (200, {"meta": {"rc": "error", "msg": "api.err.Other"}}, UnexpectedResponseError),
        (200, {"unique_id": "x"}, UnexpectedResponseError),
        (200, [], ControllerStartingError),
        (502, "<html>", ControllerStartingError),
    ],
)
async def test_response_to_a_login_maps_to_an_error(
    controller: SimulatedController,
    client: UnifiClient,
    status: int,
    body: object,
    error: type[UnifiError],
) -> None:
    controller.faults.refuse("*login", status=status, body=body)
    with pytest.raises(error):
        await client.login(controller.username, controller.password)


@pytest.mark.parametrize(
    ("status", "headers", "error"),
    [
        (200, {}, UnrecognizedServerError),
        (200, {"Set-Cookie": "session=1"}, UnrecognizedServerError),
        (200, {"Set-Cookie": "TOKEN=1"}, UnrecognizedServerError),
        (200, {"X-CSRF-Token": "1"}, UnrecognizedServerError),
        (302, {"Location": "/dashboard/manage"}, UnrecognizedServerError),
        (302, {"Location": "/login"}, UnrecognizedServerError),
        (302, {}, UnrecognizedServerError),
        (401, {}, UnrecognizedServerError),
        (403, {}, UnrecognizedServerError),
        (404, {}, UnrecognizedServerError),
        (418, {}, UnrecognizedServerError),
        (429, {}, RateLimitedError),
        (502, {}, ControllerStartingError),
    ],
)
async def test_login_sends_nothing_to_a_server_that_is_not_recognized_as_a_controller(
    controller: SimulatedController,
    client: UnifiClient,
    status: int,
    headers: dict[str, str],
    error: type[UnifiError],
) -> None:
    # With 401, it refuses every path in the words of UniFi OS.
    body = "Unauthorized" if status == 401 else "<html>NAS</html>"
    controller.faults.refuse("*", status=status, body=body, headers=headers)
    with pytest.raises(error) as caught:
        await client.login(controller.username, controller.password)
    assert type(caught.value) is error
    assert client.device_type is None
    assert controller.requests(method="POST") == []


@pytest.mark.parametrize(
    ("flavour", "status", "headers"),
    [
        (Flavour.UNIFI_OS, 200, {}),
        (Flavour.UNIFI_OS, 200, {"X-CSRF-Token": "1"}),
        (Flavour.SELF_HOSTED, 200, {}),
        (Flavour.SELF_HOSTED, 302, {"Location": "/login"}),
        (Flavour.SELF_HOSTED, 404, {}),
    ],
)
async def test_detect_recognizes_a_controller_whose_first_page_tells_nothing(
    controller: SimulatedController,
    logged_in: UnifiClient,
    flavour: Flavour,
    status: int,
    headers: dict[str, str],
) -> None:
    controller.faults.refuse("/", status=status, body="<html>", headers=headers)
    assert await logged_in.detect() is DeviceType(flavour.value)
    assert await logged_in.sites()
    assert controller.login_attempts == 1


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({"X-CSRF-Token": "1", "Set-Cookie": "TOKEN=1; Path=/"}, DeviceType.UNIFI_OS),
        ({"X-Updated-CSRF-Token": "1", "Set-Cookie": "UOS_TOKEN=1"}, DeviceType.UNIFI_OS),
        ({"Location": "/manage"}, DeviceType.SELF_HOSTED),
        ({"Location": "https://unifi.local:8443/manage/account"}, DeviceType.SELF_HOSTED),
    ],
)
async def test_detect_needs_one_request_for_a_controller_that_gives_itself_away(
    controller: SimulatedController,
    client: UnifiClient,
    headers: dict[str, str],
    kind: DeviceType,
) -> None:
    status = 302 if "Location" in headers else 200
    controller.faults.refuse("*", status=status, headers=headers)
    assert await client.detect() is kind
    assert [request.path for request in controller.requests()] == ["/"]


async def test_sites_of_a_console_without_the_network_application_raise(
    controller: SimulatedController, logged_in: UnifiClient
) -> None:
    controller.faults.refuse("/proxy/network/*", status=404, body="Not found")
    with pytest.raises(NoNetworkApplicationError):
        await logged_in.sites()
    assert logged_in.device_type is None


async def test_unknown_site_raises_its_name(logged_in: UnifiClient) -> None:
    with pytest.raises(SiteUnknownError) as caught:
        await logged_in.stations("no such site")
    assert caught.value.site == "no such site"


async def test_controller_without_system_info_counts_as_starting(
    controller: SimulatedController, logged_in: UnifiClient
) -> None:
    body: dict[str, object] = {"meta": {"rc": "ok"}, "data": []}
    controller.faults.refuse("*stat/sysinfo", status=200, body=body)
    with pytest.raises(ControllerStartingError):
        await logged_in.system_info("default")


async def test_stations_skip_invalid_records(
    controller: SimulatedController, logged_in: UnifiClient
) -> None:
    body = {
        "meta": {"rc": "ok"},
        "data": [None, 7, {}, {"mac": "no"}, {"mac": "02:00:00:00:00:01"}],
    }
    controller.faults.refuse("*stat/sta", status=200, body=body)
    assert [s.mac for s in await logged_in.stations("default")] == ["02:00:00:00:00:01"]


async def test_closed_port_raises_cannot_connect(
    controller: SimulatedController, client: UnifiClient
) -> None:
    await controller.stop_listening()
    with pytest.raises(CannotConnectError):
        await client.detect()


async def test_request_without_a_response_times_out(
    controller: SimulatedController, client: UnifiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{MODULE}._TIMEOUT", aiohttp.ClientTimeout(total=0.2, connect=10))
    controller.faults.hang()
    with pytest.raises(ResponseTimeoutError, match="in time"):
        await client.detect()


async def test_connection_that_is_not_made_in_time_raises_cannot_connect(
    session: aiohttp.ClientSession, pinned: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{MODULE}._TIMEOUT", aiohttp.ClientTimeout(total=10, connect=0.1))
    with unresponsive_port() as silent:
        client = UnifiClient(session, f"https://127.0.0.1:{silent}", pinned)
        with pytest.raises(CannotConnectError) as caught:
            await client.detect()
    assert type(caught.value) is CannotConnectError


def test_controllers_have_ten_seconds_for_a_connection_and_thirty_for_an_answer() -> None:
    assert (_TIMEOUT.connect, _TIMEOUT.total) == (10, 30)


async def test_response_over_the_size_limit_is_refused(
    controller: SimulatedController, logged_in: UnifiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.unifi_scanner.api.client._MAX_RESPONSE_SIZE", 1000)
    controller.faults.refuse("*stat/sta", status=200, body=b" " * 2000)
    with pytest.raises(UnexpectedResponseError, match="too large"):
        await logged_in.stations("default")


async def test_redirects_are_not_followed(
    controller: SimulatedController, logged_in: UnifiClient
) -> None:
    elsewhere = {"Location": f"{controller.base_url}/elsewhere"}
    controller.faults.refuse("*stat/sta", status=302, headers=elsewhere)
    with pytest.raises(ControllerStartingError):
        await logged_in.stations("default")
    assert controller.requests("elsewhere") == []


async def test_untrusted_certificate_receives_no_credentials_and_is_reported(
    controller: SimulatedController, session: aiohttp.ClientSession
) -> None:
    other = create_context(TlsMode.PINNED, make_certificate().der)
    client = UnifiClient(session, controller.base_url, other)
    with pytest.raises(CertificateNotTrustedError) as caught:
        await client.login(controller.username, controller.password)
    assert caught.value.certificate is not None
    assert caught.value.certificate.der == controller.certificate_der
    assert controller.requests() == []


@pytest.mark.parametrize("pinned", [WEAK, make_certificate()])
async def test_weak_certificate_is_reported_as_such_even_if_it_is_pinned(
    controller: SimulatedController, session: aiohttp.ClientSession, pinned: ServerCertificate
) -> None:
    await controller.restart(certificate=WEAK)
    context = create_context(TlsMode.PINNED, pinned.der)
    with pytest.raises(CertificateTooWeakError) as caught:
        await UnifiClient(session, controller.base_url, context).detect()
    assert caught.value.certificate == Certificate(WEAK.der)
    assert controller.requests() == []


async def test_untrusted_certificate_that_cannot_be_fetched_is_reported_as_none(
    controller: SimulatedController,
    session: aiohttp.ClientSession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def unreadable(_host: str, _port: int) -> None:
        raise CannotConnectError

    monkeypatch.setattr("custom_components.unifi_scanner.api.client.fetch_certificate", unreadable)
    verify = await asyncio.to_thread(create_context, TlsMode.VERIFY)
    client = UnifiClient(session, controller.base_url, verify)
    with pytest.raises(CertificateNotTrustedError) as caught:
        await client.detect()
    assert caught.value.certificate is None


async def test_errors_contain_no_secrets(
    controller: SimulatedController, logged_in: UnifiClient
) -> None:
    secrets = [controller.password, *logged_in.cookies.values()]
    controller.faults.refuse("*", status=403, body=f"{secrets}")
    for attempt in (
        logged_in.sites(),
        logged_in.login(controller.username, controller.password),
    ):
        with pytest.raises(UnifiError) as caught:
            await attempt
        text = f"{caught.value!r} {caught.value} {caught.value.__cause__!r}"
        assert not any(secret in text for secret in secrets)
