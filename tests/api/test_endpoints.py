"""Tests of parsing host input, and of the paths of both kinds of controller."""

import pytest

from custom_components.unifi_scanner.api import (
    DeviceType,
    UnifiWebSocketClient,
    candidate_urls,
    websocket_url,
)
from custom_components.unifi_scanner.api.endpoints import (
    login_path,
    logout_path,
    rest_path,
    site_path,
)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("192.168.1.1", "192.168.1.1"),
        ("  unifi.local ", "unifi.local"),
        ("UniFi", "unifi"),
        ("my_console", "my_console"),
        ("fd00::1", "[fd00::1]"),
        ("[fd00::1]", "[fd00::1]"),
        ("FD00:0:0::1", "[fd00::1]"),
        ("xn--mnchen-3ya.example", "xn--mnchen-3ya.example"),
    ],
)
def test_candidate_urls_without_a_port_use_the_three_usual_ports(typed: str, name: str) -> None:
    assert candidate_urls(typed) == tuple(f"https://{name}:{port}" for port in (443, 8443, 11443))


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("unifi.local:8443", "https://unifi.local:8443"),
        ("[fd00::1]:443", "https://[fd00::1]:443"),
        ("192.168.1.1:443", "https://192.168.1.1:443"),
        ("https://192.168.1.1", "https://192.168.1.1:443"),
        ("https://192.168.1.1/", "https://192.168.1.1:443"),
        ("HTTPS://unifi.local:8443/manage/default/dashboard?x=1#y", "https://unifi.local:8443"),
        ("https://[fd00::1]:11443", "https://[fd00::1]:11443"),
        ("https://unifi.local?x=/y", "https://unifi.local:443"),
    ],
)
def test_candidate_urls_with_a_port_or_url_use_only_that_port(typed: str, url: str) -> None:
    assert candidate_urls(typed) == (url,)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "   ",
        "https://",
        "http://192.168.1.1",
        "wss://192.168.1.1",
        "https://admin:secret@192.168.1.1",
        "admin@unifi.local",
        "192.168.1.300",
        "1.2.3",
        "unifi.local:",
        "unifi.local:0",
        "unifi.local:70000",
        "unifi.local:abc",
        "unifi.local:-1",
        "unifi local",
        "-unifi.local",
        "unifi..local",
        "[fd00::1",
        "fd00::1::2",
        "[fd00::1]x",
        "[unifi]",
        "unifi.local/x",
        "unifi.local\\x",
        "unifi.local?x",
        "https://unifi.local:8443:1",
        "unifi\n.local",
        "a" * 64,
        "ü" * 60 + ".local",
    ],
)
def test_candidate_urls_refuse_invalid_input_with_a_message(typed: str) -> None:
    with pytest.raises(ValueError, match=r"^(Only|The address|This is not)") as caught:
        candidate_urls(typed)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("device_type", "login", "logout", "rest", "site"),
    [
        (
            DeviceType.UNIFI_OS,
            "/api/auth/login",
            "/api/auth/logout",
            "/proxy/network/api/self/sites",
            "/proxy/network/api/s/a%2Fb/stat/sta",
        ),
        (
            DeviceType.SELF_HOSTED,
            "/api/login",
            "/api/logout",
            "/api/self/sites",
            "/api/s/a%2Fb/stat/sta",
        ),
    ],
)
def test_paths_of_both_kinds_of_controller(
    device_type: DeviceType, login: str, logout: str, rest: str, site: str
) -> None:
    assert login_path(device_type) == login
    assert logout_path(device_type) == logout
    assert rest_path(device_type, "/api/self/sites") == rest
    assert site_path(device_type, "a/b", "stat/sta") == site


@pytest.mark.parametrize(
    ("base_url", "device_type", "url"),
    [
        (
            "https://192.168.1.1",
            DeviceType.UNIFI_OS,
            "wss://192.168.1.1/proxy/network/wss/s/default/events",
        ),
        (
            "https://192.168.1.1:443/",
            DeviceType.UNIFI_OS,
            "wss://192.168.1.1:443/proxy/network/wss/s/default/events",
        ),
        (
            "https://[fd00::1]:11443",
            DeviceType.UNIFI_OS,
            "wss://[fd00::1]:11443/proxy/network/wss/s/default/events",
        ),
        (
            "https://unifi.local:8443",
            DeviceType.SELF_HOSTED,
            "wss://unifi.local:8443/wss/s/default/events",
        ),
        (
            "http://127.0.0.1:8080",
            DeviceType.SELF_HOSTED,
            "ws://127.0.0.1:8080/wss/s/default/events",
        ),
    ],
)
def test_websocket_url_of_both_kinds_of_controller(
    base_url: str, device_type: DeviceType, url: str
) -> None:
    assert websocket_url(base_url, "default", device_type) == url
    client = UnifiWebSocketClient(
        base_url=base_url, site="default", cookies={}, device_type=device_type, verify_ssl=False
    )
    assert client.endpoint == url


@pytest.mark.parametrize("base_url", ["", "192.168.1.1", "ftp://x", "https://", "wss://x"])
def test_websocket_url_requires_an_http_base_url(base_url: str) -> None:
    with pytest.raises(ValueError, match="base URL"):
        websocket_url(base_url, "default", DeviceType.UNIFI_OS)


def test_websocket_url_quotes_the_site_name() -> None:
    url = websocket_url("https://x", "../a b?", DeviceType.SELF_HOSTED)
    assert url == "wss://x/wss/s/..%2Fa%20b%3F/events"
