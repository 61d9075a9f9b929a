"""Everything displayed has a text in every language, and no text is unused."""

import ast
import importlib
from pathlib import Path
import re
from typing import Any

from homeassistant.helpers.entity import EntityDescription
import pytest

from custom_components.unifi_scanner import PLATFORMS
from custom_components.unifi_scanner.api import errors
from custom_components.unifi_scanner.hub.errors import error_translation
from tests.contracts.files import (
    INTEGRATION,
    TEXTS,
    keyword_strings,
    leaves,
    nodes,
    placeholders,
    read_json,
    read_yaml,
    strings_in_code,
)

LANGUAGES = sorted((INTEGRATION / "translations").glob("*.json"))
# Abort reasons that Home Assistant itself uses for our flows.
_CORE_ABORT_REASONS = {"already_configured", "already_in_progress"}
_CORE_SUCCESS_REASONS = {"reauth_successful", "reconfigure_successful"}
YAML_FILES = {
    "services": "services.yaml",
    "triggers": "triggers.yaml",
    "conditions": "conditions.yaml",
}


def descriptions(platform: str) -> list[EntityDescription]:
    """Return the descriptions of a platform's entities."""
    module = importlib.import_module(f"custom_components.unifi_scanner.{platform}")
    found: list[EntityDescription] = []
    for value in vars(module).values():
        values = value if isinstance(value, tuple) else (value,)
        # By name: Home Assistant's own description classes create instances of internal ones.
        found += [item for item in values if type(item).__name__.endswith("Description")]
    assert found
    return found


def steps(section: str) -> dict[str, Any]:
    """Return the texts of a flow's steps."""
    found: dict[str, Any] = TEXTS[section]["step"]
    return found


# Languages


def test_translations_are_english_and_german() -> None:
    assert {path.stem for path in LANGUAGES} == {"de", "en"}


@pytest.mark.parametrize("path", LANGUAGES, ids=lambda path: path.stem)
def test_translations_have_the_same_keys_and_placeholders(path: Path) -> None:
    english, other = leaves(TEXTS), leaves(read_json(path))
    assert other.keys() == english.keys()
    for key, text in other.items():
        assert placeholders(text) == placeholders(english[key]), key


@pytest.mark.parametrize("path", LANGUAGES, ids=lambda path: path.stem)
def test_translations_are_not_empty_padded_html_or_urls(path: Path) -> None:
    for key, text in leaves(read_json(path)).items():
        assert text == text.strip() != "", key
        assert not re.search(r"</?[a-z]+>|\[%", text), key
        assert not re.search(r"(https?|wss?)://|www\.", text), key
        assert not re.search(r"'\{\w+\}'", text), key


# Entities


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_entity_has_a_name_and_no_name_is_unused(platform: str) -> None:
    keys = {str(description.translation_key) for description in descriptions(platform)}
    assert TEXTS["entity"][platform].keys() == keys
    for description in descriptions(platform):
        texts = TEXTS["entity"][platform][str(description.translation_key)]
        # An entity whose name is None takes its device's name.
        assert ("name" in texts) is (description.name is not None), description.key


def test_entity_texts_exist_for_platforms_only() -> None:
    assert TEXTS["entity"].keys() == set(PLATFORMS)


def test_every_enum_state_and_event_type_has_a_text() -> None:
    for platform in PLATFORMS:
        for description in descriptions(platform):
            texts = TEXTS["entity"][platform][str(description.translation_key)]
            if options := getattr(description, "options", None):
                assert texts["state"].keys() == set(options), description.key
            if types := getattr(description, "event_types", None):
                states = texts["state_attributes"]["event_type"]["state"]
                assert states.keys() == set(types), description.key


# Flows


