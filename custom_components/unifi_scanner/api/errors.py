"""What can go wrong between us and a controller: one tree, and no secret in any text."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # tls.py raises these errors
    from .tls import Certificate


class UnifiError(Exception):
    """Root of every error that `api` raises on purpose."""


class CannotConnectError(UnifiError):
    """No connection, no answer in time, or the answer of something that is no controller."""


class ControllerStartingError(UnifiError):
    """The controller, or the application behind it, is still booting or being upgraded.

    Seen as 404, 502, 503, a redirect, or HTML where JSON is expected (protocol.md 1 and 2). What
    was found out about the controller's kind before this is not to be relied on.
    """


class AuthenticationError(UnifiError):
    """The controller does not accept who we are."""


class BadCredentialsError(AuthenticationError):
    """A login was rejected.

    `definite` is False for an answer that a booting console also gives to a right password (401):
    only its repetition means that the password is wrong.
    """

    def __init__(self, message: str, *, definite: bool) -> None:
        """Keep whether the answer leaves no doubt."""
        super().__init__(message)
        self.definite = definite


class SecondFactorRequiredError(AuthenticationError):
    """The account wants a second factor, which nobody is there to enter."""


class SessionExpiredError(AuthenticationError):
    """A request other than a login was answered with 401, 403 or `api.err.LoginRequired`."""


class RateLimitedError(UnifiError):
    """The controller asks us to wait; `retry_after` is in seconds, None when it names no time."""

    def __init__(self, message: str, *, retry_after: float | None) -> None:
        """Keep how long to wait."""
        super().__init__(message)
        self.retry_after = retry_after


class CertificateNotTrustedError(UnifiError):
    """The controller showed a certificate that our TLS setting does not accept.

    `certificate` is what it shows, None when that could not be read. No credential was sent.
    """

    def __init__(self, message: str, *, certificate: Certificate | None = None) -> None:
        """Keep the certificate, so that the user can compare it."""
        super().__init__(message)
        self.certificate = certificate


class SiteUnknownError(UnifiError):
    """The controller has no such site, or none that this account may see."""

    def __init__(self, site: str) -> None:
        """Keep the site's short name."""
        super().__init__(f"Site {site!r} is unknown to the controller or closed to this account")
        self.site = site


class NotPermittedError(UnifiError):
    """The account may look, but lacks the right to do this."""


class ClientNotConnectedError(UnifiError):
    """The controller has no link with the client that something was to be done with."""


class NotSupportedError(UnifiError):
    """This version of the controller does not have what was asked for."""


class UnexpectedAnswerError(UnifiError):
    """The answer is JSON, but not of the documented shape."""
