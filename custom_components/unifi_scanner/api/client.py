"""REST client: detect the kind of controller, log in, read sites, clients and devices."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
import contextlib
from http import HTTPStatus
import ssl
import time
from typing import Any

import aiohttp
import orjson
from yarl import URL

from .detection import (
    CSRF_HEADERS,
    GUARDED_PATH,
    STATUS_PATH,
    is_self_hosted_status,
    is_unifi_os_refusal,
    kind_by_root,
)
from .endpoints import DeviceType, login_path, logout_path, rest_path, site_path, v2_site_path
from .errors import (
    BadCredentialsError,
    CannotConnectError,
    ControllerStartingError,
    NoNetworkApplicationError,
    NotPermittedError,
    ResponseTimeoutError,
    SessionExpiredError,
    UnexpectedResponseError,
    UnifiError,
    UnrecognizedServerError,
)
from .records import (
    DeviceRecord,
    KnownClient,
    Site,
    StationRecord,
    SystemInfo,
    parse_device,
    parse_known_client,
    parse_site,
    parse_station,
    parse_system_info,
)
from .responses import (
    Response,
    check_command,
    check_login,
    extract_records,
    parse_json,
    parse_retry_after,
)
from .system_log import ClientLog, LogPages, log_page, log_query
from .tls import Certificate, certificate_error, fetch_certificate
from .turns import LARGE, in_turns, parse_large_json, parse_records

# Small controllers take many seconds for an answer while they are busy, never for a connection.
_TIMEOUT = aiohttp.ClientTimeout(total=30, connect=10)
_LOG_TIMEOUT = 60.0  # seconds, for all pages
_MAX_RESPONSE_SIZE = 32 * 2**20
_START_SIZE = 64  # bytes of a body that are kept to recognize a server


class UnifiClient:
    """An account's REST session with a controller.

    `session` must not be shared and needs a `CookieJar(unsafe=True)`, because most controllers are
    addressed by IP. Every request may raise CannotConnectError, CertificateNotTrustedError,
    RateLimitedError or ControllerStartingError; requests that need a login may also raise
    SessionExpiredError and, for undocumented JSON, UnexpectedResponseError.
    """

    def __init__(
        self, session: aiohttp.ClientSession, base_url: str, ssl_context: ssl.SSLContext
    ) -> None:
        """Store the settings; raise ValueError if `base_url` is not an HTTP(S) URL."""
        self._session = session
        self._origin = URL(base_url).origin()
        self._ssl_context = ssl_context
        self._csrf: str | None = None
        # Some controllers rotate the CSRF token with every response: send one request at a time.
        self._lock = asyncio.Lock()
        self.device_type: DeviceType | None = None

    @property
    def cookies(self) -> dict[str, str]:
        """The session's cookies, for the WebSocket handshake. Secret."""
        jar = self._session.cookie_jar
        return {name: morsel.value for name, morsel in jar.filter_cookies(self._origin).items()}

    def forget_session(self) -> None:
        """Discard the cookies and the CSRF token of this controller."""
        self._forget_cookies()
        self._csrf = None

    async def detect(self) -> DeviceType:
        """Detect the kind of controller (docs/protocol.md 1) and store it.

        Raises UnrecognizedServerError if the server cannot be recognized as a controller.
        """
        self.device_type = None
        async with self._guarded():
            # Inside the lock, or this would undo a login made during the request.
            session, csrf = self.cookies, self._csrf
            try:
                self.device_type = await self._detect()
            finally:
                # The response may replace our cookies with anonymous ones (docs/protocol.md 1).
                self._csrf = csrf
                self._forget_cookies()
                self._session.cookie_jar.update_cookies(session, self._origin)
        return self.device_type

    async def _detect(self) -> DeviceType:
        root = await self._send("GET", "/", None)
        if kind := kind_by_root(root):
            return kind
        if is_self_hosted_status(await self._send("GET", STATUS_PATH, None)):
            return DeviceType.SELF_HOSTED
        if root.ok:  # A server that refuses every request alike tells nothing.
            # Without the session, as only a refusal tells the kind.
            self._forget_cookies()
            if is_unifi_os_refusal(await self._send("GET", GUARDED_PATH, None)):
                return DeviceType.UNIFI_OS
        raise UnrecognizedServerError("A server that is not recognized as a UniFi controller")

    async def login(self, username: str, password: str) -> None:
        """Start a new session with exactly one POST; first detect the kind if it is unknown.

        Raises BadCredentialsError or SecondFactorRequiredError if the login is rejected.
        """
        self.forget_session()
        kind = self.device_type or await self.detect()
        body = {"username": username, "password": password, "rememberMe": True}
        if kind is DeviceType.SELF_HOSTED:
            body["remember"] = True
        response = await self._request("POST", login_path(kind), body)
        with self._invalidating_kind():
            check_login(response)
        if not self.cookies:
            raise UnexpectedResponseError("The login succeeded but set no session cookie")

    async def logout(self) -> None:
        """End the session; ignore errors of the request."""
        if self.device_type is not None and self.cookies:
            with contextlib.suppress(UnifiError):
                await self._request("POST", logout_path(self.device_type))
        self.forget_session()

    async def sites(self) -> tuple[Site, ...]:
        """Return the sites this account has access to (`/api/self/sites`).

        Raises NoNetworkApplicationError if there is nothing but UniFi OS.
        """
        kind = self.device_type or await self.detect()
        response = await self._request("GET", rest_path(kind, "/api/self/sites"))
        if kind is DeviceType.UNIFI_OS and response.status == HTTPStatus.NOT_FOUND:
            self.device_type = None
            raise NoNetworkApplicationError("The console has no Network application")
        with self._invalidating_kind():
            records = extract_records(response)
        return tuple(site for record in records if (site := parse_site(record)))

    async def stations(self, site: str) -> tuple[StationRecord, ...]:
        """Return the connected clients (`stat/sta`); raise SiteUnknownError."""
        records = await self._get_site_records(site, "stat/sta")
        received = time.time()
        return await _parse_all(records, lambda record: parse_station(record, received))

    async def known_clients(self, site: str) -> tuple[KnownClient, ...]:
        """Return all clients that ever connected (`rest/user`); raise SiteUnknownError."""
        records = await self._get_site_records(site, "rest/user")
        return await _parse_all(records, parse_known_client)

    async def devices(self, site: str) -> tuple[DeviceRecord, ...]:
        """Return the adopted devices of all types (`stat/device-basic`); raise SiteUnknownError.

        Not limited to type `uap`: UniFi OS consoles with a radio are access points too.
        """
        records = await self._get_site_records(site, "stat/device-basic")
        return await _parse_all(records, parse_device)

    async def system_info(self, site: str) -> SystemInfo:
        """Return the controller's identity (`stat/sysinfo`); raise SiteUnknownError."""
        records = await self._get_site_records(site, "stat/sysinfo")
        if not records:
            # Only seen while a controller starts, as is an empty list of sites (core#99794).
            raise ControllerStartingError("The controller returned no system information")
        return parse_system_info(records[0])

    async def client_log(self, site: str, since: float, until: float) -> ClientLog:
        """Return the system log's rows about WiFi clients between two POSIX times.

        The times are on the controller's clock. At most 50,000 rows of any kind are read, for a
        minute at most. Raises NotSupportedError before Network 10 (docs/protocol.md 4), or
        NotPermittedError.
        """
        kind = self.device_type or await self.detect()
        path = v2_site_path(kind, site, "system-log/all")
        pages = LogPages(since)
        try:
            async with asyncio.timeout(_LOG_TIMEOUT):
                while not pages.is_finished:
                    query = log_query(since, until, pages.count)
                    response = await self._request("POST", path, query)
                    async with self._telling_permission_from_session():
                        pages.add(await in_turns(log_page(response, time.time())))
        except TimeoutError as err:
            if not pages.count:
                raise ResponseTimeoutError("The controller did not respond in time") from err
        return pages.log()

    async def reconnect_client(self, site: str, mac: str) -> None:
        """Disconnect a client, so that it reconnects (`cmd/stamgr`).

        Raises ClientNotConnectedError, NotPermittedError for a read-only account, or
        SiteUnknownError.
        """
        kind = self.device_type or await self.detect()
        path = site_path(kind, site, "cmd/stamgr")
        response = await self._request("POST", path, {"cmd": "kick-sta", "mac": mac})
        async with self._telling_permission_from_session():
            with self._invalidating_kind():
                check_command(response, site)

    async def _get_site_records(self, site: str, path: str) -> list[dict[str, Any]]:
        kind = self.device_type or await self.detect()
        response = await self._request("GET", site_path(kind, site, path))
        with self._invalidating_kind():
            return extract_records(response, site)

    @contextlib.asynccontextmanager
    async def _telling_permission_from_session(self) -> AsyncGenerator[None]:
        """Raise NotPermittedError instead of SessionExpiredError while reading still works.

        A refused POST is answered in the same way for an expired session, a missing permission and
        an outdated CSRF token.
        """
        try:
            yield
        except SessionExpiredError as err:
            await self.sites()
            raise NotPermittedError(
                "The controller refuses the request, but not the session", definite=False
            ) from err

    @contextlib.contextmanager
    def _invalidating_kind(self) -> Generator[None]:
        """Discard the detected kind on an error that a wrong path could have caused.

        A booting controller can be mistaken for the other kind.
        """
        try:
            yield
        except BadCredentialsError, ControllerStartingError, UnexpectedResponseError:
            self.device_type = None
            raise

    async def _request(
        self, method: str, path: str, body: dict[str, Any] | None = None
    ) -> Response:
        async with self._guarded():
            return await self._send(method, path, body)

    @contextlib.asynccontextmanager
    async def _guarded(self) -> AsyncGenerator[None]:
        """Hold the request lock and translate transport errors."""
        try:
            async with self._lock:
                yield
        except aiohttp.ClientConnectorCertificateError as err:
            certificate = await self._fetch_certificate()
            raise certificate_error(err.certificate_error, certificate) from err
        except aiohttp.ConnectionTimeoutError as err:
            raise CannotConnectError("The connection was not made in time") from err
        except TimeoutError as err:
            raise ResponseTimeoutError("The controller did not respond in time") from err
        except (aiohttp.ClientError, OSError) as err:
            raise CannotConnectError(f"The request failed: {type(err).__name__}") from err

    async def _send(self, method: str, path: str, body: dict[str, Any] | None) -> Response:
        async with self._session.request(
            method,
            self._origin.join(URL(path, encoded=True)),
            json=body,
            headers={CSRF_HEADERS[-1]: self._csrf} if self._csrf else None,
            ssl=self._ssl_context,
            allow_redirects=False,
            timeout=_TIMEOUT,
        ) as response:
            for name in CSRF_HEADERS:
                if token := response.headers.get(name):
                    self._csrf = token
                    break
            content = bytearray()
            async for chunk in response.content.iter_any():
                content += chunk
                if len(content) > _MAX_RESPONSE_SIZE:
                    raise UnexpectedResponseError("The response is too large")
            return Response(
                status=response.status,
                document=await _parse_document(content),
                retry_after=parse_retry_after(response.headers.get("Retry-After")),
                headers=response.headers,
                start=bytes(content[:_START_SIZE]),
            )

    async def _fetch_certificate(self) -> Certificate | None:
        try:
            return await fetch_certificate(self._origin.raw_host or "", self._origin.port or 443)
        except CannotConnectError:
            return None

    def _forget_cookies(self) -> None:
        self._session.cookie_jar.clear_domain(self._origin.raw_host or "")


async def _parse_document(content: bytearray) -> object:
    """Parse a body as JSON; return None if it is not JSON."""
    if len(content) <= LARGE:
        return parse_json(content)
    with contextlib.suppress(orjson.JSONDecodeError):
        return await in_turns(parse_large_json(content))
    return None


async def _parse_all[T](
    records: list[dict[str, Any]], parse: Callable[[dict[str, Any]], T | None]
) -> tuple[T, ...]:
    return tuple(await in_turns(parse_records(records, parse)))
