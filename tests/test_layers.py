"""An import never goes up: wire (api) and facts (roaming) know nothing of Home Assistant."""

import ast
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path
import subprocess
import sys

import pytest

INTEGRATION = Path(__file__).parents[1] / "custom_components" / "unifi_scanner"
PACKAGE = "custom_components.unifi_scanner"
FILES = {floor: sorted((INTEGRATION / floor).rglob("*.py")) for floor in ("api", "roaming")}

# Loads a floor without the integration's own __init__, and with Home Assistant out of reach.
ISOLATED = """
import importlib, sys, types

class NoHouse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "homeassistant":
            raise ImportError("reached for Home Assistant: " + name)

sys.meta_path.insert(0, NoHouse())
package = types.ModuleType("custom_components.unifi_scanner")
package.__path__ = [sys.argv[1]]
sys.modules[package.__name__] = package
for name in sys.argv[2:]:
    importlib.import_module(package.__name__ + "." + name)
assert not [name for name in sys.modules if name.partition(".")[0] == "homeassistant"]
print("alone")
"""


def imports(path: Path) -> Iterator[str]:
    """Return the absolute names of all that a file imports, wherever in it."""
    inside = path.relative_to(INTEGRATION).with_suffix("")
    package = ".".join((PACKAGE, *inside.parts[:-1]))
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = resolve_name("." * node.level + (node.module or ""), package)
            yield from (f"{module}.{alias.name}" for alias in node.names)


def is_within(name: str, package: str) -> bool:
    """Tell whether a name is a package or something in it."""
    return name == package or name.startswith(f"{package}.")


def module_names(floor: str) -> list[str]:
    """Return the modules of a floor as the integration calls them."""
    names = []
    for path in FILES[floor]:
        parts = path.relative_to(INTEGRATION).with_suffix("").parts
        names.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return names


def test_both_floors_are_there() -> None:
    assert len(FILES["api"]) > 5
    assert len(FILES["roaming"]) > 1


@pytest.mark.parametrize("floor", ["api", "roaming"])
def test_no_file_imports_home_assistant(floor: str) -> None:
    found = [
        (path.name, name)
        for path in FILES[floor]
        for name in imports(path)
        if is_within(name, "homeassistant")
    ]
    assert found == []


def test_the_wire_knows_only_itself() -> None:
    found = [
        (path.name, name)
        for path in FILES["api"]
        for name in imports(path)
        if is_within(name, PACKAGE) and not is_within(name, f"{PACKAGE}.api")
    ]
    assert found == []


def test_the_facts_know_only_typed_observations() -> None:
    allowed = (f"{PACKAGE}.roaming", f"{PACKAGE}.api.records")
    found = [
        (path.name, name)
        for path in FILES["roaming"]
        for name in imports(path)
        if is_within(name, PACKAGE) and not any(is_within(name, each) for each in allowed)
    ]
    assert found == []


def test_the_facts_do_no_io_and_read_no_clock() -> None:
    forbidden = ("asyncio", "aiohttp", "socket", "time", "websockets", "threading")
    found = [
        (path.name, name)
        for path in FILES["roaming"]
        for name in imports(path)
        if any(is_within(name, each) for each in forbidden)
    ]
    assert found == []


@pytest.mark.parametrize("floor", ["api", "roaming"])
def test_a_floor_loads_where_home_assistant_is_not(floor: str) -> None:
    result = subprocess.run(  # noqa: S603 - our own interpreter and our own text
        [sys.executable, "-c", ISOLATED, str(INTEGRATION), *module_names(floor)],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "alone\n", "")
