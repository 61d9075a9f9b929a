"""A flight recorder's capture as a file, for whoever reports a bug."""

from pathlib import Path
from typing import Any

from homeassistant.helpers.json import save_json
from homeassistant.util import dt as dt_util

# Whoever exports by an automation must not fill the disk.
MOST_FILES = 5


def write_capture(folder: Path, capture: dict[str, Any]) -> Path:
    """Write a capture into a folder, which is made if need be; return the file.

    Only the newest captures are kept there. Blocks; raises OSError or WriteError.
    """
    # Of the same length at any time, so that names are in the order of their times.
    file = folder / f"capture_{dt_util.utcnow():%Y-%m-%dT%H-%M-%S-%f}Z.json"
    folder.mkdir(parents=True, exist_ok=True)
    save_json(str(file), capture)
    others = sorted(other for other in folder.glob("capture_*.json") if other != file)
    for outdated in others[: -(MOST_FILES - 1)]:
        outdated.unlink(missing_ok=True)
    return file
