"""Tests of converting single JSON values."""

from collections.abc import Callable
from unicodedata import category

from hypothesis import given, strategies as st
import pytest

from custom_components.unifi_scanner.api.parsing import as_boolean, as_ssid, as_text

# Control characters, a soft hyphen, zero-width and bidirectional characters, separators and a tag.
INVISIBLE = (
    *("\0", "\t", "\n", "\x1b", "\x7f", "\x9b", "\u00ad", "\u200b", "\u200d", "\u200f", "\u2028"),
    *("\u2029", "\u202a", "\u202e", "\u2060", "\u2066", "\u2069", "\ufeff", "\U000e0041", "\ud83d"),
)


@pytest.mark.parametrize("character", INVISIBLE)
@pytest.mark.parametrize("read", [as_text, as_ssid])
def test_invisible_characters_are_removed(
    read: Callable[[object], str | None], character: str
) -> None:
    assert read(f"{character}Anna{character}'s{character}") == "Anna's"
    assert read(character * 3) is None


@given(st.text(st.characters(), max_size=300))
def test_texts_are_short_stripped_and_visible(value: str) -> None:
    for text in (as_text(value), as_ssid(value)):
        assert text is None or 0 < len(text) <= 255
        assert not {category(each) for each in text or ""} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    text = as_text(value)
    assert text is None or text == text.strip()


@pytest.mark.parametrize(
    "name", ["Küche", "Wohnung 🏠", "❤\ufe0f", "a\u00a0b", "手机", "\ue000", "\ufffd"]
)
def test_visible_characters_are_kept(name: str) -> None:
    assert as_text(name) == as_ssid(name) == name


def test_ssid_keeps_its_whitespace_and_a_name_does_not() -> None:
    assert as_ssid("  Home \u3000") == "  Home \u3000"
    assert as_text("  Home \u3000") == "Home"
    assert as_text("x" * 254 + " " + "y") == "x" * 254


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *((value, True) for value in (True, 1, 1.0, "true", "True", " TRUE ", "1")),
        *((value, False) for value in (False, 0, 0.0, "false", "FALSE", "0")),
        *(
            (value, None)
            for value in (
                None,
                "",
                "x",
                "2",
                2,
                -1,
                float("nan"),
                [],
                [True],
                {},
                "1" * 99,
                "true" + " " * 99 + "x",
            )
        ),
    ],
    ids=repr,
)
def test_booleans_are_read_from_texts_and_numbers(value: object, *, expected: bool | None) -> None:
    assert as_boolean(value) is expected
