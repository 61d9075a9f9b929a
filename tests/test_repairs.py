"""A controller that shows another certificate: no credential leaves, and the user is asked."""

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


def issue(home: Home) -> ir.IssueEntry | None:
    """Return the issue about the controller's certificate."""
    issues = ir.async_get(home.hass).issues.values()
    found = [one for one in issues if one.translation_key == CERTIFICATE_CHANGED]
    assert len(found) <= 1
    return found[0] if found else None


async def change_certificate(home: Home) -> ServerCertificate:
    """Give the controller another certificate, and let it forget who has asked what of it."""
    certificate = make_certificate()
    await home.controller.restart(certificate=certificate, forget_sessions=False)
    home.controller.state.request_log.requests.clear()
    return certificate


async def noticed(home: Home) -> None:
    """Wait until the lost socket is noticed, then for the snapshot after the next minute."""
    await until(lambda: not home.coordinator.stream_connected)
    await home.later(61)
    await until(lambda: issue(home))


async def set_up_with_another(home: Home) -> ServerCertificate:
    """Set the entry up while the controller shows another certificate than the pinned one."""
    pinned = home.controller.certificate
    shown = make_certificate()
    await home.controller.restart(certificate=shown)
    home.controller.certificate = pinned
    await home.set_up(wait=False)
    home.controller.certificate = shown
    assert home.entry.state is ConfigEntryState.SETUP_RETRY
    return pinned


def add_second_site(home: Home) -> MockConfigEntry:
    """Add an entry that pins the same certificate, without setting it up."""
    data = {**home.entry.data, "site": "second"}
    entry = MockConfigEntry(domain=DOMAIN, title="Second", unique_id="home_second", data=data)
    entry.add_to_hass(home.hass)
    return entry


class Repair:
    """A user who opens the issue and chooses."""

    def __init__(self, home: Home) -> None:
        """Look for the issue."""
        manager = home.hass.data[REPAIRS]["flow_manager"]
        assert isinstance(manager, RepairsFlowManager)
        self._manager = manager
        found = issue(home)
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


# The question


async def test_at_set_up_another_certificate_raises_an_issue_and_gets_no_request(
    home: Home,
) -> None:
    await set_up_with_another(home)
    found = issue(home)
    assert found is not None
    assert found.is_fixable
    assert home.controller.requests() == []
    assert home.controller.login_attempts == 0


async def test_the_issue_tells_no_address_in_a_download_of_diagnostics(home: Home) -> None:
    await set_up_with_another(home)
    found = issue(home)
    assert found is not None
    # Home Assistant puts this beside our own data.
    assert "127.0.0.1" not in str(found.to_json())


async def test_while_it_runs_another_certificate_raises_an_issue_and_gets_no_request(
    home: Home,
) -> None:
    await home.set_up()
    await change_certificate(home)
    await noticed(home)
    await home.quiet()
    await home.later(400)
    await asyncio.sleep(0.05)
    assert home.controller.requests() == []
    assert home.controller.login_attempts == 1
    assert home.entry.state is ConfigEntryState.LOADED


async def test_the_issue_shows_both_certificates(home: Home) -> None:
    pinned = await set_up_with_another(home)
    result = await Repair(home).open()
    texts = result["description_placeholders"]
    step = TEXTS["fix_flow"]["step"][result["step_id"]]
    assert result["menu_options"] == list(step["menu_options"])
    shown = step["description"].format(**texts)
    assert pinned.fingerprint in shown
    assert home.controller.certificate.fingerprint in shown
    assert home.controller.base_url in TEXTS["title"].format(**texts)
    found = issue(home)
    assert found is not None
    assert found.translation_placeholders is not None
    assert "{" not in TEXTS["title"].format(**found.translation_placeholders)


async def test_yet_another_certificate_is_another_question(home: Home) -> None:
    await set_up_with_another(home)
    before = issue(home)
    assert before is not None
    ir.async_ignore_issue(home.hass, DOMAIN, before.issue_id, ignore=True)
    await home.hass.config_entries.async_reload(home.entry.entry_id)
    same = issue(home)
    assert same is not None
    assert same.dismissed_version is not None

    await change_certificate(home)
    await home.hass.config_entries.async_reload(home.entry.entry_id)
    after = issue(home)
    assert after is not None
    assert after.dismissed_version is None
    assert after.data != before.data


