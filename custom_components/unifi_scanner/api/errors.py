"""Exceptions of the API layer; their messages never contain secrets."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # tls.py raises these errors
    from .tls import Certificate


class UnifiError(Exception):
    """Base class of every exception that `api` raises deliberately."""


class CannotConnectError(UnifiError):
    """No connection, or no response in time."""


class ResponseTimeoutError(CannotConnectError):
    """A connection was made, but the response did not come in time."""


class ControllerStartingError(UnifiError):
    """The controller, or the application behind it, is still booting or being upgraded.

    Seen as 404, 502, 503, a redirect, or HTML instead of JSON (docs/protocol.md 1 and 2). The
    controller kind detected before this error is unreliable.
    """


class UnrecognizedServerError(ControllerStartingError):
    """A web server responds, but nothing shows that it is a UniFi controller.

    Most likely it is not one; but the pages of some that are still booting look like any other
    server's.
    """


class NoNetworkApplicationError(ControllerStartingError):
    """A UniFi OS console has no Network application, or it is just being installed."""


class AuthenticationError(UnifiError):
    """The controller rejects our credentials or our session."""


class BadCredentialsError(AuthenticationError):
    """A login was rejected.

    `definite` is False for 401, which a booting controller also returns for a correct password:
    only repeated rejections mean that the password is wrong.
    """

    def __init__(self, message: str, *, definite: bool) -> None:
        """Store whether the response is unambiguous."""
        super().__init__(message)
        self.definite = definite


class SecondFactorRequiredError(AuthenticationError):
    """The account requires a second factor, which an integration cannot provide."""


class SessionExpiredError(AuthenticationError):
    """A request other than a login was answered with 401, 403 or `api.err.LoginRequired`."""


class RateLimitedError(UnifiError):
    """The controller is rate limiting us; `retry_after` is in seconds, None if not given."""

    def __init__(self, message: str, *, retry_after: float | None) -> None:
        """Store the requested wait."""
        super().__init__(message)
        self.retry_after = retry_after


class CertificateNotTrustedError(UnifiError):
    """The controller presented a certificate that our TLS setting does not accept.

    `certificate` is the presented one, None if it could not be read. No credentials were sent.
    """

    def __init__(self, message: str, *, certificate: Certificate | None = None) -> None:
        """Store the certificate, for the user to compare."""
        super().__init__(message)
        self.certificate = certificate


class CertificateTooWeakError(CertificateNotTrustedError):
    """The certificate cannot be trusted, not even pinned, as its key or signature is too weak."""


class SiteUnknownError(UnifiError):
    """The site does not exist, or this account has no access to it."""

    def __init__(self, site: str) -> None:
        """Store the site's short name."""
        super().__init__(f"Site {site!r} does not exist or this account has no access to it")
        self.site = site


class NotPermittedError(UnifiError):
    """The account has read access but lacks permission for this request.

    `definite` is False for a bare 401 or 403, which an outdated CSRF token causes too: only if a
    new session is refused as well, the permission is missing.
    """

    def __init__(self, message: str, *, definite: bool) -> None:
        """Store whether the response is unambiguous."""
        super().__init__(message)
        self.definite = definite


class ClientNotConnectedError(UnifiError):
    """The client that a command addresses is not connected."""


class NotSupportedError(UnifiError):
    """This version of the controller does not support the request."""


class UnexpectedResponseError(UnifiError):
    """The response does not have the documented form."""
