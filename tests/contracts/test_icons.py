"""Every icon is one of Material Design's and belongs to something."""

import re

import pytest

from tests.contracts.files import ICONS, TEXTS, leaves, read_yaml


def test_every_icon_is_one_of_material_design() -> None:
    assert all(re.fullmatch(r"mdi:[a-z0-9-]+", icon) for icon in leaves(ICONS).values())


def test_every_entity_has_an_icon_or_that_of_its_class() -> None:
    for platform, icons in ICONS["entity"].items():
        texts = TEXTS["entity"][platform]
        assert icons.keys() <= texts.keys()
        for key, icon in icons.items():
            assert icon.get("state", {}).keys() <= {"on", "off", *texts[key].get("state", {})}
            for attribute, of_attribute in icon.get("state_attributes", {}).items():
                known = texts[key]["state_attributes"][attribute].get("state", {})
                assert of_attribute.get("state", {}).keys() <= known.keys()


@pytest.mark.parametrize("kind", ["conditions", "services", "triggers"])
def test_every_action_trigger_and_condition_has_its_icon(kind: str) -> None:
    assert ICONS[kind].keys() == read_yaml(f"{kind}.yaml").keys()
    inner = {"conditions": "condition", "services": "service", "triggers": "trigger"}[kind]
    assert all(set(icon) == {inner} for icon in ICONS[kind].values())


def test_icons_belong_to_something_home_assistant_knows() -> None:
    assert ICONS.keys() == {"conditions", "entity", "services", "triggers"}
