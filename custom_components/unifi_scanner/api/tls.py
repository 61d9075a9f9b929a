"""How far a controller's certificate is trusted, and which one it shows."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
import ssl

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from .errors import CannotConnectError

# X509_V_FLAG_NO_CHECK_TIME of OpenSSL, which the ssl module does not name.
_NO_CHECK_TIME = 0x200000


class TlsMode(StrEnum):
    """What a connection to a controller accepts."""

    VERIFY = "verify"
    PINNED = "pinned"
    INSECURE = "insecure"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate as it came over the wire; `der` is its binary form."""

    der: bytes

    @property
    def _parsed(self) -> x509.Certificate:
        return x509.load_der_x509_certificate(self.der)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, as browsers show it: `AA:BB:...`."""
        return self._parsed.fingerprint(SHA256()).hex(":").upper()

    @property
    def subject(self) -> str:
        """Whom it names, as RFC 4514 text."""
        return self._parsed.subject.rfc4514_string()

    @property
    def issuer(self) -> str:
        """Who signed it, as RFC 4514 text."""
        return self._parsed.issuer.rfc4514_string()

    @property
    def not_before(self) -> datetime:
        """Valid from (UTC)."""
        return self._parsed.not_valid_before_utc

    @property
    def not_after(self) -> datetime:
        """Valid until (UTC)."""
        return self._parsed.not_valid_after_utc


def create_context(mode: TlsMode, certificate: bytes | None = None) -> ssl.SSLContext:
    """Return a client context; `certificate` (DER) is the one to accept when pinned.

    Blocks for `verify`, which reads the system's certificate store: run it in an executor. Raises
    ValueError when pinned without a certificate, ssl.SSLError when that is not a certificate.
    """
    if mode is TlsMode.VERIFY:
        return ssl.create_default_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    if mode is TlsMode.INSECURE:
        context.verify_mode = ssl.CERT_NONE
        return context
    if certificate is None:
        raise ValueError("A pinned connection needs a certificate")
    context.load_verify_locations(cadata=certificate)
    # Exactly this certificate, whoever signed it and however old it is.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | _NO_CHECK_TIME
    return context


async def fetch_certificate(host: str, port: int, timeout: float = 10) -> Certificate:  # noqa: ASYNC109 - the caller's limit is part of the contract
    """Return the certificate shown at `host`; `timeout` is in seconds.

    Only a TLS handshake takes place, nothing is sent over the connection. Raises CannotConnectError
    when there is none.
    """
    context = create_context(TlsMode.INSECURE)
    try:
        async with asyncio.timeout(timeout):
            _, writer = await asyncio.open_connection(host, port, ssl=context)
    except (OSError, ValueError) as err:
        raise CannotConnectError(f"No TLS connection: {type(err).__name__}") from err
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.transport.abort()
    if not shown:
        raise CannotConnectError("The server showed no certificate")
    return Certificate(shown)
