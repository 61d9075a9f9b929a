"""The clients offered for selection in the config and options forms."""

from collections.abc import Iterable, Mapping
from itertools import islice

from homeassistant.helpers.selector import SelectOptionDict

from ..api.records import KnownClient, StationRecord

# A site may know tens of thousands of clients that only passed by; a longer list is unreadable.
MAX_CLIENTS = 1_000


def client_options(
    clients: Iterable[StationRecord | KnownClient],
    tracked: Mapping[str, str | None] | None = None,
) -> list[SelectOptionDict]:
    """Return the select options: clients with a name first, each group sorted.

    `clients` are in order of importance; at most `MAX_CLIENTS` of them are offered. `tracked` maps
    the MACs of clients that are selected already, and always offered, to their last known names.
    """
    named = ((client.mac, client.alias or client.hostname) for client in clients)
    offered = dict(islice(named, MAX_CLIENTS))
    for mac, name in (tracked or {}).items():
        offered[mac] = offered.get(mac) or name
    options = [
        (name is None, (name or mac).casefold(), mac, f"{name} ({mac})" if name else mac)
        for mac, name in offered.items()
    ]
    return [SelectOptionDict(value=mac, label=label) for _, _, mac, label in sorted(options)]
