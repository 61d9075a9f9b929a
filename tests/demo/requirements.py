"""Print the packages that this interpreter's Home Assistant would install for the demo."""

from importlib.resources import files
import json
import sys

from homeassistant.bootstrap import CORE_INTEGRATIONS, DEFAULT_INTEGRATIONS
from homeassistant.const import BASE_PLATFORMS

from .configuration import DOMAINS

# Always loaded, but not named by any of Home Assistant's lists.
ALWAYS = {"isal", "network"}
# Loaded by the frontend for the pages that the demo shows.
BY_FRONTEND = {"my", "sun"}


def requirements() -> set[str]:
    """Collect the requirements of all integrations loaded by default and their dependencies."""
    components = files("homeassistant.components")
    pending = {*CORE_INTEGRATIONS, *DEFAULT_INTEGRATIONS, *BASE_PLATFORMS, *DOMAINS}
    pending |= ALWAYS | BY_FRONTEND
    seen: set[str] = set()
    found: set[str] = set()
    while pending:
        domain = pending.pop()
        seen.add(domain)
        manifest = json.loads((components / domain / "manifest.json").read_text())
        found.update(manifest.get("requirements", []))
        # After-dependencies too: code imports them even if they are not set up.
        for key in ("dependencies", "after_dependencies"):
            pending.update(set(manifest.get(key, [])) - seen)
    return found


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in sorted(requirements()))
