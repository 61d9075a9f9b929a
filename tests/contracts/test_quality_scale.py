"""Every rule of the quality scale is met or does not apply, and what is claimed can be shown."""

import ast
from datetime import timedelta
import re

import pytest
import yaml

from custom_components.unifi_scanner.coordinator import SNAPSHOT_INTERVAL
from tests.contracts.files import CORE, INTEGRATION, MANIFEST, ROOT, read_yaml

SCALE = read_yaml("quality_scale.yaml")["rules"]
DONE = [rule for rule, status in SCALE.items() if status == "done"]

# By rule, the tests that fail when it is broken. They are run where they stand.
PROOFS = {
    "action-setup": ["contracts/test_automation_files:actions_in_the_file_are_those_there_are"],
    "action-exceptions": [
        "test_services:an_account_that_may_only_look",
        "test_services:what_else_goes_wrong",
    ],
    "appropriate-polling": ["contracts/test_quality_scale:snapshots_are_a_safety_net"],
    "brands": ["contracts/test_packaging:drawings_have_the_sizes"],
    "common-modules": ["contracts/test_quality_scale:common_things_have_their_place"],
    "config-flow": [
        "contracts/test_texts:every_step_of_a_flow_is_there_and_each_field_is_explained",
        "contracts/test_packaging:manifest_has_what_a_custom_integration_needs",
    ],
    "config-flow-test-coverage": ["contracts/test_quality_scale:coverage_is_demanded"],
    "dependency-transparency": ["contracts/test_packaging:what_is_required_is_what"],
    "entity-event-setup": ["test_entry_lifecycle:unloading_ends_the_stream_and_every_timer"],
    "entity-unique-id": ["contracts/test_entities:every_entity_has_a_unique_id"],
    "has-entity-name": ["contracts/test_entities:every_entity_is_named_after_its_device"],
    "runtime-data": ["test_init:an_entry_is_set_up_and_unloaded"],
    "test-before-configure": ["test_config_flow:the_flow_goes_on_after_an_error_of_the_controller"],
    "test-before-setup": [
        "test_entry_lifecycle:a_controller_that_does_not_answer_is_tried_again_later"
    ],
    "unique-config-entry": ["test_config_flow:a_controller_is_not_set_up_twice"],
    "config-entry-unloading": ["test_entry_lifecycle:twenty_reloads_leave_one_socket_and_no_tasks"],
    "entity-unavailable": [
        "hub/test_stream_gaps:states_are_kept_for_a_minute_after_the_controller_is_gone"
    ],
    "integration-owner": ["contracts/test_packaging:manifest_has_what_a_custom_integration_needs"],
    "log-when-unavailable": [
        "hub/test_stream_gaps:states_are_kept_for_a_minute_after_the_controller_is_gone"
    ],
    "parallel-updates": ["contracts/test_quality_scale:platforms_say_how_many_updates"],
    "reauthentication-flow": ["test_config_flow:a_new_password_is_taken_over_for_all_sites"],
    "test-coverage": ["contracts/test_quality_scale:coverage_is_demanded"],
    "devices": ["site/test_devices:devices_hang_on_the_controllers"],
    "diagnostics": ["test_diagnostics:"],
    "discovery": ["flow/test_discovery:a_controller_that_was_found"],
    "discovery-update-info": ["flow/test_discovery:an_entry_follows_its_controller"],
    "dynamic-devices": ["site/test_devices:a_new_client_is_tracked_without_a_reload_when_wanted"],
    "entity-category": ["test_sensor:what_is_technical_is_diagnostic_and_what_is_noisy_is_off"],
    "entity-device-class": ["contracts/test_entities:what_has_a_class_says_so"],
    "entity-disabled-by-default": [
        "test_sensor:what_is_technical_is_diagnostic_and_what_is_noisy_is_off"
    ],
    "entity-translations": ["contracts/test_texts:every_entity_has_its_name"],
    "exception-translations": ["contracts/test_quality_scale:every_error_that_is_raised"],
    "icon-translations": ["contracts/test_icons:every_entity_has_an_icon"],
    "reconfiguration-flow": ["test_reconfigure:a_controller_that_has_moved"],
    "repair-issues": [
        "issues/test_account:a_complaint_says_what_to_do",
        "test_repairs:the_issue_shows",
    ],
    "stale-devices": ["site/test_devices:a_client_that_is_no_longer_chosen"],
    "async-dependency": ["test_layers:"],
    "inject-websession": ["contracts/test_quality_scale:http_session_is_made_by_home_assistant"],
    "strict-typing": ["contracts/test_quality_scale:types_are_checked_strictly"],
}

