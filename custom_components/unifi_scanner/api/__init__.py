"""Client for UniFi controllers: HTTP, TLS, the event socket and JSON, without Home Assistant."""

from .buffer import WebSocketEventBuffer
from .client import UnifiClient
from .endpoints import DeviceType, candidate_urls, websocket_url
from .errors import (
    AuthenticationError,
    BadCredentialsError,
    CannotConnectError,
    CertificateNotTrustedError,
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
from .frames import BufferedEvent, FrameStatistics, parse_unifi_event, parse_unifi_events
from .records import (
    Band,
    DeviceRecord,
    EventKind,
    EventRecord,
    Link,
    Observation,
    Site,
    StationRecord,
    SystemInfo,
    normalise_mac,
    observation_from,
)
from .system_log import ClientLog, LogRow
from .tls import Certificate, TlsMode, create_context, fetch_certificate
from .websocket import ReconnectPolicy, StreamState, UnifiWebSocketClient

__all__ = [
    "AuthenticationError",
    "BadCredentialsError",
    "Band",
    "BufferedEvent",
    "CannotConnectError",
    "Certificate",
    "CertificateNotTrustedError",
    "ClientLog",
    "ClientNotConnectedError",
    "ControllerStartingError",
    "DeviceRecord",
    "DeviceType",
    "EventKind",
    "EventRecord",
    "FrameStatistics",
    "Link",
    "LogRow",
    "NotPermittedError",
    "NotSupportedError",
    "Observation",
    "RateLimitedError",
    "ReconnectPolicy",
    "SecondFactorRequiredError",
    "SessionExpiredError",
    "Site",
    "SiteUnknownError",
    "StationRecord",
    "StreamState",
    "SystemInfo",
    "TlsMode",
    "UnexpectedResponseError",
    "UnifiClient",
    "UnifiError",
    "UnifiWebSocketClient",
    "WebSocketEventBuffer",
    "candidate_urls",
    "create_context",
    "fetch_certificate",
    "normalise_mac",
    "observation_from",
    "parse_unifi_event",
    "parse_unifi_events",
    "websocket_url",
]
