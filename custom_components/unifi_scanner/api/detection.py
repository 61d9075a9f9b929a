"""Recognize a UniFi controller and its kind without credentials (docs/protocol.md 1)."""

from http import HTTPStatus
from urllib.parse import urlsplit

from .endpoints import DeviceType, rest_path
from .errors import ControllerStartingError, RateLimitedError
from .responses import Response

# Requested in this order when the response to GET / does not reveal the kind.
STATUS_PATH = "/status"
GUARDED_PATH = rest_path(DeviceType.UNIFI_OS, "/api/self/sites")

# In order of precedence (docs/protocol.md 2).
CSRF_HEADERS = ("X-Updated-CSRF-Token", "X-CSRF-Token")
_SESSION_COOKIES = ("TOKEN=", "UOS_TOKEN=")
_REFUSAL = b"Unauthorized"  # plain text on the versions known, perhaps JSON on others


def kind_by_root(response: Response) -> DeviceType | None:
    """Return the kind of controller that sent this response to GET /, None if nothing tells.

    Raises RateLimitedError or ControllerStartingError if it has to be asked again.
    """
    headers = response.headers
    # Other applications send one of the two as well.
    if (
        response.ok
        and any(name in headers for name in CSRF_HEADERS)
        and any(cookie.startswith(_SESSION_COOKIES) for cookie in headers.getall("Set-Cookie", ()))
    ):
        return DeviceType.UNIFI_OS
    if response.is_redirect and urlsplit(headers.get("Location", "")).path.startswith("/manage"):
        return DeviceType.SELF_HOSTED
    if response.status == HTTPStatus.TOO_MANY_REQUESTS:
        raise RateLimitedError(
            "The controller is rate limiting requests", retry_after=response.retry_after
        )
    if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise ControllerStartingError(f"HTTP {response.status}: the controller is not ready")
    return None


def is_self_hosted_status(response: Response) -> bool:
    """Return whether a self-hosted application sent this response to `STATUS_PATH`.

    Its JSON has an envelope of its own, even where the path is unknown to it.
    """
    document = response.document
    meta = document.get("meta") if isinstance(document, dict) else None
    return isinstance(meta, dict) and "rc" in meta


def is_unifi_os_refusal(response: Response) -> bool:
    """Return whether UniFi OS sent this response to `GUARDED_PATH` without a session."""
    return response.status == HTTPStatus.UNAUTHORIZED and _REFUSAL in response.start
