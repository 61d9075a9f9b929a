"""Faults a test can give to the simulated controller (shared/faults.md)."""

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
    """What every path answers while the application starts (protocol.md 1 and 2)."""

    BAD_GATEWAY = "502"
    UNAVAILABLE = "503"
    HTML = "200"
    NOT_FOUND = "404"


class Rejection(StrEnum):
    """How UniFi OS words a wrong password: older builds 401, newer builds 403 with a code."""

    ERRORS_401 = "errors_401"
    CODE_403 = "code_403"


@dataclass(slots=True, kw_only=True)
class CannedResponse:
    """A canned_response answer for the paths that match; `left` answers remain (None: without end).

    `delay` waits (seconds) before the answer; with `hangs` none ever comes; without a `status` it
    is the real one. `drip` sends the body a byte at a time with so many seconds between.
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
        """Tell whether this answer is due for a request."""
        return (
            self.left != 0
            and (self.method is None or self.method == request.method)
            and fnmatchcase(request.path, self.path)
        )

    async def give(self, request: web.Request) -> web.StreamResponse | None:
        """Give the answer; None lets the request go on to its real one."""
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
    """How many logins a minute are let through, and what follows; good ones count (protocol.md 2).

    `retry_after` is the header sent with a 429, `extends` lets each refused attempt start the
    lock anew.
    """

    per_minute: int = 5
    lock_seconds: float = 120.0
    retry_after: int | None = None
    extends: bool = False
    attempts: deque[float] = field(default_factory=deque)
    locked_until: float = 0.0

    def refuses(self, now: float) -> bool:
        """Count one attempt and tell whether it is refused."""
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
    """Loses, doubles, delays and swaps frames with given probabilities, repeatable by its seed.

    A late frame is held until `late_frames` others have gone by, or until `flush`. `counts` tells
    what it did.
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
        """Seed the dice."""
        self._random = random.Random(self.seed)  # noqa: S311 - repeatable faults, not a secret

    def apply(self, text: str) -> list[str]:
        """Return the frames that go out now in place of this one."""
        due = [held for left, held in self._held if left <= 1]
        self._held = [(left - 1, held) for left, held in self._held if left > 1]
        dice = self._random.random()
        if dice < self.drop:
            self.counts["dropped"] += 1
            return due
        if dice < self.drop + self.double:
            self.counts["doubled"] += 1
            return [text, text, *due]
        if dice < self.drop + self.double + self.late:
            self.counts["late"] += 1
            self._held.append((self.late_frames, text))
            return due
        self.counts["passed"] += 1
        return [text, *due]

    def flush(self) -> list[str]:
        """Return the frames still held."""
        held = [text for _, text in self._held]
        self._held.clear()
        return held


@dataclass(slots=True, kw_only=True)
class Faults:
    """The faults now in force; all off at first.

    `silent`: sockets stay open and pings are answered, frames are withheld and counted.
    `rotate_csrf`: every answer carries a new CSRF value, and every request needs the newest.
    `stale_root_cookie`: `GET /` replaces even a live session's cookie by one without a login.
    `login_code`: a second factor that logins need. `frame_faults`: loses and delays frames.
    """

    answers: list[CannedResponse] = field(default_factory=list)
    booting: Booting | None = None
    silent: bool = False
    withheld: int = 0
    frame_faults: FrameFaults | None = None
    login_limit: LoginLimit | None = None
    login_code: str | None = None
    rejection: Rejection | None = None
    rotate_csrf: bool = False
    stale_root_cookie: bool = False

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

        It holds for any status, 200 too, and for WebSocket handshakes. `body` is text, bytes or
        anything JSON; text that starts like HTML or JSON gets that content type. The newest answer
        that matches wins. Returns the handle: `remove` takes it, `hits` counts.
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
        """Give the real answers late."""
        return self._add(CannedResponse(path=path, delay=seconds, left=times))

    def hang(self, path: str = "*", *, times: int | None = None) -> CannedResponse:
        """Take requests and never answer them."""
        return self._add(CannedResponse(path=path, hangs=True, left=times))

    def remove(self, answer: CannedResponse) -> None:
        """Take an answer back."""
        self.answers.remove(answer)

    def clear(self) -> None:
        """Take all faults back."""
        for name, value in Faults().items():
            setattr(self, name, value)

    def items(self) -> list[tuple[str, object]]:
        """Return the faults and their settings."""
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
        """Refuse logins with 429 once there were too many in a minute, by the controller's clock.

        `locked_until` (POSIX seconds) locks them at once.
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
        """Return the answer that is due for a request, if any."""
        for answer in reversed(self.answers):
            if answer.matches(request):
                return answer
        return None

    def boot_answer(self) -> web.Response | None:
        """Return what a starting application says to everything, None when it has started."""
        if self.booting is None:
            return None
        status = int(self.booting)
        text = "UniFi is starting up" if status == web.HTTPOk.status_code else f"{status}"
        return web.Response(status=status, text=HTML.format(text), content_type="text/html")

    def _add(self, answer: CannedResponse) -> CannedResponse:
        self.answers.append(answer)
        return answer
