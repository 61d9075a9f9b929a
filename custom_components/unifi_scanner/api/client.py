"""REST: find out what the controller is, log in, read sites, clients and devices."""

import asyncio
from collections.abc import AsyncGenerator, Generator
import contextlib
import ssl
import time
from typing import Any

import aiohttp
from yarl import URL

from .endpoints import DeviceType, login_path, logout_path, rest_path, site_path, v2_site_path
from .errors import (
    BadCredentialsError,
    CannotConnectError,
    CertificateNotTrustedError,
    ControllerStartingError,
    NotPermittedError,
    SessionExpiredError,
    UnexpectedAnswerError,
    UnifiError,
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
    Answer,
    check_command,
    check_login,
    entries,
    kind_of,
    parse_json,
    parse_retry_after,
)
from .system_log import MOST_PAGES, LogRow, log_page, log_query
from .tls import Certificate, fetch_certificate

_TIMEOUT = aiohttp.ClientTimeout(total=10)
_LARGEST_ANSWER = 32 * 2**20
# The newest token wins, whichever of the two names it came under (protocol.md 2).
_CSRF_HEADERS = ("X-Updated-CSRF-Token", "X-CSRF-Token")


class UnifiClient:
    """One account's REST session with one controller.

    `session` is private to this client and has a `CookieJar(unsafe=True)`: controllers are mostly
    reached by IP address. Every request raises CannotConnectError, CertificateNotTrustedError,
    RateLimitedError or ControllerStartingError when that is what happened; requests that need a
    login raise SessionExpiredError, and UnexpectedAnswerError for JSON of another shape.
    """

    def __init__(
        self, session: aiohttp.ClientSession, base_url: str, ssl_context: ssl.SSLContext
    ) -> None:
        """Prepare, without a request; raise ValueError when `base_url` is not an HTTP(S) URL."""
        self._session = session
        self._origin = URL(base_url).origin()
        self._ssl_context = ssl_context
        self._csrf: str | None = None
        # A controller that renews the CSRF token with every answer takes one request at a time.
        self._turn = asyncio.Lock()
        self.device_type: DeviceType | None = None

    @property
    def cookies(self) -> dict[str, str]:
        """The session's cookies, for the WebSocket's handshake. Secret."""
        jar = self._session.cookie_jar
        return {name: morsel.value for name, morsel in jar.filter_cookies(self._origin).items()}

    def forget_session(self) -> None:
        """Drop the cookies and the CSRF token of this controller."""
        self._forget_cookies()
        self._csrf = None

    async def detect(self) -> DeviceType:
        """Find out the controller's kind by GET / (protocol.md 1) and remember it."""
        self.device_type = None
        async with self._connected():
            # In one turn: a login between asking and answering would be undone here.
            session, csrf = self.cookies, self._csrf
            try:
                answer = await self._exchange("GET", "/", None)
            finally:
                # It hands out those of nobody's session, even in place of ours (protocol.md 1).
                self._csrf = csrf
                self._forget_cookies()
                self._session.cookie_jar.update_cookies(session, self._origin)
        self.device_type = kind_of(answer)
        return self.device_type

    async def login(self, username: str, password: str) -> None:
        """Begin a new session, with exactly one POST; detect the kind first when unknown.

        Raises BadCredentialsError or SecondFactorRequiredError when the controller says so.
        """
        self.forget_session()
        kind = self.device_type or await self.detect()
        body = {"username": username, "password": password, "rememberMe": True}
        if kind is DeviceType.SELF_HOSTED:
            body["remember"] = True
        answer = await self._request("POST", login_path(kind), body)
        with self._suspecting_kind():
            check_login(answer)
        if not self.cookies:
            raise UnexpectedAnswerError("The login was accepted without a session cookie")

    async def logout(self) -> None:
        """End the session as well as possible."""
        if self.device_type is not None and self.cookies:
            with contextlib.suppress(UnifiError):
                await self._request("POST", logout_path(self.device_type))
        self.forget_session()

    async def sites(self) -> tuple[Site, ...]:
        """Return the sites this account may see (`/api/self/sites`)."""
        kind = self.device_type or await self.detect()
        records = await self._get(rest_path(kind, "/api/self/sites"))
        return tuple(site for record in records if (site := parse_site(record)))

    async def stations(self, site: str) -> tuple[StationRecord, ...]:
        """Return the clients connected now (`stat/sta`); raise SiteUnknownError."""
        records = await self._get_of_site(site, "stat/sta")
        received = time.time()
        # To read the JSON of a large site, and then its records, takes too long for one turn.
        await asyncio.sleep(0)
        return tuple(station for record in records if (station := parse_station(record, received)))

    async def known_clients(self, site: str) -> tuple[KnownClient, ...]:
        """Return every client ever seen, here or not (`rest/user`); raise SiteUnknownError."""
        records = await self._get_of_site(site, "rest/user")
        return tuple(client for record in records if (client := parse_known_client(record)))

    async def access_points(self, site: str) -> tuple[DeviceRecord, ...]:
        """Return the adopted devices of every type (`stat/device-basic`); raise SiteUnknownError.

        Not only those of type `uap`: consoles with a radio are access points too.
        """
        records = await self._get_of_site(site, "stat/device-basic")
        return tuple(device for record in records if (device := parse_device(record)))

    async def system_info(self, site: str) -> SystemInfo:
        """Return who the controller is (`stat/sysinfo`); raise SiteUnknownError."""
        records = await self._get_of_site(site, "stat/sysinfo")
        if not records:
            # Seen only while a controller starts, as is an empty list of sites (core#99794).
            raise ControllerStartingError("The controller tells nothing about itself yet")
        return parse_system_info(records[0])

    async def client_log(self, site: str, since: float, until: float) -> tuple[LogRow, ...]:
        """Return what the system log tells of WiFi clients between two POSIX times.

        Both are by the controller's clock. Network 10 has it (protocol.md 4): raises
        NotSupportedError elsewhere. When there is too much of it, only the newest is returned.
        """
        kind = self.device_type or await self.detect()
        path = v2_site_path(kind, site, "system-log/all")
        rows: list[LogRow] = []
        for number in range(MOST_PAGES):
            answer = await self._request("POST", path, log_query(since, until, number))
            page = log_page(answer, number, time.time())
            rows += page.rows
            if page.last:
                break
        return tuple(rows)

    async def reconnect_client(self, site: str, mac: str) -> None:
        """Cut a client's link, so that it connects anew (`cmd/stamgr`).

        Raises ClientNotConnectedError, NotPermittedError for an account that may only look, or
        SiteUnknownError.
        """
        kind = self.device_type or await self.detect()
        path = site_path(kind, site, "cmd/stamgr")
        answer = await self._request("POST", path, {"cmd": "kick-sta", "mac": mac})
        try:
            with self._suspecting_kind():
                check_command(answer, site)
        except SessionExpiredError as err:
            # A missing right may be told in the same words as a session that has ended. Who can
            # still read needs no new login, which would be refused just so.
            await self.sites()
            raise NotPermittedError("The account may read, but lacks the right to do this") from err

    async def _get_of_site(self, site: str, path: str) -> list[dict[str, Any]]:
        kind = self.device_type or await self.detect()
        return await self._get(site_path(kind, site, path), site)

    async def _get(self, path: str, site: str | None = None) -> list[dict[str, Any]]:
        answer = await self._request("GET", path)
        with self._suspecting_kind():
            return entries(answer, site)

    @contextlib.contextmanager
    def _suspecting_kind(self) -> Generator[None]:
        # A booting controller looks like another kind, and answers so to the wrong paths.
        try:
            yield
        except BadCredentialsError, ControllerStartingError, UnexpectedAnswerError:
            self.device_type = None
            raise

    async def _request(self, method: str, path: str, body: dict[str, Any] | None = None) -> Answer:
        async with self._connected():
            return await self._exchange(method, path, body)

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncGenerator[None]:
        """Take a turn, and say in our own errors what goes wrong in it."""
        try:
            async with self._turn:
                yield
        except aiohttp.ClientConnectorCertificateError as err:
            raise CertificateNotTrustedError(
                "The controller's certificate is not trusted",
                certificate=await self._shown_certificate(),
            ) from err
        except TimeoutError as err:
            raise CannotConnectError("The controller did not answer in time") from err
        except (aiohttp.ClientError, OSError) as err:
            raise CannotConnectError(f"No answer: {type(err).__name__}") from err

    async def _exchange(self, method: str, path: str, body: dict[str, Any] | None) -> Answer:
        async with self._session.request(
            method,
            self._origin.join(URL(path, encoded=True)),
            json=body,
            headers={_CSRF_HEADERS[-1]: self._csrf} if self._csrf else None,
            ssl=self._ssl_context,
            allow_redirects=False,
            timeout=_TIMEOUT,
        ) as response:
            for name in _CSRF_HEADERS:
                if token := response.headers.get(name):
                    self._csrf = token
                    break
            content = bytearray()
            async for chunk in response.content.iter_any():
                content += chunk
                if len(content) > _LARGEST_ANSWER:
                    raise UnexpectedAnswerError("The answer is too large")
            return Answer(
                status=response.status,
                document=parse_json(bytes(content)),
                retry_after=parse_retry_after(response.headers.get("Retry-After")),
            )

    async def _shown_certificate(self) -> Certificate | None:
        try:
            return await fetch_certificate(self._origin.raw_host or "", self._origin.port or 443)
        except CannotConnectError:
            return None

    def _forget_cookies(self) -> None:
        self._session.cookie_jar.clear_domain(self._origin.raw_host or "")
