"""The self-signed certificate of a simulated controller."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
import ipaddress
from pathlib import Path
import ssl
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerCertificate:
    """A certificate with its private key, PEM encoded."""

    certificate: bytes
    key: bytes

    @property
    def der(self) -> bytes:
        """The certificate DER encoded, as clients pin it."""
        return ssl.PEM_cert_to_DER_cert(self.certificate.decode())

    @property
    def fingerprint(self) -> str:
        """SHA-256 fingerprint, upper case, with colons."""
        digest = x509.load_der_x509_certificate(self.der).fingerprint(hashes.SHA256())
        return digest.hex(":").upper()

    def context(self) -> ssl.SSLContext:
        """Make the server's TLS context."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # By default, OpenSSL loads no key as weak as those of old controllers.
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        # The ssl module loads a certificate chain only from a file.
        with tempfile.NamedTemporaryFile(suffix=".pem") as file:
            file.write(self.certificate + self.key)
            file.flush()
            context.load_cert_chain(file.name)
        return context

    @classmethod
    def load(cls, certificate: Path, key: Path) -> ServerCertificate:
        """Load a PEM certificate and its PEM key, which must have no passphrase."""
        return cls(certificate=certificate.read_bytes(), key=key.read_bytes())


def make_certificate(
    common_name: str = "unifi.local",
    *,
    not_before: datetime | None = None,
    not_after: datetime | None = None,
    rsa_bits: int | None = None,
) -> ServerCertificate:
    """Create a self-signed certificate for loopback, by default valid for a year from yesterday.

    With `rsa_bits`, its key is an RSA key of this size.
    """
    key = (
        rsa.generate_private_key(public_exponent=65537, key_size=rsa_bits)
        if rsa_bits
        else ec.generate_private_key(ec.SECP256R1())
    )
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    start = not_before or datetime.now(UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(not_after or start + timedelta(days=366))
        .add_extension(
            x509.SubjectAlternativeName(
                [
                    x509.DNSName("localhost"),
                    x509.DNSName(common_name),
                    x509.IPAddress(ipaddress.IPv4Address("127.0.0.1")),
                    x509.IPAddress(ipaddress.IPv6Address("::1")),
                ]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return ServerCertificate(
        certificate=certificate.public_bytes(serialization.Encoding.PEM),
        key=key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )
