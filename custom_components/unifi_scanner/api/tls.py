"""TLS trust modes, and the certificate that a controller presents."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
import ssl

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from .errors import CannotConnectError, CertificateNotTrustedError, CertificateTooWeakError

# OpenSSL's X509_V_FLAG_NO_CHECK_TIME, for which the ssl module has no constant.
_NO_CHECK_TIME = 0x200000
# OpenSSL's X509_V_ERR_EE_KEY_TOO_SMALL, _CA_KEY_TOO_SMALL and _CA_MD_TOO_WEAK.
_TOO_WEAK = {66, 67, 68}


class TlsMode(StrEnum):
    """Which certificates a connection accepts: trusted ones, one pinned one, or any."""

    VERIFY = "verify"
    PINNED = "pinned"
    INSECURE = "insecure"


@dataclass(frozen=True, slots=True)
class Certificate:
    """An X.509 certificate; `der` is its DER encoding."""

    der: bytes

    @property
    def _parsed(self) -> x509.Certificate:
        return x509.load_der_x509_certificate(self.der)

    @property
    def fingerprint(self) -> str:
        """SHA-256 fingerprint as browsers show it: `AA:BB:...`."""
        return self._parsed.fingerprint(SHA256()).hex(":").upper()

    @property
    def subject(self) -> str:
        """Subject as an RFC 4514 string."""
        return self._parsed.subject.rfc4514_string()

    @property
    def issuer(self) -> str:
        """Issuer as an RFC 4514 string."""
        return self._parsed.issuer.rfc4514_string()

    @property
    def not_before(self) -> datetime:
        """Start of validity (UTC)."""
        return self._parsed.not_valid_before_utc

    @property
    def not_after(self) -> datetime:
        """End of validity (UTC)."""
        return self._parsed.not_valid_after_utc


def create_context(mode: TlsMode, certificate: bytes | None = None) -> ssl.SSLContext:
    """Return a client-side TLS context; `certificate` is the one to pin, in DER.

    Run in an executor for `verify`, which blocks to read the system's trust store. Raises
    ValueError when pinned without a certificate, ssl.SSLError if the certificate is invalid.
    """
    if mode is TlsMode.VERIFY:
        return ssl.create_default_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    if mode is TlsMode.INSECURE:
        context.verify_mode = ssl.CERT_NONE
        return context
    if certificate is None:
        raise ValueError("Pinning requires a certificate")
    context.load_verify_locations(cadata=certificate)
    # Accept exactly this certificate, whatever its issuer and validity.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | _NO_CHECK_TIME
    return context


def certificate_error(
    cause: Exception, certificate: Certificate | None
) -> CertificateNotTrustedError:
    """Return the error for a handshake in which a certificate was refused."""
    if isinstance(cause, ssl.SSLCertVerificationError) and cause.verify_code in _TOO_WEAK:
        return CertificateTooWeakError(
            "The controller's certificate is too weak", certificate=certificate
        )
    return CertificateNotTrustedError(
        "The controller's certificate is not trusted", certificate=certificate
    )


async def fetch_certificate(host: str, port: int, timeout: float = 10) -> Certificate:  # noqa: ASYNC109 - callers choose the timeout
    """Return the certificate that a server presents; `timeout` is in seconds.

    Only performs the TLS handshake and sends no data. Raises CannotConnectError if that fails.
    """
    context = create_context(TlsMode.INSECURE)
    try:
        async with asyncio.timeout(timeout):
            _, writer = await asyncio.open_connection(host, port, ssl=context)
    except (OSError, ValueError) as err:
        raise CannotConnectError(f"The TLS connection failed: {type(err).__name__}") from err
    der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.transport.abort()
    if not der:
        raise CannotConnectError("The server presented no certificate")
    return Certificate(der)
