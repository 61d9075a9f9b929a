"""The event log `stat/event`, which Network 10 emptied and then removed (docs/protocol.md 4)."""

from collections.abc import Mapping
from itertools import islice
from typing import Any

from .frames import event_record
from .models import Json, object_id
from .world import World

# First versions of the Network application that answer with an empty list, and with 404.
EMPTY_SINCE = (10, 0, 162)
REMOVED_SINCE = (10, 2, 105)
DEFAULT_HOURS = 720
DEFAULT_LIMIT = 3000


def event_rows(world: World, query: Mapping[str, Any], version: tuple[int, ...]) -> list[Json]:
    """Return `_limit` events of the last `within` hours from `_start` on, newest first."""
    if version >= EMPTY_SINCE:
        return []
    start = query.get("_start", 0)
    since = world.clock() - 3600 * query.get("within", DEFAULT_HOURS)
    movements = sorted(
        (movement for movement in world.truth if movement.time >= since),
        key=lambda movement: (movement.time, movement.number),
        reverse=True,
    )
    return [
        # Unlike an event on the socket, a stored one always has an `_id`.
        event_record(movement, world, version[0])
        | {"_id": object_id("event", movement.mac, str(movement.number))}
        for movement in islice(movements, start, start + query.get("_limit", DEFAULT_LIMIT))
    ]
