"""What a controller's HTTP answer means (protocol.md 2 and 5)."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import orjson

from .endpoints import DeviceType
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
    UnexpectedAnswerError,
    UnifiError,
)

# UniFi OS asks for a second factor with a status of its own.
_SECOND_FACTOR_STATUS = 499
# No controller means more, and a wrong figure must not end the stream for good.
_LONGEST_WAIT = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An HTTP answer; `document` is its JSON, None when it has none (as is JSON's own null)."""

    status: int
    document: object
    retry_after: float | None

    @property
    def ok(self) -> bool:
        """Whether the status is one of success."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def code(self) -> str:
        """The controller's own word for what is wrong, empty when there is none."""
        if not isinstance(self.document, dict):
            return ""
        meta = self.document.get("meta")
        found = (
            meta.get("msg")
            if isinstance(meta, dict)
            else self.document.get("code") or self.document.get("message")
        )
        return found[:64] if isinstance(found, str) else ""


def parse_json(body: bytes) -> object:
    """Return the JSON of a body, None when it is none."""
    try:
        document: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return document


def parse_retry_after(value: str | None) -> float | None:
    """Return a Retry-After header's wait in seconds; it holds seconds or a date (RFC 9110)."""
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
    # Comparisons with NaN are False, which leaves it to the first bound.
    return max(0.0, min(_LONGEST_WAIT, seconds))


def kind_of(answer: Answer) -> DeviceType:
    """Return the controller's kind by its answer to GET / (protocol.md 1).

    Raises ControllerStartingError, RateLimitedError or CannotConnectError when it does not tell.
    """
    if answer.status == HTTPStatus.OK:
        return DeviceType.UNIFI_OS
    if HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST:
        return DeviceType.SELF_HOSTED
    raise _busy(answer) or CannotConnectError(
        f"HTTP {answer.status} from something that is no UniFi controller"
    )


def check_login(answer: Answer) -> None:
    """Raise what the answer to a login means, unless it succeeded."""
    code = answer.code
    if answer.status == _SECOND_FACTOR_STATUS or "2fa" in code.lower() or "MFA" in code:
        raise SecondFactorRequiredError("The account asks for a second factor")
    if code == "AUTHENTICATION_FAILED_LIMIT_REACHED":
        raise _rate_limited(answer)
    if code == "api.err.LoginRequired":
        # A classic application says so of every path it does not know: the kind was wrong.
        raise ControllerStartingError("The login path is unknown to the controller")
    if answer.status == HTTPStatus.UNAUTHORIZED:
        raise BadCredentialsError("The login was rejected", definite=False)
    if answer.status == HTTPStatus.FORBIDDEN or code in {"api.err.Invalid", "api.err.NoPermission"}:
        raise BadCredentialsError("The login was rejected", definite=True)
    if (busy := _busy(answer)) is not None:
        raise busy
    if answer.ok and not isinstance(answer.document, dict):
        raise ControllerStartingError("The login was not answered with JSON")
    if not answer.ok or _is_error(answer.document):
        raise UnexpectedAnswerError(f"The login was answered with HTTP {answer.status} {code}")


def entries(answer: Answer, site: str | None = None) -> list[dict[str, Any]]:
    """Return the records of a REST answer's `data`.

    `site` is the one that was asked for. Raises SessionExpiredError, RateLimitedError,
    SiteUnknownError, ControllerStartingError or UnexpectedAnswerError.
    """
    code = answer.code
    if site is not None and code in {"api.err.NoSiteContext", "api.err.NoPermission"}:
        raise SiteUnknownError(site)
    _check_session(answer)
    if (busy := _busy(answer)) is not None:
        raise busy
    document = answer.document
    if answer.ok and document is None:
        raise ControllerStartingError("The answer is not JSON")
    if not answer.ok or not isinstance(document, dict) or _is_error(document):
        raise UnexpectedAnswerError(f"HTTP {answer.status} {code}")
    data = document.get("data")
    if not isinstance(data, list):
        raise UnexpectedAnswerError("The answer holds no list of records")
    return [record for record in data if isinstance(record, dict)]


def check_command(answer: Answer, site: str) -> None:
    """Raise what the answer to a command about a client means, unless it was obeyed.

    Raises NotPermittedError or ClientNotConnectedError, else as `entries` does.
    """
    if answer.code == "api.err.NoPermission":
        raise NotPermittedError("The account lacks the right to do this")
    if answer.code in {"api.err.UnknownStation", "api.err.UnknownUser"}:
        raise ClientNotConnectedError("The controller has no link with this client")
    entries(answer, site)


def check_v2_response(answer: Answer) -> None:
    """Raise what the second API's answer means, unless it is a success (protocol.md 2 and 4).

    Raises NotSupportedError where a version lacks what was asked for, SessionExpiredError,
    RateLimitedError, ControllerStartingError or UnexpectedAnswerError.
    """
    _check_session(answer)
    if answer.status in {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.METHOD_NOT_ALLOWED,
    }:
        raise NotSupportedError(f"HTTP {answer.status} {answer.code}")
    if (busy := _busy(answer)) is not None:
        raise busy
    if not answer.ok:
        raise UnexpectedAnswerError(f"HTTP {answer.status} {answer.code}")


def refusal(status: int, retry_after: float | None) -> UnifiError:
    """Return what a refused WebSocket handshake means (protocol.md 2, last table)."""
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return SessionExpiredError(f"The handshake was refused with HTTP {status}")
    if status < HTTPStatus.MULTIPLE_CHOICES:
        return ControllerStartingError(f"HTTP {status} instead of a WebSocket")
    answer = Answer(status=status, document=None, retry_after=retry_after)
    return _busy(answer) or CannotConnectError(f"The handshake was refused with HTTP {status}")


def _check_session(answer: Answer) -> None:
    if answer.code == "api.err.LoginRequired" or answer.status in {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
    }:
        raise SessionExpiredError("The controller no longer accepts the session")


def _is_error(document: object) -> bool:
    meta = document.get("meta") if isinstance(document, dict) else None
    return isinstance(meta, dict) and meta.get("rc") == "error"


def _busy(answer: Answer) -> UnifiError | None:
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        return _rate_limited(answer)
    redirect = HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST
    failing = answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    if redirect or failing or answer.status == HTTPStatus.NOT_FOUND:
        return ControllerStartingError(f"HTTP {answer.status}: the controller is not ready")
    return None


def _rate_limited(answer: Answer) -> RateLimitedError:
    return RateLimitedError(
        "The controller limits logins or requests", retry_after=answer.retry_after
    )
