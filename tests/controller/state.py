"""Shared state of the simulated controller: settings, worlds, sessions, faults, request log."""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from aiohttp import web
from multidict import CIMultiDictProxy

from .faults import Faults, Rejection
from .models import Flavour, Generation, Site, object_id
from .sessions import Sessions
from .stream import Hub
from .world import World

# Bounded, because a controller may run for days.
KEPT_REQUESTS = 20_000
# First major versions of the Network application with these features.
SYSTEM_LOG_SINCE = 10
CODE_REJECTION_SINCE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of a controller.

    `cookie` names the session cookie of UniFi OS (TOKEN or UOS_TOKEN). `role` is the account's
    role at every site; "readonly" may not send commands. A kicked client reconnects after
    `kicked_seconds` of real time.
    """

    flavour: Flavour = Flavour.UNIFI_OS
    generation: Generation = Generation.EVENTS
    network_version: str = "9.4.19"
    username: str = "homeassistant"
    password: str = field(default="correct horse", repr=False)
    name: str = "Dream Machine"
    cookie: str = "TOKEN"
    partitioned: bool = False
    role: str = "admin"
    kicked_seconds: float = 3.0

    @property
    def prefix(self) -> str:
        """Path prefix of the Network application."""
        return "/proxy/network" if self.flavour is Flavour.UNIFI_OS else ""

    @property
    def version(self) -> tuple[int, ...]:
        """Version of the Network application, to compare."""
        return tuple(int(part) for part in self.network_version.split("."))

    @property
    def major(self) -> int:
        """Major version of the Network application."""
        return self.version[0]

    @property
    def controller_id(self) -> str:
        """`anonymous_controller_id` of the system information, stable across restarts."""
        digits = object_id("controller", self.name, self.flavour) + "a1b2c3d4"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32]))

    @property
    def session_cookie(self) -> str:
        """Name of the session cookie."""
        return self.cookie if self.flavour is Flavour.UNIFI_OS else "unifises"


@dataclass(slots=True, kw_only=True)
class Request:
    """A received request; `time` in POSIX seconds, `status` 0 until it is answered."""

    time: float
    method: str
    path: str
    query: str
    headers: CIMultiDictProxy[str] = field(repr=False)
    cookies: Mapping[str, str] = field(repr=False)
    status: int = 0


class RequestLog:
    """The requests received, with the times of all login attempts and successful logins."""

    def __init__(self) -> None:
        """Start an empty log."""
        self.requests: deque[Request] = deque(maxlen=KEPT_REQUESTS)
        self.counts: Counter[str] = Counter()
        self.handshakes: deque[Request] = deque(maxlen=KEPT_REQUESTS)
        self.login_attempts: list[float] = []
        self.logins: list[float] = []

    def add(self, request: Request) -> None:
        """Add a request."""
        self.requests.append(request)
        self.counts[request.path] += 1
        if "/wss/" in request.path:
            self.handshakes.append(request)

    def matching(self, part: str) -> Iterator[Request]:
        """Return the requests whose path contains a text."""
        return (request for request in self.requests if part in request.path)


class ControllerState:
    """A controller without its network side, shared by all request handlers."""

    def __init__(
        self, settings: Settings, sites: Mapping[str, Site], clock: Callable[[], float]
    ) -> None:
        """Create an empty world for each site; `clock` returns POSIX seconds."""
        self.settings = settings
        self.clock = clock
        self.worlds = {name: World(site, clock) for name, site in sites.items()}
        self.sessions = Sessions(clock)
        self.faults = Faults()
        self.request_log = RequestLog()
        self.hub = Hub(self.faults)

    @property
    def has_system_log(self) -> bool:
        """Whether this Network application has the v2 system log."""
        return self.settings.major >= SYSTEM_LOG_SINCE

    @property
    def rejection(self) -> Rejection:
        """How the controller answers a wrong password."""
        newer = self.settings.major >= CODE_REJECTION_SINCE
        return self.faults.rejection or (Rejection.CODE_403 if newer else Rejection.ERRORS_401)

    def cookie(self, request: web.Request) -> str | None:
        """Return the value of a request's session cookie."""
        return request.cookies.get(self.settings.session_cookie)
