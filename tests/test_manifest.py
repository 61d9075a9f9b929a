"""What Home Assistant, HACS and the Marketplace read, checked against the code."""

import json
from pathlib import Path
import re
import tomllib
from typing import Any

from PIL import Image
import pytest
import yaml

from custom_components.unifi_scanner import binary_sensor, sensor
from custom_components.unifi_scanner.api import errors
from custom_components.unifi_scanner.ask import describe_error
from custom_components.unifi_scanner.const import DOCUMENTATION, DOMAIN

ROOT = Path(__file__).parent.parent
INTEGRATION = ROOT / "custom_components" / DOMAIN
CORE = Path(__import__("homeassistant").__file__).parent

DESCRIPTIONS = {
    "binary_sensor": binary_sensor.SITE_BINARY_SENSORS,
    "sensor": (*sensor.CLIENT_SENSORS, *sensor.ACCESS_POINT_SENSORS, *sensor.SITE_SENSORS),
}


def read_json(path: Path) -> dict[str, Any]:
    """Return a JSON file's object, in the file's order."""
    document: dict[str, Any] = json.loads(path.read_text())
    return document


TEXTS = read_json(INTEGRATION / "translations/en.json")
ICONS = read_json(INTEGRATION / "icons.json")
MANIFEST = read_json(INTEGRATION / "manifest.json")


def leaves(texts: dict[str, Any], path: str = "") -> dict[str, str]:
    """Return every text by its path."""
    found: dict[str, str] = {}
    for key, value in texts.items():
        if isinstance(value, dict):
            found |= leaves(value, f"{path}{key}.")
        else:
            found[path + key] = value
    return found


# Manifest and packaging


def test_the_manifest_has_what_a_custom_integration_needs_in_the_order_hassfest_wants() -> None:
    keys = list(MANIFEST)
    assert keys == ["domain", "name", *sorted(set(keys) - {"domain", "name"})]
    needed = {"documentation", "issue_tracker", "codeowners", "version", "config_flow", "iot_class"}
    assert needed <= MANIFEST.keys()
    assert MANIFEST["domain"] == DOMAIN
    assert MANIFEST["documentation"] == DOCUMENTATION
    assert MANIFEST["codeowners"]
    assert all(owner.startswith("@") for owner in MANIFEST["codeowners"])


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert MANIFEST["version"] == project["project"]["version"]


def test_what_is_required_is_what_home_assistant_lacks_and_is_pinned_for_the_tests() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    names = [re.split(r"[<>=]", requirement)[0] for requirement in MANIFEST["requirements"]]
    assert names == sorted(names)
    pinned = project["dependency-groups"]["runtime"]
    assert names == [requirement.split("==")[0] for requirement in pinned]


def test_hacs_finds_its_file() -> None:
    hacs = read_json(ROOT / "hacs.json")
    assert hacs["name"] == MANIFEST["name"]
    assert re.fullmatch(r"20\d\d\.\d+\.\d+", hacs["homeassistant"])
    assert (ROOT / "README.md").stat().st_size
    assert (ROOT / "LICENSE").read_text().startswith("MIT License")


def test_the_drawings_have_the_sizes_home_assistant_shows() -> None:
    with Image.open(INTEGRATION / "brand/icon.png") as icon:
        assert icon.size == (256, 256)
        assert icon.mode == "RGBA"
    with Image.open(INTEGRATION / "brand/logo.png") as logo:
        assert 128 <= min(logo.size) <= 256
        assert logo.mode == "RGBA"


# Texts and icons


def test_every_entity_has_its_name_and_icon_and_nothing_else_has() -> None:
    for platform, descriptions in DESCRIPTIONS.items():
        keys = {str(description.translation_key) for description in descriptions}
        assert TEXTS["entity"][platform].keys() == keys
        assert ICONS["entity"][platform].keys() == keys
        for description in descriptions:
            named = "name" in TEXTS["entity"][platform][str(description.translation_key)]
            assert named is (description.name is not None)
    assert TEXTS["entity"].keys() == ICONS["entity"].keys() == DESCRIPTIONS.keys()


