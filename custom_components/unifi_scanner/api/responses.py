"""Interpret a controller's HTTP responses (docs/protocol.md 2 and 5)."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from multidict import CIMultiDict, MultiMapping
import orjson

from .damaged_json import load_json
from .errors import (
    BadCredentialsError,
    CannotConnectError,
    ClientNotConnectedError,
    ControllerStartingError,
    NotPermittedError,
    NotSupportedError,
    RateLimitedError,
    SecondFactorRequiredError,
    SessionExpiredError,
    SiteUnknownError,
    UnexpectedResponseError,
    UnifiError,
)
from .parsing import as_text

# UniFi OS's own status for a login that requires a second factor.
_SECOND_FACTOR_STATUS = 499
# Seconds; an absurd Retry-After header must not keep the stream closed.
_MAX_RETRY_AFTER = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An HTTP response.

    `document` is the parsed JSON, None if the body is not JSON or is `null`; `start` are the first
    bytes of the body; `retry_after` is in seconds.
    """

    status: int
    document: object
    retry_after: float | None
    headers: MultiMapping[str] = field(default_factory=CIMultiDict[str])
    start: bytes = b""

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def is_redirect(self) -> bool:
        """Whether the status is 3xx."""
        return HTTPStatus.MULTIPLE_CHOICES <= self.status < HTTPStatus.BAD_REQUEST

    @property
    def error_code(self) -> str:
        """The controller's error code or message, empty if there is none."""
        if not isinstance(self.document, dict):
            return ""
        meta = self.document.get("meta")
        code = (
            meta.get("msg")
            if isinstance(meta, dict)
            else self.document.get("code") or self.document.get("message")
        )
        return (as_text(code) or "")[:64]


def parse_json(body: bytes | bytearray) -> object:
    """Parse a body as JSON; return None if it is not JSON."""
    try:
        document: object = load_json(body)
    except orjson.JSONDecodeError:
        return None
    return document


def parse_retry_after(value: str | None) -> float | None:
    """Return the wait in seconds of a Retry-After header: a number or a date (RFC 9110)."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            at = parsedate_to_datetime(value)
        except ValueError:
            return None
        if at.tzinfo is None:
            at = at.replace(tzinfo=UTC)
        seconds = (at - datetime.now(UTC)).total_seconds()
    # Comparisons with NaN are False, so `min` returns its first argument.
    return max(0.0, min(_MAX_RETRY_AFTER, seconds))


def check_login(response: Response) -> None:
    """Raise unless a login succeeded.

    Raises BadCredentialsError, SecondFactorRequiredError, RateLimitedError,
    ControllerStartingError or UnexpectedResponseError.
    """
    code = response.error_code
    if response.status == _SECOND_FACTOR_STATUS or "2fa" in code.lower() or "MFA" in code:
        raise SecondFactorRequiredError("The account requires a second factor")
    if code == "AUTHENTICATION_FAILED_LIMIT_REACHED":
        raise _rate_limit_error(response)
    if code == "api.err.LoginRequired":
        # A self-hosted application's response to any unknown path: the assumed kind was wrong.
        raise ControllerStartingError("The controller does not know the login path")
    if response.status == HTTPStatus.UNAUTHORIZED:
        raise BadCredentialsError("The login was rejected", definite=False)
    if response.status == HTTPStatus.FORBIDDEN or code in {
        "api.err.Invalid",
        "api.err.NoPermission",
    }:
        raise BadCredentialsError("The login was rejected", definite=True)
    if (error := _unavailable_error(response)) is not None:
        raise error
    if response.ok and not isinstance(response.document, dict):
        raise ControllerStartingError("The response to the login is not JSON")
    if not response.ok or _has_error_meta(response.document):
        raise UnexpectedResponseError(f"The login failed with HTTP {response.status} {code}")


def extract_records(response: Response, site: str | None = None) -> list[dict[str, Any]]:
    """Return the records in the `data` of a REST response; `site` is the requested site, if any.

    Raises SessionExpiredError, RateLimitedError, SiteUnknownError, ControllerStartingError or
    UnexpectedResponseError.
    """
    code = response.error_code
    if site is not None and code in {"api.err.NoSiteContext", "api.err.NoPermission"}:
        raise SiteUnknownError(site)
    _check_session(response)
    if (error := _unavailable_error(response)) is not None:
        raise error
    document = response.document
    if response.ok and document is None:
        raise ControllerStartingError("The response is not JSON")
    if not response.ok or not isinstance(document, dict) or _has_error_meta(document):
        raise UnexpectedResponseError(f"HTTP {response.status} {code}")
    data = document.get("data")
    if not isinstance(data, list):
        raise UnexpectedResponseError("The response contains no list of records")
    return [record for record in data if isinstance(record, dict)]


def check_command(response: Response, site: str) -> None:
    """Raise unless a command for a client succeeded.

    Raises NotPermittedError, ClientNotConnectedError or an error of `extract_records`.
    """
    if response.error_code == "api.err.NoPermission":
        raise NotPermittedError("The account lacks permission for this command", definite=True)
    if response.error_code in {"api.err.UnknownStation", "api.err.UnknownUser"}:
        raise ClientNotConnectedError("The client is not connected to this controller")
    extract_records(response, site)


def check_v2_response(response: Response) -> None:
    """Raise unless a request to the v2 API succeeded (docs/protocol.md 2 and 4).

    Raises NotSupportedError if the controller's version does not have the endpoint,
    SessionExpiredError, RateLimitedError, ControllerStartingError or UnexpectedResponseError.
    """
    _check_session(response)
    if response.status in {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.METHOD_NOT_ALLOWED,
    }:
        raise NotSupportedError(f"HTTP {response.status} {response.error_code}")
    if (error := _unavailable_error(response)) is not None:
        raise error
    if not response.ok:
        raise UnexpectedResponseError(f"HTTP {response.status} {response.error_code}")


def handshake_error(status: int, retry_after: float | None) -> UnifiError:
    """Return the error for a refused WebSocket handshake (docs/protocol.md 2, last table)."""
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return SessionExpiredError(f"The handshake was refused with HTTP {status}")
    if status < HTTPStatus.MULTIPLE_CHOICES:
        return ControllerStartingError(f"HTTP {status} instead of a WebSocket")
    response = Response(status=status, document=None, retry_after=retry_after)
    return _unavailable_error(response) or CannotConnectError(
        f"The handshake was refused with HTTP {status}"
    )


def _check_session(response: Response) -> None:
    if response.error_code == "api.err.LoginRequired" or response.status in {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
    }:
        raise SessionExpiredError("The controller no longer accepts the session")


def _has_error_meta(document: object) -> bool:
    meta = document.get("meta") if isinstance(document, dict) else None
    return isinstance(meta, dict) and meta.get("rc") == "error"


def _unavailable_error(response: Response) -> UnifiError | None:
    """Return the error if the controller is rate limiting or starting, None otherwise."""
    if response.status == HTTPStatus.TOO_MANY_REQUESTS:
        return _rate_limit_error(response)
    failing = response.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    if response.is_redirect or failing or response.status == HTTPStatus.NOT_FOUND:
        return ControllerStartingError(f"HTTP {response.status}: the controller is not ready")
    return None


def _rate_limit_error(response: Response) -> RateLimitedError:
    return RateLimitedError(
        "The controller is rate limiting logins or requests", retry_after=response.retry_after
    )
