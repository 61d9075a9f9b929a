"""The repair issue and flow for a controller that presents another certificate."""

import asyncio
from base64 import b64decode
import json
from pathlib import Path
import re
from typing import Any

from homeassistant.components.repairs import DOMAIN as REPAIRS
from homeassistant.components.repairs.issue_handler import RepairsFlowManager
from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.unifi_scanner import repairs
from custom_components.unifi_scanner.api.tls import Certificate
from custom_components.unifi_scanner.const import DOMAIN
from custom_components.unifi_scanner.issues.certificate import (
    CERTIFICATE_CHANGED,
    async_create_certificate_issue,
)
from custom_components.unifi_scanner.repairs import async_create_fix_flow
from tests.controller import ServerCertificate, make_certificate
from tests.handshakes import ignore_refused_handshakes
from tests.home import Home, until

pytestmark = pytest.mark.usefixtures("socket_enabled")

TEXTS = json.loads(
    (Path(__file__).parent.parent / f"custom_components/{DOMAIN}/translations/en.json").read_text()
)["issues"]["certificate_changed"]


@pytest.fixture
async def home(home: Home) -> Home:
    ignore_refused_handshakes(home.hass)
    assert await async_setup_component(home.hass, REPAIRS, {})
    return home


def certificate_issue(home: Home) -> ir.IssueEntry | None:
    """Return the issue about the controller's certificate, None if there is none."""
    issues = ir.async_get(home.hass).issues.values()
    found = [issue for issue in issues if issue.translation_key == CERTIFICATE_CHANGED]
    assert len(found) <= 1
    return found[0] if found else None


async def change_certificate(home: Home) -> ServerCertificate:
    """Give the controller another certificate and clear its recorded requests."""
    certificate = make_certificate()
    await home.controller.restart(certificate=certificate, forget_sessions=False)
    home.controller.state.request_log.requests.clear()
    return certificate


async def wait_for_issue(home: Home) -> None:
    """Wait until the stream is lost, then for the issue raised by the next snapshot."""
    await until(lambda: not home.coordinator.stream_connected)
    await home.later(61)
    await until(lambda: certificate_issue(home))


async def set_up_with_other_certificate(home: Home) -> ServerCertificate:
    """Set up the entry while the controller presents a certificate other than the pinned one.

    Return the pinned certificate.
    """
    pinned = home.controller.certificate
    presented = make_certificate()
    await home.controller.restart(certificate=presented)
    home.controller.certificate = pinned
    await home.set_up(wait=False)
    home.controller.certificate = presented
    assert home.entry.state is ConfigEntryState.SETUP_RETRY
    return pinned


def add_second_site(home: Home) -> MockConfigEntry:
    """Add a config entry that pins the same certificate without setting it up."""
    data = {**home.entry.data, "site": "second"}
    entry = MockConfigEntry(domain=DOMAIN, title="Second", unique_id="home_second", data=data)
    entry.add_to_hass(home.hass)
    return entry


class Repair:
    """A user who opens the repair flow and chooses an option."""

    def __init__(self, home: Home) -> None:
        """Find the issue."""
        manager = home.hass.data[REPAIRS]["flow_manager"]
        assert isinstance(manager, RepairsFlowManager)
        self._manager = manager
        found = certificate_issue(home)
        assert found is not None
        self._issue_id = found.issue_id
        self._hass = home.hass

    async def open(self) -> dict[str, Any]:
        result = await self._manager.async_init(DOMAIN, context={"issue_id": self._issue_id})
        assert result["type"] is FlowResultType.MENU
        self.flow_id = result["flow_id"]
        return dict(result)

    async def choose(self, option: str) -> dict[str, Any]:
        result = await self._manager.async_configure(self.flow_id, {"next_step_id": option})
        await self._hass.async_block_till_done()
        return dict(result)


# Creating the issue


async def test_certificate_issue_is_created_during_setup_without_any_request(
    home: Home,
) -> None:
    await set_up_with_other_certificate(home)
    found = certificate_issue(home)
    assert found is not None
    assert found.is_fixable
    assert home.controller.requests() == []
    assert home.controller.login_attempts == 0


async def test_certificate_issue_contains_no_address_in_diagnostics(home: Home) -> None:
    await set_up_with_other_certificate(home)
    found = certificate_issue(home)
    assert found is not None
    # Home Assistant adds this to the diagnostics that users download.
    assert "127.0.0.1" not in str(found.to_json())


async def test_certificate_issue_is_created_while_running_without_any_request(
    home: Home,
) -> None:
    await home.set_up()
    await change_certificate(home)
    await wait_for_issue(home)
    await home.quiet()
    await home.later(400)
    await asyncio.sleep(0.05)
    assert home.controller.requests() == []
    assert home.controller.login_attempts == 1
    assert home.entry.state is ConfigEntryState.LOADED


async def test_certificate_issue_describes_both_certificates(home: Home) -> None:
    pinned = await set_up_with_other_certificate(home)
    result = await Repair(home).open()
    texts = result["description_placeholders"]
    step = TEXTS["fix_flow"]["step"][result["step_id"]]
    assert result["menu_options"] == list(step["menu_options"])
    shown = step["description"].format(**texts)
    assert pinned.fingerprint in shown
    assert home.controller.certificate.fingerprint in shown
    assert home.controller.base_url in TEXTS["title"].format(**texts)
    found = certificate_issue(home)
    assert found is not None
    assert found.translation_placeholders is not None
    assert "{" not in TEXTS["title"].format(**found.translation_placeholders)