@pytest.mark.parametrize("section", ["config", "options"])
def test_every_flow_step_exists_and_has_its_fields_explained(section: str) -> None:
    functions = {node.name for node in nodes(ast.AsyncFunctionDef)}
    for step, texts in steps(section).items():
        assert f"async_step_{step}" in functions
        assert texts["title"]
        assert texts["description"]
        fields = set(texts.get("data", {}))
        assert set(texts.get("data_description", {})) == fields, step
        assert fields <= strings_in_code(), step


def test_every_form_has_texts() -> None:
    known = steps("config").keys() | steps("options").keys()
    for issue in TEXTS["issues"].values():
        known |= issue.get("fix_flow", {}).get("step", {}).keys()
    assert keyword_strings("step_id") <= known


def test_every_abort_reason_has_a_text() -> None:
    known = TEXTS["config"]["abort"].keys() | TEXTS["options"].get("abort", {}).keys()
    for issue in TEXTS["issues"].values():
        known |= issue.get("fix_flow", {}).get("abort", {}).keys()
    assert keyword_strings("reason") <= known | _CORE_SUCCESS_REASONS
    assert known <= strings_in_code() | _CORE_ABORT_REASONS


# Errors


def every_error() -> list[tuple[errors.UnifiError, dict[str, str]]]:
    """Return an error of each class, with the entry data it occurs with."""
    pinned, verify = ({"host": "10.0.0.1", "ssl": ssl} for ssl in ("pinned", "verify"))
    failures: list[tuple[errors.UnifiError, dict[str, str]]] = [
        (errors.CertificateNotTrustedError(""), verify),
        (errors.BadCredentialsError("", definite=True), pinned),
        (errors.RateLimitedError("", retry_after=1.2), pinned),
        (errors.NotPermittedError("", definite=True), pinned),
    ]
    listed = {errors.UnifiError, *(type(error) for error, _ in failures)}
    failures += [
        (kind("default"), pinned)
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.UnifiError) and kind not in listed
    ]
    return [*failures, (errors.CertificateNotTrustedError(""), pinned)]


@pytest.mark.parametrize(("error", "data"), every_error())
def test_every_placeholder_of_an_error_has_a_value(
    error: errors.UnifiError, data: dict[str, str]
) -> None:
    key, filled = error_translation(error, data)
    assert placeholders(TEXTS["config"]["error"][key]) <= filled.keys()
    assert placeholders(TEXTS["exceptions"][key]["message"]) <= filled.keys()


def test_every_error_text_is_used() -> None:
    assert TEXTS["config"]["error"].keys() <= strings_in_code()
    assert TEXTS["options"].get("error", {}).keys() <= strings_in_code()
    assert TEXTS["exceptions"].keys() <= strings_in_code()


def test_every_translation_key_has_a_text() -> None:
    known = TEXTS["exceptions"].keys() | TEXTS["issues"].keys() | TEXTS["selector"].keys()
    for texts in TEXTS["entity"].values():
        known |= texts.keys()
    assert keyword_strings("translation_key") <= known


# Other texts


def test_every_issue_and_system_health_text_is_used() -> None:
    assert TEXTS["issues"].keys() <= strings_in_code()
    assert TEXTS["system_health"]["info"].keys() <= strings_in_code()


def test_every_selector_option_is_used() -> None:
    in_yaml = {text for name in YAML_FILES.values() for text in strings(read_yaml(name))}
    for key, texts in TEXTS["selector"].items():
        assert key in strings_in_code() | in_yaml
        assert texts["options"].keys() <= strings_in_code() | in_yaml, key


def strings(document: object) -> set[str]:
    """Return every string in a YAML document, including its keys."""
    if isinstance(document, dict):
        return set(document) | {text for value in document.values() for text in strings(value)}
    if isinstance(document, list):
        return {text for value in document for text in strings(value)}
    return {document} if isinstance(document, str) else set()


def test_translations_have_no_unknown_section() -> None:
    assert TEXTS.keys() == {
        "conditions",
        "config",
        "entity",
        "exceptions",
        "issues",
        "options",
        "selector",
        "services",
        "system_health",
        "triggers",
    }
