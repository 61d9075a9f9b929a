"""Every rule of the quality scale is done or exempt, and every done rule has a proof."""

import ast
from datetime import timedelta
import re

import pytest
import yaml

from custom_components.unifi_scanner.coordinator import SNAPSHOT_INTERVAL
from tests.contracts.files import CORE, INTEGRATION, MANIFEST, ROOT, read_yaml

SCALE = read_yaml("quality_scale.yaml")["rules"]
DONE = [rule for rule, status in SCALE.items() if status == "done"]

# Tests that fail if a rule is broken, as `module:part of the test's name`.
PROOFS = {
    "action-setup": ["contracts/test_automation_files:actions_in_yaml_are_those_registered"],
    "action-exceptions": [
        "test_services:reconnect_client_without_permission",
        "test_services:reconnect_client_translates_other_errors",
    ],
    "appropriate-polling": ["contracts/test_quality_scale:snapshots_poll_at_most_once_a_minute"],
    "brands": ["contracts/test_packaging:brand_images_have_the_required_sizes"],
    "common-modules": ["contracts/test_quality_scale:coordinator_and_base_entity_have"],
    "config-flow": [
        "contracts/test_texts:every_flow_step_exists_and_has_its_fields_explained",
        "contracts/test_packaging:manifest_has_all_required_keys",
    ],
    "config-flow-test-coverage": ["contracts/test_quality_scale:coverage_thresholds_are_enforced"],
    "dependency-transparency": ["contracts/test_packaging:manifest_requirements_are_pinned"],
    "entity-event-setup": ["test_entry_lifecycle:entry_unload_stops_the_stream_and_all_timers"],
    "entity-unique-id": ["contracts/test_entities:every_entity_has_a_unique_id"],
    "has-entity-name": ["contracts/test_entities:every_entity_is_named_after_its_device"],
    "runtime-data": ["test_init:entry_is_set_up_and_unloaded"],
    "test-before-configure": ["test_config_flow:the_flow_recovers_from_an_error_of_the_controller"],
    "test-before-setup": [
        "test_entry_lifecycle:setup_is_retried_later_while_the_controller_does_not_answer"
    ],
    "unique-config-entry": ["test_config_flow:a_controller_is_not_set_up_twice"],
    "config-entry-unloading": [
        "test_entry_lifecycle:entry_reloaded_twenty_times_leaves_one_socket_and_one_task"
    ],
    "entity-unavailable": [
        "hub/test_stream_gaps:states_stay_available_for_a_minute_after_the_controller_is_lost"
    ],
    "integration-owner": ["contracts/test_packaging:manifest_has_all_required_keys"],
    "log-when-unavailable": [
        "hub/test_stream_gaps:states_stay_available_for_a_minute_after_the_controller_is_lost"
    ],
    "parallel-updates": ["contracts/test_quality_scale:platforms_set_parallel_updates"],
    "reauthentication-flow": ["test_config_flow:reauth_updates_the_password"],
    "test-coverage": ["contracts/test_quality_scale:coverage_thresholds_are_enforced"],
    "devices": ["site/test_devices:devices_are_connected_via_the_controllers_device"],
    "diagnostics": ["test_diagnostics:"],
    "discovery": ["flow/test_discovery:a_discovered_controller_is_set_up"],
    "discovery-update-info": ["flow/test_discovery:discovery_updates_the_address_of_an_entry"],
    "dynamic-devices": ["site/test_devices:new_client_is_tracked_without_a_reload_with_the_option"],
    "entity-category": ["test_sensor:technical_sensors_are_diagnostic_and_noisy_ones_are_disabled"],
    "entity-device-class": ["contracts/test_entities:every_entity_has_a_device_class_or_an_icon"],
    "entity-disabled-by-default": [
        "test_sensor:technical_sensors_are_diagnostic_and_noisy_ones_are_disabled"
    ],
    "entity-translations": ["contracts/test_texts:every_entity_has_a_name"],
    "exception-translations": ["contracts/test_quality_scale:every_error_shown_to_users"],
    "icon-translations": ["contracts/test_icons:icons_of_entities_match"],
    "reconfiguration-flow": ["test_reconfigure:reconfigure_updates_the_address"],
    "repair-issues": [
        "issues/test_account:account_issue_links_to_help",
        "test_repairs:certificate_issue_describes_both_certificates",
    ],
    "stale-devices": ["site/test_devices:client_deselected_in_the_options"],
    "async-dependency": ["test_layers:"],
    "inject-websession": [
        "contracts/test_quality_scale:http_sessions_are_created_by_home_assistant"
    ],
    "strict-typing": ["contracts/test_quality_scale:mypy_is_strict"],
}

