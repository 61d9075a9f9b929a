"""Fixtures shared by all tests of the integration."""

from collections.abc import AsyncIterator, Iterator
from typing import Any
from unittest.mock import patch

from homeassistant.core import HomeAssistant
import pytest

from tests.handshakes import ignore_refused_handshakes
from tests.home import Home, furnished_home
from tests.secret_watch import PLANTED, SecretWatch
from tests.text_watch import TextWatch


@pytest.fixture(autouse=True)
def _enable_custom_integrations(request: pytest.FixtureRequest) -> None:
    """Let Home Assistant load the integration, in tests that use Home Assistant."""
    if "hass" in request.fixturenames:
        request.getfixturevalue("enable_custom_integrations")


@pytest.fixture(scope="session")
def secret_watch() -> Iterator[SecretWatch]:
    """Check all log records of the test run for secrets."""
    watch = SecretWatch()
    with watch.watching():
        yield watch


@pytest.fixture(autouse=True)
def _no_secret_is_logged(secret_watch: SecretWatch) -> Iterator[None]:
    """Fail a test that logs a secret."""
    secret_watch.secrets = set(PLANTED)
    yield
    leaks, secret_watch.leaks = secret_watch.leaks, []
    assert leaks == []


@pytest.fixture(scope="session")
def text_watch() -> Iterator[TextWatch]:
    """Check the texts of all forms, issues and errors of the test run."""
    watch = TextWatch()
    with watch.watching():
        yield watch


@pytest.fixture(autouse=True)
def _no_text_is_missing(text_watch: TextWatch) -> Iterator[None]:
    """Fail a test that displays something without a translation."""
    yield
    missing, text_watch.missing = text_watch.missing, []
    assert missing == []


@pytest.fixture
def controller_settings() -> dict[str, Any]:
    """Return the settings of the simulated controller of `home`; override to change them."""
    return {}


@pytest.fixture
async def home(
    hass: HomeAssistant,
    enable_custom_integrations: None,  # noqa: ARG001 - needed by a module's own `home`
    socket_enabled: None,  # noqa: ARG001 - the simulated controller listens on loopback
    controller_settings: dict[str, Any],
) -> AsyncIterator[Home]:
    """Return a home with a simulated controller; the test calls `home.set_up()`."""
    async with furnished_home(hass, **controller_settings) as home:
        yield home


@pytest.fixture
def idle_entries() -> Iterator[None]:
    """Keep entries from connecting to the controller, for tests of the flow alone."""
    with (
        patch("custom_components.unifi_scanner.async_setup_entry", return_value=True),
        patch("custom_components.unifi_scanner.async_unload_entry", return_value=True),
        patch("custom_components.unifi_scanner.async_remove_entry"),
    ):
        yield


@pytest.fixture
def refused_handshakes(hass: HomeAssistant) -> None:
    """Let the integration refuse certificates, which causes errors on the controller's side."""
    ignore_refused_handshakes(hass)
