"""Imports go down only, from Home Assistant's platform files to the controller's API."""

import ast
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path
import subprocess
import sys

import pytest

INTEGRATION = Path(__file__).parents[1] / "custom_components" / "unifi_scanner"
PACKAGE = "custom_components.unifi_scanner"
# From the bottom up: a package may only import itself and packages of the lines above its own. All
# other files are platform files, which Home Assistant expects.
LAYERS = (
    ("api",),
    ("const",),
    ("roaming",),
    ("capture",),
    ("issues", "site"),
    ("hub",),
    ("coordinator",),
    ("automation", "entity", "flow"),
)
HOME_ASSISTANT_FILES = {
    "__init__",
    "binary_sensor",
    "condition",
    "config_flow",
    "const",
    "coordinator",
    "diagnostics",
    "entity",
    "event",
    "logbook",
    "repairs",
    "sensor",
    "services",
    "system_health",
    "trigger",
}
WITHOUT_HOME_ASSISTANT = ("api", "roaming", "capture")

# Loads a package without the integration's own __init__, and with Home Assistant out of reach.
ISOLATED = """
import importlib, sys, types

class NoHomeAssistant:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "homeassistant":
            raise ImportError("reached for Home Assistant: " + name)

sys.meta_path.insert(0, NoHomeAssistant())
package = types.ModuleType("custom_components.unifi_scanner")
package.__path__ = [sys.argv[1]]
sys.modules[package.__name__] = package
for name in sys.argv[2:]:
    importlib.import_module(package.__name__ + "." + name)
assert not [name for name in sys.modules if name.partition(".")[0] == "homeassistant"]
print("isolated")
"""


def unit_of(path: Path) -> str:
    """Return the package that a file belongs to, or its own name at the top."""
    parts = path.relative_to(INTEGRATION).with_suffix("").parts
    return parts[0]


def files_of(unit: str) -> list[Path]:
    return [path for path in sorted(INTEGRATION.rglob("*.py")) if unit_of(path) == unit]


def imports(path: Path) -> Iterator[str]:
    """Return the absolute names of everything that a file imports, in functions too."""
    inside = path.relative_to(INTEGRATION).with_suffix("")
    package = ".".join((PACKAGE, *inside.parts[:-1]))
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = resolve_name("." * node.level + (node.module or ""), package)
            yield from (f"{module}.{alias.name}" for alias in node.names)


def is_within(name: str, package: str) -> bool:
    """Return whether a name is a package or something in it."""
    return name == package or name.startswith(f"{package}.")


def level_of(unit: str) -> int:
    """Return the height of a package or file; Home Assistant's platform files are on top."""
    for level, units in enumerate(LAYERS):
        if unit in units:
            return level
    return len(LAYERS) + (unit == "__init__")


def test_only_files_that_home_assistant_expects_lie_at_the_top() -> None:
    assert {path.stem for path in INTEGRATION.glob("*.py")} == HOME_ASSISTANT_FILES


def test_every_layer_exists() -> None:
    for unit in (unit for units in LAYERS for unit in units):
        assert files_of(unit), unit


@pytest.mark.parametrize(
    "path", sorted(INTEGRATION.rglob("*.py")), ids=lambda path: str(path.relative_to(INTEGRATION))
)
def test_imports_go_down(path: Path) -> None:
    own = unit_of(path)
    for name in imports(path):
        if not is_within(name, PACKAGE):
            continue
        imported = name.removeprefix(f"{PACKAGE}.").partition(".")[0]
        if imported == own or name == PACKAGE:
            continue
        assert level_of(imported) < level_of(own), f"{own} imports {name}"


@pytest.mark.parametrize("unit", WITHOUT_HOME_ASSISTANT)
def test_no_file_below_imports_home_assistant(unit: str) -> None:
    found = [
        (path.name, name)
        for path in files_of(unit)
        for name in imports(path)
        if is_within(name, "homeassistant")
    ]
    assert found == []


def test_roaming_knows_only_typed_observations() -> None:
    allowed = (f"{PACKAGE}.roaming", f"{PACKAGE}.api.records")
    found = [
        (path.name, name)
        for path in files_of("roaming")
        for name in imports(path)
        if is_within(name, PACKAGE) and not any(is_within(name, each) for each in allowed)
    ]
    assert found == []


def test_roaming_does_no_io_and_reads_no_clock() -> None:
    forbidden = ("asyncio", "aiohttp", "socket", "time", "websockets", "threading")
    found = [
        (path.name, name)
        for path in files_of("roaming")
        for name in imports(path)
        if any(is_within(name, each) for each in forbidden)
    ]
    assert found == []


@pytest.mark.parametrize("unit", WITHOUT_HOME_ASSISTANT)
def test_a_package_loads_without_home_assistant(unit: str) -> None:
    names = []
    for path in files_of(unit):
        parts = path.relative_to(INTEGRATION).with_suffix("").parts
        names.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    result = subprocess.run(  # noqa: S603 - our own interpreter and our own text
        [sys.executable, "-c", ISOLATED, str(INTEGRATION), *names],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "isolated\n", "")