# Headings of the README that fulfil the rules about documentation.
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


def test_quality_scale_lists_every_rule_once() -> None:
    model = yaml.safe_load((CORE / "components/unifi_access/quality_scale.yaml").read_text())
    assert SCALE.keys() == model["rules"].keys()
    assert len(SCALE) == 54


def test_every_rule_is_done_or_exempt_with_a_comment() -> None:
    for rule, status in SCALE.items():
        if status != "done":
            assert status["status"] == "exempt", rule
            assert status["comment"], rule


def test_every_done_rule_has_a_proof_or_a_chapter() -> None:
    assert set(DONE) == {rule for rule in PROOFS | CHAPTERS if SCALE[rule] == "done"}


@pytest.mark.parametrize("rule", [rule for rule in DONE if rule in PROOFS])
def test_the_tests_that_prove_a_rule_exist(rule: str) -> None:
    assert PROOFS[rule]
    for proof in PROOFS[rule]:
        module, _, name = proof.partition(":")
        tree = ast.parse((ROOT / "tests" / f"{module}.py").read_text())
        functions = ast.AsyncFunctionDef | ast.FunctionDef
        names = [node.name for node in ast.walk(tree) if isinstance(node, functions)]
        assert any(found.startswith("test_") and name in found for found in names), proof


@pytest.mark.parametrize("rule", [rule for rule in DONE if rule in CHAPTERS])
def test_the_readme_has_the_chapter_of_a_rule(rule: str) -> None:
    headings = re.findall(r"^#+ (.+)$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert CHAPTERS[rule] in headings


# Rules about the code and its tools


def test_coordinator_and_base_entity_have_their_own_modules() -> None:
    assert "class UnifiScannerCoordinator(" in (INTEGRATION / "coordinator.py").read_text()
    assert "class UnifiScannerEntity(" in (INTEGRATION / "entity.py").read_text()


def test_snapshots_poll_at_most_once_a_minute() -> None:
    assert timedelta(minutes=1) <= SNAPSHOT_INTERVAL
    assert MANIFEST["iot_class"] == "local_push"


def test_platforms_set_parallel_updates() -> None:
    for platform in ("binary_sensor", "event", "sensor"):
        assert "\nPARALLEL_UPDATES = 0\n" in (INTEGRATION / f"{platform}.py").read_text()


def test_coverage_thresholds_are_enforced() -> None:
    assert "fail_under = 98" in (ROOT / "pyproject.toml").read_text()
    script = (ROOT / "scripts/test").read_text()
    assert re.search(r"coverage report .*--fail-under=100", script)


def test_http_sessions_are_created_by_home_assistant() -> None:
    code = "".join(path.read_text() for path in INTEGRATION.rglob("*.py"))
    assert "async_create_clientsession(" in code
    assert not re.search(r"\bClientSession\(", code)


def test_mypy_is_strict() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    assert re.search(r"^strict = true$", project.split("[tool.mypy]")[1], re.MULTILINE)
    assert "mypy" in (ROOT / "scripts/lint").read_text()


# Exceptions whose messages Home Assistant shows to users.
_SHOWN_EXCEPTIONS = re.compile(r"(ConfigEntry|HomeAssistant|ServiceValidation|UpdateFailed)\w*$")


def test_every_error_shown_to_users_is_translated() -> None:
    for path in INTEGRATION.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Raise) or not isinstance(node.exc, ast.Call):
                continue
            name = ast.unparse(node.exc.func)
            if _SHOWN_EXCEPTIONS.match(name):
                keywords = {keyword.arg for keyword in node.exc.keywords}
                assert {"translation_domain", "translation_key"} <= keywords, (
                    path.name,
                    node.lineno,
                )
