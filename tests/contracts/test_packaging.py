"""The manifest, and the files that HACS and the Marketplace need."""

import re
import tomllib

from PIL import Image

from custom_components.unifi_scanner.const import DOCUMENTATION, DOMAIN
from tests.contracts.files import INTEGRATION, MANIFEST, ROOT, read_json


def test_manifest_has_all_required_keys_in_the_order_of_hassfest() -> None:
    keys = list(MANIFEST)
    assert keys == ["domain", "name", *sorted(set(keys) - {"domain", "name"})]
    required = {
        "documentation",
        "issue_tracker",
        "codeowners",
        "version",
        "config_flow",
        "iot_class",
    }
    assert required <= MANIFEST.keys()
    assert MANIFEST["domain"] == DOMAIN
    assert MANIFEST["documentation"] == DOCUMENTATION
    assert MANIFEST["codeowners"]
    assert all(owner.startswith("@") for owner in MANIFEST["codeowners"])


def test_manifest_has_the_version_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert MANIFEST["version"] == project["project"]["version"]


def test_manifest_requirements_are_pinned_for_the_tests() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    names = [re.split(r"[<>=]", requirement)[0] for requirement in MANIFEST["requirements"]]
    assert names == sorted(names)
    pinned = project["dependency-groups"]["runtime"]
    assert names == [requirement.split("==")[0] for requirement in pinned]


def test_hacs_finds_its_files() -> None:
    hacs = read_json(ROOT / "hacs.json")
    assert hacs["name"] == MANIFEST["name"]
    assert re.fullmatch(r"20\d\d\.\d+\.\d+", hacs["homeassistant"])
    assert (ROOT / "README.md").stat().st_size
    assert (ROOT / "LICENSE").read_text().startswith("MIT License")


def test_brand_images_have_the_required_sizes() -> None:
    with Image.open(INTEGRATION / "brand/icon.png") as icon:
        assert icon.size == (256, 256)
        assert icon.mode == "RGBA"
    with Image.open(INTEGRATION / "brand/logo.png") as logo:
        assert 128 <= min(logo.size) <= 256
        assert logo.mode == "RGBA"