async def test_the_pinned_certificate_itself_is_nothing_to_ask_about(home: Home) -> None:
    """The controller may show it again just when it is asked which one it shows."""
    await set_up_with_another(home)
    pinned = home.entry.data["certificate"]
    for _ in range(2):
        certificate = Certificate(b64decode(pinned))
        async_create_certificate_issue(home.hass, home.controller.base_url, pinned, certificate)
        assert issue(home) is None


# The answer


async def test_the_new_certificate_is_taken_over_by_all_entries_of_the_controller(
    home: Home,
) -> None:
    await set_up_with_another(home)
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
    assert issue(home) is None
    await home.quiet()


async def test_the_new_certificate_can_be_refused(home: Home) -> None:
    await set_up_with_another(home)
    before = dict(home.entry.data)
    repair = Repair(home)
    await repair.open()
    result = await repair.choose("keep")
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "kept")
    assert issue(home) is not None
    assert home.entry.data == before
    assert home.controller.requests() == []


async def test_a_certificate_that_is_no_longer_shown_is_not_taken_over(home: Home) -> None:
    await set_up_with_another(home)
    before = dict(home.entry.data)
    repair = Repair(home)
    await repair.open()
    await change_certificate(home)
    await home.hass.config_entries.async_reload(home.entry.entry_id)
    result = await repair.choose("trust")
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "outdated")
    assert home.entry.data == before
    assert issue(home) is not None


def test_every_end_of_the_repair_has_its_text() -> None:
    code = Path(async_create_fix_flow.__code__.co_filename).read_text()
    reasons = set(re.findall(r'async_abort\(reason="(\w+)"', code))
    assert TEXTS["fix_flow"]["abort"].keys() == reasons


async def test_an_unknown_issue_has_no_repair(hass: HomeAssistant) -> None:
    with pytest.raises(ValueError, match="unknown"):
        await async_create_fix_flow(hass, "unknown", None)


# The end of the question


async def test_the_issue_goes_when_the_pinned_certificate_is_back(home: Home) -> None:
    await home.set_up()
    pinned = home.controller.certificate
    await change_certificate(home)
    await noticed(home)
    await home.controller.restart(certificate=pinned, forget_sessions=False)
    await home.later(61)
    await until(lambda: issue(home) is None)
    await home.streaming(1)


async def test_the_issue_goes_with_the_last_entry_of_the_controller(home: Home) -> None:
    await set_up_with_another(home)
    second = add_second_site(home)
    await home.hass.config_entries.async_remove(home.entry.entry_id)
    assert issue(home) is not None
    await home.hass.config_entries.async_remove(second.entry_id)
    assert issue(home) is None


async def test_nobody_is_asked_about_a_controller_whose_entry_is_disabled(home: Home) -> None:
    await set_up_with_another(home)
    entries = home.hass.config_entries
    await entries.async_set_disabled_by(home.entry.entry_id, ConfigEntryDisabler.USER)
    assert issue(home) is None
    await entries.async_set_disabled_by(home.entry.entry_id, None)
    assert issue(home) is not None


async def test_the_issue_goes_when_the_certificate_was_confirmed_in_another_way(
    home: Home,
) -> None:
    await set_up_with_another(home)
    data = {**home.entry.data, "ssl": "insecure"}
    home.hass.config_entries.async_update_entry(home.entry, data=data)
    await home.hass.config_entries.async_reload(home.entry.entry_id)
    await home.streaming(1)
    assert issue(home) is None


async def test_without_a_pinned_certificate_there_is_nothing_to_ask(
    hass: HomeAssistant, home: Home
) -> None:
    await set_up_with_another(home)
    await hass.config_entries.async_remove(home.entry.entry_id)
    data = {key: value for key, value in home.entry.data.items() if key != "certificate"}
    entry = MockConfigEntry(domain=DOMAIN, unique_id="verified", data={**data, "ssl": "verify"})
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.error_reason_translation_key == "certificate_not_trusted"
    assert issue(home) is None


async def test_a_controller_that_restarts_with_its_certificate_raises_no_issue(
    home: Home,
) -> None:
    await home.set_up()
    await home.controller.restart(forget_sessions=False)
    await home.reconnected()
    assert issue(home) is None
