"""Login sessions: tokens, their lifetime and their CSRF tokens (docs/protocol.md 2)."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
import hashlib
import hmac
import secrets
import uuid

import orjson

SHORT_LIFE = 2 * 3600.0
LONG_LIFE = 30 * 86_400.0


class TokenStatus(Enum):
    """Whether a request's session cookie is accepted."""

    VALID = "valid"
    # No cookie, a pre-login cookie, or a session that has ended: 401.
    NONE = "none"
    # A session that a restart has ended, on a controller that answers 403 to those.
    FORBIDDEN = "forbidden"


@dataclass(slots=True, kw_only=True)
class Session:
    """A login session; times in POSIX seconds."""

    token: str = field(repr=False)
    csrf: str = field(repr=False)
    created: float
    expires: float
    remember: bool


class Sessions:
    """All login sessions of a controller."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Start without sessions; `clock` returns POSIX seconds."""
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._live: dict[str, Session] = {}
        self._forbidden: set[str] = set()

    def __len__(self) -> int:
        """Return the number of live sessions."""
        return sum(session.expires > self._clock() for session in self._live.values())

    def open(self, username: str, *, remember: bool, jwt: bool) -> Session:
        """Open a session, valid for 30 days if `remember`, else for 2 hours."""
        now = self._clock()
        csrf = str(uuid.uuid4())
        expires = now + (LONG_LIFE if remember else SHORT_LIFE)
        token = self.token(csrf, username, expires) if jwt else secrets.token_urlsafe(24)
        session = Session(token=token, csrf=csrf, created=now, expires=expires, remember=remember)
        self._live[token] = session
        return session

    def get(self, token: str | None) -> Session | None:
        """Return the live session of a token."""
        session = self._live.get(token or "")
        return session if session is not None and session.expires > self._clock() else None

    def token_status(self, token: str | None) -> TokenStatus:
        """Return whether a token is accepted."""
        if self.get(token) is not None:
            return TokenStatus.VALID
        return TokenStatus.FORBIDDEN if token in self._forbidden else TokenStatus.NONE

    def close(self, token: str | None) -> None:
        """Close a session."""
        self._live.pop(token or "", None)

    def change_csrf(self) -> None:
        """Replace the CSRF token of all sessions without sending it to anybody."""
        for session in self._live.values():
            session.csrf = str(uuid.uuid4())

    def expire(self) -> None:
        """End all sessions; their cookies now lead to 401."""
        self._live.clear()

    def forbid(self) -> None:
        """End all sessions; their cookies now lead to 403."""
        self._forbidden |= set(self._live)
        self._live.clear()

    def token(self, csrf: str, user: str | None, expires: float) -> str:
        """Create a JWT with the claim `csrfToken`; without a user it is not logged in."""
        claims = {"csrfToken": csrf, "jti": str(uuid.uuid4()), "exp": int(expires)}
        if user is not None:
            claims |= {"userId": user, "passwordRevision": 1}
        parts = ({"alg": "HS256", "typ": "JWT"}, claims)
        text = ".".join(_base64(orjson.dumps(part)) for part in parts)
        digest = hmac.digest(self._key, text.encode(), hashlib.sha256)
        return f"{text}.{_base64(digest)}"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
