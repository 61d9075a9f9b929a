"""Which certificates are accepted, tried against real TLS servers on loopback."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
import ssl
from typing import override

import pytest

from custom_components.unifi_scanner.api import (
    CannotConnectError,
    Certificate,
    TlsMode,
    create_context,
    fetch_certificate,
)
from tests.controller import ServerCertificate, make_certificate

LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)
EXPIRED = make_certificate(not_before=LONG_AGO, not_after=LONG_AGO + timedelta(days=1))
FUTURE = make_certificate(not_before=datetime.now(UTC) + timedelta(days=300))
VALID = make_certificate()


class Listener(asyncio.Protocol):
    """Keeps what a client sends, and tells when it has gone."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.received = b""
        self.gone = asyncio.Event()

    @override
    def data_received(self, data: bytes) -> None:
        self.received += data

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.gone.set()


@asynccontextmanager
async def tls_server(
    certificate: ServerCertificate, listener: Listener | None = None
) -> AsyncGenerator[int]:
    """Serve TLS on loopback and give the port."""
    server = await asyncio.get_running_loop().create_server(
        lambda: listener or Listener(), "127.0.0.1", 0, ssl=certificate.context()
    )
    async with server:
        yield server.sockets[0].getsockname()[1]
        server.close_clients()


async def shake_hands(port: int, context: ssl.SSLContext) -> None:
    """Do a TLS handshake and nothing else."""
    _, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=context, server_hostname="unifi.example"
    )
    writer.transport.abort()


@pytest.mark.parametrize("certificate", [VALID, EXPIRED, FUTURE])
async def test_pinned_accepts_exactly_that_certificate_however_old(
    certificate: ServerCertificate,
) -> None:
    context = create_context(TlsMode.PINNED, certificate.der)
    async with tls_server(certificate) as port:
        await shake_hands(port, context)


@pytest.mark.parametrize("shown", [make_certificate(), EXPIRED])
async def test_pinned_refuses_every_other_certificate(shown: ServerCertificate) -> None:
    context = create_context(TlsMode.PINNED, VALID.der)
    async with tls_server(shown) as port:
        with pytest.raises(ssl.SSLCertVerificationError):
            await shake_hands(port, context)


async def test_verify_refuses_a_self_signed_certificate() -> None:
    context = await asyncio.to_thread(create_context, TlsMode.VERIFY)
    assert context.check_hostname
    async with tls_server(VALID) as port:
        with pytest.raises(ssl.SSLCertVerificationError):
            await shake_hands(port, context)


async def test_insecure_accepts_anything() -> None:
    context = create_context(TlsMode.INSECURE)
    async with tls_server(EXPIRED) as port:
        await shake_hands(port, context)


def test_pinned_needs_a_certificate() -> None:
    with pytest.raises(ValueError, match="needs a certificate"):
        create_context(TlsMode.PINNED)
    with pytest.raises(ssl.SSLError):
        create_context(TlsMode.PINNED, b"no certificate")


async def test_the_shown_certificate_is_fetched_and_nothing_is_sent() -> None:
    listener = Listener()
    async with tls_server(EXPIRED, listener) as port:
        certificate = await fetch_certificate("127.0.0.1", port)
        await listener.gone.wait()
    assert certificate == Certificate(EXPIRED.der)
    assert listener.received == b""


def test_a_certificate_tells_who_and_how_long() -> None:
    certificate = Certificate(EXPIRED.der)
    assert certificate.fingerprint == EXPIRED.fingerprint
    assert len(certificate.fingerprint) == 32 * 3 - 1
    assert certificate.subject == certificate.issuer == "CN=unifi.local"
    assert certificate.not_before == LONG_AGO
    assert certificate.not_after == LONG_AGO + timedelta(days=1)


@asynccontextmanager
async def plain_server(*, answers: bool) -> AsyncGenerator[int]:
    """Listen without TLS: answer something else, or nothing at all."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if answers:
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        server.close_clients()


@asynccontextmanager
async def nothing() -> AsyncGenerator[int]:
    """Give a port that nobody listens on."""
    async with plain_server(answers=True) as port:
        pass
    yield port


@pytest.mark.parametrize(
    "somewhere",
    [lambda: plain_server(answers=True), lambda: plain_server(answers=False), nothing],
    ids=["no TLS", "silent", "closed"],
)
async def test_where_no_tls_is_no_certificate_is_fetched(
    somewhere: Callable[[], AbstractAsyncContextManager[int]],
) -> None:
    async with somewhere() as port:
        with pytest.raises(CannotConnectError):
            await fetch_certificate("127.0.0.1", port, timeout=0.2)