async def test_certificate_issue_is_not_ignored_for_yet_another_certificate(home: Home) -> None:
    await set_up_with_other_certificate(home)
    before = certificate_issue(home)
    assert before is not None
    ir.async_ignore_issue(home.hass, DOMAIN, before.issue_id, ignore=True)
    await home.hass.config_entries.async_reload(home.entry.entry_id)
    same = certificate_issue(home)
    assert same is not None
    assert same.dismissed_version is not None

    await change_certificate(home)
    await home.hass.config_entries.async_reload(home.entry.entry_id)
    after = certificate_issue(home)
    assert after is not None
    assert after.dismissed_version is None
    assert after.data != before.data


async def test_certificate_issue_is_not_created_for_the_pinned_certificate(home: Home) -> None:
    """The controller may present it again by the time its certificate is fetched."""
    await set_up_with_other_certificate(home)
    pinned = home.entry.data["certificate"]
    for _ in range(2):
        certificate = Certificate(b64decode(pinned))
        async_create_certificate_issue(home.hass, home.controller.base_url, pinned, certificate)
        assert certificate_issue(home) is None


# The repair flow


async def test_repair_pins_the_new_certificate_in_all_entries_of_the_controller(
    home: Home,
) -> None:
    await set_up_with_other_certificate(home)
    second = add_second_site(home)
    other = MockConfigEntry(
        domain=DOMAIN,
        unique_id="other",
        data={**home.entry.data, "url": "https://10.0.0.1:443"},
    )
    other.add_to_hass(home.hass)
    before = home.entry.data["certificate"]
    repair = Repair(home)
    await repair.open()
    result = await repair.choose("trust")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await until(lambda: home.entry.state is ConfigEntryState.LOADED)
    assert home.entry.data["certificate"] == second.data["certificate"] != before
    assert other.data["certificate"] == before
    await home.streaming(1)
    assert certificate_issue(home) is None
    await home.quiet()


async def test_repair_can_keep_the_pinned_certificate(home: Home) -> None:
    await set_up_with_other_certificate(home)
    before = dict(home.entry.data)
    repair = Repair(home)
    await repair.open()
    result = await repair.choose("keep")
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "kept")
    assert certificate_issue(home) is not None
    assert home.entry.data == before
    assert home.controller.requests() == []


async def test_repair_does_not_pin_a_certificate_that_is_no_longer_presented(home: Home) -> None:
    await set_up_with_other_certificate(home)
    before = dict(home.entry.data)
    repair = Repair(home)
    await repair.open()
    await change_certificate(home)
    await home.hass.config_entries.async_reload(home.entry.entry_id)
    result = await repair.choose("trust")
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "outdated")
    assert home.entry.data == before
    assert certificate_issue(home) is not None


def test_repair_has_a_text_for_every_abort_reason() -> None:
    code = Path(repairs.__file__).read_text()
    reasons = set(re.findall(r'async_abort\(reason="(\w+)"', code))
    assert TEXTS["fix_flow"]["abort"].keys() == reasons


async def test_repair_of_an_unknown_issue_fails(hass: HomeAssistant) -> None:
    with pytest.raises(ValueError, match="unknown"):
        await async_create_fix_flow(hass, "unknown", None)


# Deleting the issue


async def test_certificate_issue_is_deleted_when_the_pinned_certificate_is_back(home: Home) -> None:
    await home.set_up()
    pinned = home.controller.certificate
    await change_certificate(home)
    await wait_for_issue(home)
    await home.controller.restart(certificate=pinned, forget_sessions=False)
    await home.later(61)
    await until(lambda: certificate_issue(home) is None)
    await home.streaming(1)


async def test_certificate_issue_is_deleted_with_the_last_entry_of_the_controller(
    home: Home,
) -> None:
    await set_up_with_other_certificate(home)
    second = add_second_site(home)
    await home.hass.config_entries.async_remove(home.entry.entry_id)
    assert certificate_issue(home) is not None
    await home.hass.config_entries.async_remove(second.entry_id)
    assert certificate_issue(home) is None


async def test_certificate_issue_exists_only_while_an_entry_is_enabled(home: Home) -> None:
    await set_up_with_other_certificate(home)
    entries = home.hass.config_entries
    await entries.async_set_disabled_by(home.entry.entry_id, ConfigEntryDisabler.USER)
    assert certificate_issue(home) is None
    await entries.async_set_disabled_by(home.entry.entry_id, None)
    assert certificate_issue(home) is not None


async def test_certificate_issue_is_deleted_when_the_entry_no_longer_pins_a_certificate(
    home: Home,
) -> None:
    await set_up_with_other_certificate(home)
    data = {**home.entry.data, "ssl": "insecure"}
    home.hass.config_entries.async_update_entry(home.entry, data=data)
    await home.hass.config_entries.async_reload(home.entry.entry_id)
    await home.streaming(1)
    assert certificate_issue(home) is None


async def test_certificate_issue_is_not_created_for_an_entry_without_pinned_certificate(
    hass: HomeAssistant, home: Home
) -> None:
    await set_up_with_other_certificate(home)
    await hass.config_entries.async_remove(home.entry.entry_id)
    data = {key: value for key, value in home.entry.data.items() if key != "certificate"}
    entry = MockConfigEntry(domain=DOMAIN, unique_id="verified", data={**data, "ssl": "verify"})
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.error_reason_translation_key == "certificate_not_trusted"
    assert certificate_issue(home) is None


async def test_certificate_issue_is_not_created_by_a_restart_of_the_controller(
    home: Home,
) -> None:
    await home.set_up()
    await home.controller.restart(forget_sessions=False)
    await home.reconnected()
    assert certificate_issue(home) is None
