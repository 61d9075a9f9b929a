"""Tests of the TLS modes against real TLS servers on loopback."""

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
    """Records what a client sends, and when it disconnects."""

    def __init__(self) -> None:
        """Start with nothing received."""
        self.received = b""
        self.disconnected = asyncio.Event()

    @override
    def data_received(self, data: bytes) -> None:
        self.received += data

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.disconnected.set()


@asynccontextmanager
async def tls_server(
    certificate: ServerCertificate, listener: Listener | None = None
) -> AsyncGenerator[int]:
    """Serve TLS on loopback; yield the port."""
    server = await asyncio.get_running_loop().create_server(
        lambda: listener or Listener(), "127.0.0.1", 0, ssl=certificate.context()
    )
    async with server:
        yield server.sockets[0].getsockname()[1]
        server.close_clients()


async def handshake(port: int, context: ssl.SSLContext) -> None:
    """Perform a TLS handshake and disconnect."""
    _, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=context, server_hostname="unifi.example"
    )
    writer.transport.abort()


@pytest.mark.parametrize("certificate", [VALID, EXPIRED, FUTURE])
async def test_pinned_context_accepts_its_certificate_whatever_its_validity(
    certificate: ServerCertificate,
) -> None:
    context = create_context(TlsMode.PINNED, certificate.der)
    async with tls_server(certificate) as port:
        await handshake(port, context)


@pytest.mark.parametrize("shown", [make_certificate(), EXPIRED])
async def test_pinned_context_refuses_other_certificates(shown: ServerCertificate) -> None:
    context = create_context(TlsMode.PINNED, VALID.der)
    async with tls_server(shown) as port:
        with pytest.raises(ssl.SSLCertVerificationError):
            await handshake(port, context)


async def test_verify_context_refuses_a_self_signed_certificate() -> None:
    context = await asyncio.to_thread(create_context, TlsMode.VERIFY)
    assert context.check_hostname
    async with tls_server(VALID) as port:
        with pytest.raises(ssl.SSLCertVerificationError):
            await handshake(port, context)


async def test_insecure_context_accepts_any_certificate() -> None:
    context = create_context(TlsMode.INSECURE)
    async with tls_server(EXPIRED) as port:
        await handshake(port, context)


def test_pinned_context_requires_a_certificate() -> None:
    with pytest.raises(ValueError, match="requires a certificate"):
        create_context(TlsMode.PINNED)
    with pytest.raises(ssl.SSLError):
        create_context(TlsMode.PINNED, b"no certificate")


async def test_fetch_certificate_returns_it_and_sends_nothing() -> None:
    listener = Listener()
    async with tls_server(EXPIRED, listener) as port:
        certificate = await fetch_certificate("127.0.0.1", port)
        await listener.disconnected.wait()
    assert certificate == Certificate(EXPIRED.der)
    assert listener.received == b""


def test_certificate_has_fingerprint_names_and_validity() -> None:
    certificate = Certificate(EXPIRED.der)
    assert certificate.fingerprint == EXPIRED.fingerprint
    assert len(certificate.fingerprint) == 32 * 3 - 1
    assert certificate.subject == certificate.issuer == "CN=unifi.local"
    assert certificate.not_before == LONG_AGO
    assert certificate.not_after == LONG_AGO + timedelta(days=1)


@asynccontextmanager
async def plain_server(*, responds: bool) -> AsyncGenerator[int]:
    """Serve plain TCP that sends a plain HTTP response, or nothing."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if responds:
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        server.close_clients()


@asynccontextmanager
async def closed_port() -> AsyncGenerator[int]:
    """Yield a port that nothing listens on."""
    async with plain_server(responds=True) as port:
        pass
    yield port


@pytest.mark.parametrize(
    "server",
    [lambda: plain_server(responds=True), lambda: plain_server(responds=False), closed_port],
    ids=["no TLS", "silent", "closed"],
)
async def test_fetch_certificate_without_a_tls_server_raises(
    server: Callable[[], AbstractAsyncContextManager[int]],
) -> None:
    async with server() as port:
        with pytest.raises(CannotConnectError):
            await fetch_certificate("127.0.0.1", port, timeout=0.2)
