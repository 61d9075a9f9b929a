"""Print what the Home Assistant of this interpreter would install at the start of the demo."""

from importlib.resources import files
import json
import sys

from homeassistant.bootstrap import CORE_INTEGRATIONS, DEFAULT_INTEGRATIONS
from homeassistant.const import BASE_PLATFORMS

from .configuration import DOMAINS

# Loaded at every start, though none of Home Assistant's lists names them.
ALWAYS = {"isal", "network"}
# What the frontend loads for the parts of the page the demo shows.
BY_FRONTEND = {"my", "sun"}


def requirements() -> set[str]:
    """Collect them from the manifests, from what is loaded by default down its dependencies."""
    components = files("homeassistant.components")
    waiting = {*CORE_INTEGRATIONS, *DEFAULT_INTEGRATIONS, *BASE_PLATFORMS, *DOMAINS}
    waiting |= ALWAYS | BY_FRONTEND
    seen: set[str] = set()
    found: set[str] = set()
    while waiting:
        domain = waiting.pop()
        seen.add(domain)
        manifest = json.loads((components / domain / "manifest.json").read_text())
        found.update(manifest.get("requirements", []))
        # Those it would load after, where they are used at all, its code imports all the same.
        for key in ("dependencies", "after_dependencies"):
            waiting.update(set(manifest.get(key, [])) - seen)
    return found


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in sorted(requirements()))
