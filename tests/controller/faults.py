"""Faults that tests inject into the simulated controller (docs/faults.md)."""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
import random

from aiohttp import web
import orjson

HTML = "<!doctype html><html><head><title>UniFi</title></head><body>{}</body></html>"
TEXT_TYPES = {"<": "text/html", "{": "application/json", "[": "application/json"}


class Booting(StrEnum):
    """Status answered on every path while the application starts (docs/protocol.md 1 and 2)."""

    BAD_GATEWAY = "502"
    UNAVAILABLE = "503"
    HTML = "200"
    NOT_FOUND = "404"


class Rejection(StrEnum):
    """How UniFi OS rejects a password: older builds with 401, newer ones with 403 and a code."""

    ERRORS_401 = "errors_401"
    CODE_403 = "code_403"


@dataclass(slots=True, kw_only=True)
class CannedResponse:
    """A canned response for matching paths, used `left` more times (None: without limit).

    `delay` is the time before the response in seconds; with `hangs` it never comes. Without a
    `status` the real response follows. `drip` sends the body byte by byte, at this interval in
    seconds. `hits` counts the requests that matched.
    """

    path: str
    method: str | None = None
    status: int | None = None
    body: bytes = b""
    content_type: str = "text/plain"
    headers: Mapping[str, str] = field(default_factory=dict)
    left: int | None = None
    delay: float = 0.0
    hangs: bool = False
    drip: float = 0.0
    hits: int = 0

    def matches(self, request: web.Request) -> bool:
        """Return whether this response applies to a request."""
        return (
            self.left != 0
            and (self.method is None or self.method == request.method)
            and fnmatchcase(request.path, self.path)
        )

    async def respond(self, request: web.Request) -> web.StreamResponse | None:
        """Send the response; None passes the request on to its real handler."""
        self.hits += 1
        if self.left is not None:
            self.left -= 1
        await asyncio.sleep(self.delay)
        if self.hangs:
            await asyncio.Event().wait()
        if self.status is None:
            return None
        headers = {"Content-Type": self.content_type, **self.headers}
        if not self.drip:
            return web.Response(status=self.status, body=self.body, headers=headers)
        response = web.StreamResponse(status=self.status, headers=headers)
        response.content_length = len(self.body)
        await response.prepare(request)
        for byte in self.body:
            await response.write(bytes((byte,)))
            await asyncio.sleep(self.drip)
        return response


@dataclass(slots=True, kw_only=True)
class LoginLimit:
    """A limit on logins per minute, successful ones included (docs/protocol.md 2).

    Exceeding it locks logins for `lock_seconds`, answered with 429 and `retry_after` as header.
    With `extends`, every refused attempt restarts the lock.
    """

    per_minute: int = 5
    lock_seconds: float = 120.0
    retry_after: int | None = None
    extends: bool = False
    attempts: deque[float] = field(default_factory=deque)
    locked_until: float = 0.0

    def refuses(self, now: float) -> bool:
        """Count an attempt and return whether it is refused."""
        if now < self.locked_until:
            if self.extends:
                self.locked_until = now + self.lock_seconds
            return True
        while self.attempts and self.attempts[0] <= now - 60:
            self.attempts.popleft()
        if len(self.attempts) >= self.per_minute:
            self.locked_until = now + self.lock_seconds
            self.attempts.clear()
            return True
        self.attempts.append(now)
        return False


