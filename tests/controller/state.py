"""What the parts of the simulated controller share: settings, worlds, sessions, faults, records."""

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

# Kept for tests that count; a controller that runs for days must not grow.
KEPT_REQUESTS = 20_000
SYSTEM_LOG_SINCE = 10
CODE_REJECTION_SINCE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a controller is. `cookie` names the session cookie of UniFi OS (TOKEN or UOS_TOKEN).

    `role` is the account's at every site: one that is "readonly" may not command. Who is kicked
    comes back after `kicked_seconds` of real time.
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
        """What stands before the paths of the Network application."""
        return "/proxy/network" if self.flavour is Flavour.UNIFI_OS else ""

    @property
    def major(self) -> int:
        """Major version of the Network application."""
        return int(self.network_version.partition(".")[0])

    @property
    def controller_id(self) -> str:
        """`anonymous_controller_id` of the system information, the same at every start."""
        digits = object_id("controller", self.name, self.flavour) + "a1b2c3d4"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32]))

    @property
    def session_cookie(self) -> str:
        """Name of the cookie that carries the session."""
        return self.cookie if self.flavour is Flavour.UNIFI_OS else "unifises"


@dataclass(slots=True, kw_only=True)
class Request:
    """A request and how it was answered (0: not yet); `time` in POSIX seconds."""

    time: float
    method: str
    path: str
    query: str
    headers: CIMultiDictProxy[str] = field(repr=False)
    cookies: Mapping[str, str] = field(repr=False)
    status: int = 0


class RequestLog:
    """What clients asked for."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.requests: deque[Request] = deque(maxlen=KEPT_REQUESTS)
        self.counts: Counter[str] = Counter()
        self.handshakes: deque[Request] = deque(maxlen=KEPT_REQUESTS)
        self.login_attempts: list[float] = []
        self.logins: list[float] = []

    def add(self, request: Request) -> None:
        """Remember a request."""
        self.requests.append(request)
        self.counts[request.path] += 1
        if "/wss/" in request.path:
            self.handshakes.append(request)

    def matching(self, part: str) -> Iterator[Request]:
        """Return the requests whose path holds this text."""
        return (request for request in self.requests if part in request.path)


class ControllerState:
    """The controller without its network side; request handlers work on this."""

    def __init__(
        self, settings: Settings, sites: Mapping[str, Site], clock: Callable[[], float]
    ) -> None:
        """Make a console with an empty world per site; `clock` gives POSIX seconds."""
        self.settings = settings
        self.clock = clock
        self.worlds = {name: World(site, clock) for name, site in sites.items()}
        self.sessions = Sessions(clock)
        self.faults = Faults()
        self.request_log = RequestLog()
        self.hub = Hub(self.faults)

    @property
    def has_system_log(self) -> bool:
        """Tell whether this Network application has the v2 system log."""
        return self.settings.major >= SYSTEM_LOG_SINCE

    @property
    def rejection(self) -> Rejection:
        """How a wrong password is answered."""
        newer = self.settings.major >= CODE_REJECTION_SINCE
        return self.faults.rejection or (Rejection.CODE_403 if newer else Rejection.ERRORS_401)

    def cookie(self, request: web.Request) -> str | None:
        """Return the session cookie's value of a request."""
        return request.cookies.get(self.settings.session_cookie)
