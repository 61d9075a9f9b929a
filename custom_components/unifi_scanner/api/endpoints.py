"""URLs of a controller: base URLs for user input, REST paths and the event socket."""

from enum import StrEnum
from ipaddress import AddressValueError, IPv4Address, IPv6Address
import re
from urllib.parse import quote, urlsplit

# UniFi OS consoles, classic self-hosted applications, UniFi OS Server (docs/protocol.md 1).
CANDIDATE_PORTS = (443, 8443, 11443)

_HOST_NAME = re.compile(r"(?!-)[\w-]{1,63}(?<!-)(?:\.(?!-)[\w-]{1,63}(?<!-))*\.?")
_SOCKET_SCHEMES = {"https": "wss", "http": "ws"}


class DeviceType(StrEnum):
    """The kind of controller; the two differ in paths, cookies and responses."""

    UNIFI_OS = "unifi_os"
    SELF_HOSTED = "self_hosted"


def candidate_urls(host: str) -> tuple[str, ...]:
    """Return the base URLs to try for a host entered by a user, the most likely first.

    Accepts a host name or IP address, with or without a port, or an `https://` URL, whose path
    and query are ignored. Raises ValueError with a user-readable message for anything else.
    """
    text = host.strip()
    scheme, separator, rest = text.partition("://")
    if separator:
        if scheme.lower() != "https":
            raise ValueError("Only https:// addresses are supported")
        text = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in text:
        raise ValueError("The address must not contain a user name or password")
    if text.count(":") > 1 and not text.startswith("["):
        text = f"[{text}]"
    try:
        parts = urlsplit(f"//{text}")
        name, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("This is not a valid host, address or port") from None
    if not name or parts.netloc != text or text.endswith(":") or port == 0:
        raise ValueError("This is not a valid host, address or port")
    name = _validated_host(name)
    if port is not None:
        return (f"https://{name}:{port}",)
    ports = CANDIDATE_PORTS[:1] if separator else CANDIDATE_PORTS
    return tuple(f"https://{name}:{candidate}" for candidate in ports)


def _validated_host(name: str) -> str:
    try:
        if ":" in name:
            return f"[{IPv6Address(name)}]"
        if re.fullmatch(r"[\d.]+", name):
            return str(IPv4Address(name))
    except AddressValueError:
        raise ValueError("This is not a valid IP address") from None
    try:
        # DNS limits apply to the encoded form, which is longer for non-ASCII letters.
        valid = _HOST_NAME.fullmatch(name) and name.encode("idna")
    except UnicodeError:
        valid = None
    if not valid:
        raise ValueError("This is not a valid host name")
    return name


def login_path(device_type: DeviceType) -> str:
    """Return the path for POSTing a login (docs/protocol.md 2)."""
    return "/api/auth/login" if device_type is DeviceType.UNIFI_OS else "/api/login"


def logout_path(device_type: DeviceType) -> str:
    """Return the path for POSTing a logout (docs/protocol.md 2)."""
    return "/api/auth/logout" if device_type is DeviceType.UNIFI_OS else "/api/logout"


def rest_path(device_type: DeviceType, path: str) -> str:
    """Return the full path of a Network application `path`, e.g. `/api/self/sites`."""
    return f"/proxy/network{path}" if device_type is DeviceType.UNIFI_OS else path


def site_path(device_type: DeviceType, site: str, path: str) -> str:
    """Return the full path of a site's `path`, e.g. `stat/sta`; `site` is its short name."""
    return rest_path(device_type, f"/api/s/{quote(site, safe='')}/{path}")


def v2_site_path(device_type: DeviceType, site: str, path: str) -> str:
    """Return the full path of a site's `path` in the v2 API, e.g. `system-log/all`."""
    return rest_path(device_type, f"/v2/api/site/{quote(site, safe='')}/{path}")


def websocket_url(base_url: str, site: str, device_type: DeviceType) -> str:
    """Return the URL of a site's event socket, on the port of `base_url` (docs/protocol.md 1).

    Raises ValueError when `base_url` is not an HTTP(S) URL.
    """
    parts = urlsplit(base_url)
    scheme = _SOCKET_SCHEMES.get(parts.scheme)
    if scheme is None or not parts.hostname:
        raise ValueError("The base URL must start with https:// and contain a host")
    path = rest_path(device_type, f"/wss/s/{quote(site, safe='')}/events")
    return f"{scheme}://{parts.netloc}{path}"