@dataclass(slots=True, kw_only=True)
class FrameFaults:
    """Drops, duplicates and delays frames with given probabilities, repeatable by `seed`.

    A late frame is held until `late_frames` others have passed or until `flush`, and so changes
    the order. `counts` holds what happened to the frames.
    """

    seed: int = 0
    drop: float = 0.0
    double: float = 0.0
    late: float = 0.0
    late_frames: int = 3
    counts: dict[str, int] = field(
        default_factory=lambda: {"dropped": 0, "doubled": 0, "late": 0, "passed": 0}
    )
    _random: random.Random = field(init=False)
    _held: list[tuple[int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Seed the random numbers."""
        self._random = random.Random(self.seed)  # noqa: S311 - repeatable faults, not a secret

    def apply(self, text: str) -> list[str]:
        """Return the frames to send now instead of this one."""
        due = [held for left, held in self._held if left <= 1]
        self._held = [(left - 1, held) for left, held in self._held if left > 1]
        chance = self._random.random()
        if chance < self.drop:
            self.counts["dropped"] += 1
            return due
        if chance < self.drop + self.double:
            self.counts["doubled"] += 1
            return [text, text, *due]
        if chance < self.drop + self.double + self.late:
            self.counts["late"] += 1
            self._held.append((self.late_frames, text))
            return due
        self.counts["passed"] += 1
        return [text, *due]

    def flush(self) -> list[str]:
        """Return the frames still held back, and release them."""
        held = [text for _, text in self._held]
        self._held.clear()
        return held


@dataclass(slots=True, kw_only=True)
class Faults:
    """The active faults, all off by default.

    `silent`: sockets stay open and pings are answered, but frames are withheld and counted.
    `closes_sockets`: sockets are accepted and closed at once (docs/protocol.md 2).
    `rotate_csrf`: every response carries a new CSRF token, and every request needs the latest.
    `stale_root_cookie`: `GET /` replaces even a live session's cookie with one without a login.
    `forbid_after_restart`: the sessions that a restart ends lead to 403 instead of 401.
    `login_code`: second factor required by logins. `frame_faults`: lost and late frames.
    """

    canned_responses: list[CannedResponse] = field(default_factory=list)
    booting: Booting | None = None
    silent: bool = False
    closes_sockets: bool = False
    withheld: int = 0
    frame_faults: FrameFaults | None = None
    login_limit: LoginLimit | None = None
    login_code: str | None = None
    rejection: Rejection | None = None
    rotate_csrf: bool = False
    stale_root_cookie: bool = False
    forbid_after_restart: bool = False

    def refuse(
        self,
        path: str = "*",
        *,
        status: int = 503,
        body: object = b"",
        content_type: str | None = None,
        headers: Mapping[str, str] | None = None,
        times: int | None = None,
        method: str | None = None,
        drip: float = 0.0,
    ) -> CannedResponse:
        """Answer requests whose path matches a pattern (`*stat/sta`) with a canned response.

        Works with any status, including 200, and for WebSocket handshakes. `body` is text, bytes
        or a JSON value; text that starts like HTML or JSON gets that content type. The newest
        matching response wins. Returns it, to pass to `remove` or to read its `hits`.
        """
        if isinstance(body, str):
            content_type = content_type or TEXT_TYPES.get(body[:1], "text/plain")
            body = body.encode()
        elif not isinstance(body, bytes):
            content_type = content_type or "application/json"
            body = orjson.dumps(body)
        return self._add(
            CannedResponse(
                path=path,
                method=method,
                status=status,
                body=body,
                content_type=content_type or "text/plain",
                headers=headers or {},
                left=times,
                drip=drip,
            )
        )

    def delay(self, path: str, seconds: float, *, times: int | None = None) -> CannedResponse:
        """Delay the real responses by `seconds`."""
        return self._add(CannedResponse(path=path, delay=seconds, left=times))

    def hang(self, path: str = "*", *, times: int | None = None) -> CannedResponse:
        """Accept requests and never answer them."""
        return self._add(CannedResponse(path=path, hangs=True, left=times))

    def remove(self, response: CannedResponse) -> None:
        """Remove a canned response."""
        self.canned_responses.remove(response)

    def clear(self) -> None:
        """Turn all faults off."""
        for name, value in Faults().items():
            setattr(self, name, value)

    def items(self) -> list[tuple[str, object]]:
        """Return the faults and their values."""
        return [(name, getattr(self, name)) for name in self.__dataclass_fields__]

    def limit_logins(
        self,
        per_minute: int = 5,
        *,
        lock_seconds: float = 120.0,
        retry_after: int | None = None,
        extends: bool = False,
        locked_until: float = 0.0,
    ) -> LoginLimit:
        """Refuse logins with 429 after too many in a minute of the controller's clock.

        `locked_until` (POSIX seconds) locks logins immediately.
        """
        self.login_limit = LoginLimit(
            per_minute=per_minute,
            lock_seconds=lock_seconds,
            retry_after=retry_after,
            extends=extends,
            locked_until=locked_until,
        )
        return self.login_limit

    def canned_response(self, request: web.Request) -> CannedResponse | None:
        """Return the canned response for a request, if any."""
        for response in reversed(self.canned_responses):
            if response.matches(request):
                return response
        return None

    def boot_response(self) -> web.Response | None:
        """Return the response of a booting application to any request, None once it is up."""
        if self.booting is None:
            return None
        status = int(self.booting)
        text = "UniFi is starting up" if status == web.HTTPOk.status_code else f"{status}"
        return web.Response(status=status, text=HTML.format(text), content_type="text/html")

    def _add(self, response: CannedResponse) -> CannedResponse:
        self.canned_responses.append(response)
        return response
