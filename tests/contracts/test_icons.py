"""Every icon is a Material Design icon and belongs to something that exists."""

import re

import pytest

from tests.contracts.files import ICONS, TEXTS, leaves, read_yaml


def test_every_icon_is_a_material_design_icon() -> None:
    assert all(re.fullmatch(r"mdi:[a-z0-9-]+", icon) for icon in leaves(ICONS).values())


def test_icons_of_entities_match_their_translation_keys_and_states() -> None:
    for platform, icons in ICONS["entity"].items():
        texts = TEXTS["entity"][platform]
        assert icons.keys() <= texts.keys()
        for key, icon in icons.items():
            assert icon.get("state", {}).keys() <= {"on", "off", *texts[key].get("state", {})}
            for attribute, attribute_icon in icon.get("state_attributes", {}).items():
                known = texts[key]["state_attributes"][attribute].get("state", {})
                assert attribute_icon.get("state", {}).keys() <= known.keys()


@pytest.mark.parametrize("kind", ["conditions", "services", "triggers"])
def test_every_action_trigger_and_condition_has_an_icon(kind: str) -> None:
    assert ICONS[kind].keys() == read_yaml(f"{kind}.yaml").keys()
    inner = {"conditions": "condition", "services": "service", "triggers": "trigger"}[kind]
    assert all(set(icon) == {inner} for icon in ICONS[kind].values())


def test_icons_have_no_unknown_section() -> None:
    assert ICONS.keys() == {"conditions", "entity", "services", "triggers"}
