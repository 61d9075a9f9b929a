"""What every test of the integration needs."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from tests.home import Home, furnished_home
from tests.secret_watch import PLANTED, SecretWatch
from tests.text_watch import TextWatch


@pytest.fixture(autouse=True)
def _enable_custom_integrations(request: pytest.FixtureRequest) -> None:
    """Let Home Assistant load the integration, in the tests that start one."""
    if "hass" in request.fixturenames:
        request.getfixturevalue("enable_custom_integrations")


@pytest.fixture(scope="session")
def secret_watch() -> Iterator[SecretWatch]:
    """Read all log records of the run."""
    watch = SecretWatch()
    with watch.watching():
        yield watch


@pytest.fixture(autouse=True)
def _no_secret_is_logged(secret_watch: SecretWatch) -> Iterator[None]:
    """Fail the test in which a log record told a secret."""
    secret_watch.secrets = set(PLANTED)
    yield
    told, secret_watch.told = secret_watch.told, []
    assert told == []


@pytest.fixture(scope="session")
def text_watch() -> Iterator[TextWatch]:
    """See all forms, issues and errors of the run."""
    watch = TextWatch()
    with watch.watching():
        yield watch


@pytest.fixture(autouse=True)
def _every_text_is_there(text_watch: TextWatch) -> Iterator[None]:
    """Fail the test in which something without a text was shown."""
    yield
    missing, text_watch.missing = text_watch.missing, []
    assert missing == []


@pytest.fixture
def controller_settings() -> dict[str, Any]:
    """Return the settings of the simulated controller of `home`; override it for others."""
    return {}


@pytest.fixture
async def home(
    hass: HomeAssistant,
    enable_custom_integrations: None,  # noqa: ARG001 - before a test's own `home` sets it up
    socket_enabled: None,  # noqa: ARG001 - the simulated controller listens on loopback
    controller_settings: dict[str, Any],
) -> AsyncIterator[Home]:
    """Return a home with a simulated controller; the test calls its `set_up`."""
    async with furnished_home(hass, **controller_settings) as home:
        yield home