# By rule about documentation, headings of the README that answer to it.
CHAPTERS = {
    "docs-actions": "Actions",
    "docs-conditions": "Conditions",
    "docs-configuration-parameters": "Options",
    "docs-data-update": "How it works",
    "docs-examples": "Examples",
    "docs-high-level-description": "UniFi Scanner",
    "docs-installation-instructions": "Install",
    "docs-installation-parameters": "Setup fields",
    "docs-known-limitations": "Known limitations",
    "docs-removal-instructions": "Remove",
    "docs-supported-devices": "Supported devices",
    "docs-supported-functions": "What you get",
    "docs-triggers": "Triggers",
    "docs-troubleshooting": "Troubleshooting",
    "docs-use-cases": "Use cases",
}


def test_the_scale_names_every_rule_once() -> None:
    model = yaml.safe_load((CORE / "components/unifi_access/quality_scale.yaml").read_text())
    assert SCALE.keys() == model["rules"].keys()
    assert len(SCALE) == 54


def test_every_rule_is_done_or_does_not_apply_for_a_reason() -> None:
    for rule, status in SCALE.items():
        if status != "done":
            assert status["status"] == "exempt", rule
            assert status["comment"], rule


def test_every_rule_that_is_done_can_be_shown() -> None:
    assert set(DONE) == {rule for rule in PROOFS | CHAPTERS if SCALE[rule] == "done"}


@pytest.mark.parametrize("rule", [rule for rule in DONE if rule in PROOFS])
def test_the_tests_that_show_it_exist(rule: str) -> None:
    assert PROOFS[rule]
    for proof in PROOFS[rule]:
        module, _, name = proof.partition(":")
        tree = ast.parse((ROOT / "tests" / f"{module}.py").read_text())
        functions = ast.AsyncFunctionDef | ast.FunctionDef
        names = [node.name for node in ast.walk(tree) if isinstance(node, functions)]
        assert any(found.startswith("test_") and name in found for found in names), proof


@pytest.mark.parametrize("rule", [rule for rule in DONE if rule in CHAPTERS])
def test_the_readme_has_its_chapter(rule: str) -> None:
    headings = re.findall(r"^#+ (.+)$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert CHAPTERS[rule] in headings


# Rules that are about the shape of the code


def test_common_things_have_their_place() -> None:
    assert "class UnifiScannerCoordinator(" in (INTEGRATION / "coordinator.py").read_text()
    assert "class UnifiScannerEntity(" in (INTEGRATION / "entity.py").read_text()


def test_snapshots_are_a_safety_net_and_no_polling() -> None:
    assert timedelta(minutes=1) <= SNAPSHOT_INTERVAL
    assert MANIFEST["iot_class"] == "local_push"


def test_platforms_say_how_many_updates_go_on_at_once() -> None:
    for platform in ("binary_sensor", "event", "sensor"):
        assert "\nPARALLEL_UPDATES = 0\n" in (INTEGRATION / f"{platform}.py").read_text()


def test_coverage_is_demanded() -> None:
    assert "fail_under = 98" in (ROOT / "pyproject.toml").read_text()
    script = (ROOT / "scripts/test").read_text()
    assert re.search(r"coverage report .*--fail-under=100", script)


def test_the_http_session_is_made_by_home_assistant() -> None:
    code = "".join(path.read_text() for path in INTEGRATION.rglob("*.py"))
    assert "async_create_clientsession(" in code
    assert not re.search(r"\bClientSession\(", code)


def test_types_are_checked_strictly() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    assert re.search(r"^strict = true$", project.split("[tool.mypy]")[1], re.MULTILINE)
    assert "mypy" in (ROOT / "scripts/lint").read_text()


# What Home Assistant shows to people; others are about the code itself and reach nobody.
_SHOWN = re.compile(r"(ConfigEntry|HomeAssistant|ServiceValidation|UpdateFailed)\w*$")


def test_every_error_that_is_raised_towards_people_is_translated() -> None:
    for path in INTEGRATION.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Raise) or not isinstance(node.exc, ast.Call):
                continue
            name = ast.unparse(node.exc.func)
            if _SHOWN.match(name):
                given = {keyword.arg for keyword in node.exc.keywords}
                assert {"translation_domain", "translation_key"} <= given, (path.name, node.lineno)
