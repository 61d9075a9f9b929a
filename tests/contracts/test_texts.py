"""Everything that is shown has its text in every language, and no text is left over."""

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
    arguments,
    leaves,
    nodes,
    placeholders,
    read_json,
    read_yaml,
    words,
)

LANGUAGES = sorted((INTEGRATION / "translations").glob("*.json"))
# Reasons for which Home Assistant itself ends a flow of ours.
_HOME_ASSISTANT_ENDS = {"already_configured", "already_in_progress"}
_HOME_ASSISTANT_SUCCEEDS = {"reauth_successful", "reconfigure_successful"}
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
        several = value if isinstance(value, tuple) else (value,)
        # Home Assistant's own descriptions are no subclasses of each other when they are made.
        found += [one for one in several if type(one).__name__.endswith("Description")]
    assert found
    return found


def steps(section: str) -> dict[str, Any]:
    """Return the steps of a flow's texts."""
    found: dict[str, Any] = TEXTS[section]["step"]
    return found


# Languages


def test_german_is_spoken_too() -> None:
    assert {path.stem for path in LANGUAGES} == {"de", "en"}


@pytest.mark.parametrize("path", LANGUAGES, ids=lambda path: path.stem)
def test_every_language_has_the_same_texts_with_the_same_placeholders(path: Path) -> None:
    english, other = leaves(TEXTS), leaves(read_json(path))
    assert other.keys() == english.keys()
    for key, text in other.items():
        assert placeholders(text) == placeholders(english[key]), key


@pytest.mark.parametrize("path", LANGUAGES, ids=lambda path: path.stem)
def test_no_text_is_empty_padded_html_or_an_address(path: Path) -> None:
    for key, text in leaves(read_json(path)).items():
        assert text == text.strip() != "", key
        assert not re.search(r"</?[a-z]+>|\[%", text), key
        assert not re.search(r"(https?|wss?)://|www\.", text), key
        assert not re.search(r"'\{\w+\}'", text), key


# Entities


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_entity_has_its_name_and_no_other_has_one(platform: str) -> None:
    keys = {str(description.translation_key) for description in descriptions(platform)}
    assert TEXTS["entity"][platform].keys() == keys
    for description in descriptions(platform):
        texts = TEXTS["entity"][platform][str(description.translation_key)]
        # The one without a name bears its device's.
        assert ("name" in texts) is (description.name is not None), description.key


def test_only_platforms_have_entities() -> None:
    assert TEXTS["entity"].keys() == set(PLATFORMS)


def test_every_state_that_is_a_word_has_its_text() -> None:
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
def test_every_step_of_a_flow_is_there_and_each_field_is_explained(section: str) -> None:
    functions = {node.name for node in nodes(ast.AsyncFunctionDef)}
    for step, texts in steps(section).items():
        assert f"async_step_{step}" in functions
        assert texts["title"]
        assert texts["description"]
        fields = set(texts.get("data", {}))
        assert set(texts.get("data_description", {})) == fields, step
        assert fields <= words(), step


def test_every_form_has_its_texts() -> None:
    known = steps("config").keys() | steps("options").keys()
    for issue in TEXTS["issues"].values():
        known |= issue.get("fix_flow", {}).get("step", {}).keys()
    assert arguments("step_id") <= known


def test_every_end_of_a_flow_has_its_text() -> None:
    known = TEXTS["config"]["abort"].keys() | TEXTS["options"].get("abort", {}).keys()
    for issue in TEXTS["issues"].values():
        known |= issue.get("fix_flow", {}).get("abort", {}).keys()
    assert arguments("reason") <= known | _HOME_ASSISTANT_SUCCEEDS
    assert known <= words() | _HOME_ASSISTANT_ENDS


# Errors


def every_error() -> list[tuple[errors.UnifiError, dict[str, str]]]:
    """Return one of each kind of failure, with an entry's data."""
    pinned, verify = ({"host": "10.0.0.1", "ssl": ssl} for ssl in ("pinned", "verify"))
    failures: list[tuple[errors.UnifiError, dict[str, str]]] = [
        (errors.CertificateNotTrustedError(""), verify),
        (errors.BadCredentialsError("", definite=True), pinned),
        (errors.RateLimitedError("", retry_after=1.2), pinned),
    ]
    apart = {errors.UnifiError, *(type(error) for error, _ in failures)}
    failures += [
        (kind("default"), pinned)
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.UnifiError) and kind not in apart
    ]
    return [*failures, (errors.CertificateNotTrustedError(""), pinned)]


@pytest.mark.parametrize(("error", "data"), every_error())
def test_every_placeholder_of_an_error_is_filled(
    error: errors.UnifiError, data: dict[str, str]
) -> None:
    key, filled = error_translation(error, data)
    assert placeholders(TEXTS["config"]["error"][key]) <= filled.keys()
    assert placeholders(TEXTS["exceptions"][key]["message"]) <= filled.keys()


def test_every_error_stands_in_the_code() -> None:
    assert TEXTS["config"]["error"].keys() <= words()
    assert TEXTS["options"].get("error", {}).keys() <= words()
    assert TEXTS["exceptions"].keys() <= words()


def test_every_translation_key_has_its_text() -> None:
    known = TEXTS["exceptions"].keys() | TEXTS["issues"].keys() | TEXTS["selector"].keys()
    for texts in TEXTS["entity"].values():
        known |= texts.keys()
    assert arguments("translation_key") <= known


# The rest


def test_every_issue_and_every_line_of_the_system_health_stands_in_the_code() -> None:
    assert TEXTS["issues"].keys() <= words()
    assert TEXTS["system_health"]["info"].keys() <= words()


def test_every_choice_of_a_selector_can_be_made() -> None:
    in_yaml = {word for name in YAML_FILES.values() for word in strings(read_yaml(name))}
    for key, texts in TEXTS["selector"].items():
        assert key in words() | in_yaml
        assert texts["options"].keys() <= words() | in_yaml, key


def strings(document: object) -> set[str]:
    """Return every string in a document, its keys too."""
    if isinstance(document, dict):
        return set(document) | {word for value in document.values() for word in strings(value)}
    if isinstance(document, list):
        return {word for value in document for word in strings(value)}
    return {document} if isinstance(document, str) else set()


def test_no_section_is_unknown_to_home_assistant() -> None:
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
