"""Who is logged in: session tokens, their lifetime and their CSRF values (protocol.md 2)."""

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
    """What a request's cookie is worth."""

    VALID = "valid"
    # No cookie, a pre-login cookie, or a session that has ended: 401.
    NONE = "none"
    # A session from before the controller's restart: 403.
    FORGOTTEN = "forgotten"


@dataclass(slots=True, kw_only=True)
class Session:
    """One login; times in POSIX seconds."""

    token: str = field(repr=False)
    csrf: str = field(repr=False)
    created: float
    expires: float
    remember: bool


class Sessions:
    """All logins of a controller."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Start without any."""
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._live: dict[str, Session] = {}
        self._forgotten: set[str] = set()

    def __len__(self) -> int:
        """Return the number of live sessions."""
        return sum(session.expires > self._clock() for session in self._live.values())

    def open(self, username: str, *, remember: bool, jwt: bool) -> Session:
        """Log in: the session lives 30 days when remembered, else 2 hours."""
        now = self._clock()
        csrf = str(uuid.uuid4())
        expires = now + (LONG_LIFE if remember else SHORT_LIFE)
        token = self.token(csrf, username, expires) if jwt else secrets.token_urlsafe(24)
        session = Session(token=token, csrf=csrf, created=now, expires=expires, remember=remember)
        self._live[token] = session
        return session

    def get(self, token: str | None) -> Session | None:
        """Return the live session of a cookie's value."""
        session = self._live.get(token or "")
        return session if session is not None and session.expires > self._clock() else None

    def token_status(self, token: str | None) -> TokenStatus:
        """Judge a cookie's value."""
        if self.get(token) is not None:
            return TokenStatus.VALID
        return TokenStatus.FORGOTTEN if token in self._forgotten else TokenStatus.NONE

    def close(self, token: str | None) -> None:
        """Log out."""
        self._live.pop(token or "", None)

    def expire(self) -> None:
        """End every session: their cookies now mean 401."""
        self._live.clear()

    def forget(self) -> None:
        """Forget every session, as a restart does: their cookies now mean 403."""
        self._forgotten |= set(self._live)
        self._live.clear()

    def token(self, csrf: str, user: str | None, expires: float) -> str:
        """Make a JWT with the claim `csrfToken`; without a user it opens nothing."""
        claims = {"csrfToken": csrf, "jti": str(uuid.uuid4()), "exp": int(expires)}
        if user is not None:
            claims |= {"userId": user, "passwordRevision": 1}
        parts = ({"alg": "HS256", "typ": "JWT"}, claims)
        text = ".".join(_base64(orjson.dumps(part)) for part in parts)
        digest = hmac.digest(self._key, text.encode(), hashlib.sha256)
        return f"{text}.{_base64(digest)}"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