def test_every_state_that_is_a_word_has_its_text() -> None:
    for description in DESCRIPTIONS["sensor"]:
        states = TEXTS["entity"]["sensor"][str(description.translation_key)].get("state", {})
        if isinstance(description, sensor.ClientSensorDescription) and description.options:
            assert states.keys() == set(description.options)
    assert TEXTS["entity"]["sensor"]["access_point"]["state"].keys() == {sensor.NOT_CONNECTED}


def test_every_icon_is_one_of_material_design() -> None:
    assert all(re.fullmatch(r"mdi:[a-z0-9-]+", icon) for icon in leaves(ICONS).values())


def test_every_step_and_field_of_the_flow_has_its_texts() -> None:
    steps = {
        "user": {"host", "username", "password", "ssl"},
        "certificate": set(),
        "site": {"site"},
        "clients": {"clients", "add_new_clients"},
        "reauth_confirm": {"password"},
    }
    code = (INTEGRATION / "config_flow.py").read_text()
    assert set(re.findall(r'step_id="(\w+)"', code)) == steps.keys()
    assert TEXTS["config"]["step"].keys() == steps.keys()
    for step, fields in steps.items():
        texts = TEXTS["config"]["step"][step]
        assert texts["title"]
        assert texts["description"]
        assert set(texts.get("data", {})) == fields
        assert set(texts.get("data_description", {})) == fields
    assert TEXTS["selector"]["ssl"]["options"].keys() == {"verify", "pinned", "insecure"}


def test_every_error_has_its_text() -> None:
    code = (INTEGRATION / "config_flow.py").read_text()
    of_the_flow = set(re.findall(r'"(?:base|CONF_HOST)"?: "(\w+)"', code))
    of_the_flow |= set(re.findall(r'\{CONF_HOST: "(\w+)"\}', code))
    assert of_the_flow == {"invalid_host", "no_sites", "unknown"}
    of_the_controller = {describe_error(error, data)[0] for error, data in every_error()}
    assert TEXTS["config"]["error"].keys() == of_the_flow | of_the_controller
    assert TEXTS["exceptions"].keys() == of_the_controller
    assert TEXTS["config"]["abort"].keys() == set(re.findall(r'async_abort\(reason="(\w+)"', code))


def every_error() -> list[tuple[errors.UnifiError, dict[str, str]]]:
    """Return one of each kind of failure, with an entry's data."""
    pinned, verify = ({"host": "10.0.0.1", "ssl": ssl} for ssl in ("pinned", "verify"))
    return [
        (errors.CannotConnectError(), pinned),
        (errors.ControllerStartingError(), pinned),
        (errors.BadCredentialsError("", definite=True), pinned),
        (errors.SecondFactorRequiredError(), pinned),
        (errors.SessionExpiredError(), pinned),
        (errors.RateLimitedError("", retry_after=1.2), pinned),
        (errors.CertificateNotTrustedError(""), pinned),
        (errors.CertificateNotTrustedError(""), verify),
        (errors.SiteUnknownError("default"), pinned),
        (errors.UnexpectedAnswerError(), pinned),
    ]


@pytest.mark.parametrize(("error", "data"), every_error())
def test_every_placeholder_of_an_error_is_filled(
    error: errors.UnifiError, data: dict[str, str]
) -> None:
    key, placeholders = describe_error(error, data)
    for text in (TEXTS["config"]["error"][key], TEXTS["exceptions"][key]["message"]):
        assert "{" not in text.format(**placeholders)


def test_no_text_is_empty_padded_html_or_an_address() -> None:
    for path, text in leaves(TEXTS).items():
        assert text == text.strip() != "", path
        assert not re.search(r"</?[a-z]+>|\[%", text), path
        assert not re.search(r"https?://", text), path


# Quality scale


def test_the_quality_scale_names_every_rule_once() -> None:
    ours = yaml.safe_load((INTEGRATION / "quality_scale.yaml").read_text())["rules"]
    model = yaml.safe_load((CORE / "components/unifi_access/quality_scale.yaml").read_text())
    assert ours.keys() == model["rules"].keys()
    for rule, status in ours.items():
        if isinstance(status, dict):
            assert status["status"] in {"done", "exempt", "todo"}, rule
            assert status["comment"], rule
        else:
            assert status in {"done", "todo"}, rule
