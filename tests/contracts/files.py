"""The integration's JSON and YAML files, and the strings and keywords in its code."""

import ast
from collections.abc import Iterator
from functools import cache
import json
from pathlib import Path
import string
from typing import Any

from homeassistant import const
import yaml

from custom_components.unifi_scanner.const import DOMAIN

ROOT = Path(__file__).parents[2]
INTEGRATION = ROOT / "custom_components" / DOMAIN
CORE = Path(__import__("homeassistant").__file__).parent

type Texts = dict[str, Any]


def read_json(path: Path) -> Texts:
    """Return the content of a JSON file, with its keys in file order."""
    document: Texts = json.loads(path.read_text())
    return document


def read_yaml(name: str) -> dict[str, Any]:
    """Return the content of one of the integration's YAML files."""
    document: dict[str, Any] = yaml.safe_load((INTEGRATION / name).read_text())
    return document


TEXTS = read_json(INTEGRATION / "translations/en.json")
ICONS = read_json(INTEGRATION / "icons.json")
MANIFEST = read_json(INTEGRATION / "manifest.json")


def leaves(texts: Texts, path: str = "") -> dict[str, str]:
    """Return every text by its path, with the keys joined by slashes."""
    found: dict[str, str] = {}
    for key, value in texts.items():
        if isinstance(value, dict):
            found |= leaves(value, f"{path}{key}/")
        else:
            found[path + key] = value
    return found


def placeholders(text: str) -> set[str]:
    """Return the names of the placeholders in a text."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@cache
def modules() -> dict[str, ast.Module]:
    """Return the syntax tree of each of the integration's modules, by path."""
    return {
        str(path.relative_to(INTEGRATION)): ast.parse(path.read_text())
        for path in sorted(INTEGRATION.rglob("*.py"))
    }


def nodes[T: ast.AST](kind: type[T]) -> Iterator[T]:
    """Yield every syntax node of a type in the integration."""
    for module in modules().values():
        for node in ast.walk(module):
            if isinstance(node, kind):
                yield node


@cache
def strings_in_code() -> frozenset[str]:
    """Return every string in the code, including imported constants of Home Assistant."""
    constants = {node.value for node in nodes(ast.Constant) if isinstance(node.value, str)}
    imported = {
        getattr(const, alias.name)
        for node in nodes(ast.ImportFrom)
        if node.module == const.__name__
        for alias in node.names
    }
    return frozenset(constants | {value for value in imported if isinstance(value, str)})


def keyword_strings(name: str) -> set[str]:
    """Return every string that the code passes as a keyword argument of that name."""
    return {
        keyword.value.value
        for keyword in nodes(ast.keyword)
        if keyword.arg == name
        and isinstance(keyword.value, ast.Constant)
        and isinstance(keyword.value.value, str)
    }
