"""The clients that users choose from, as options of a form."""

from collections.abc import Iterable, Mapping
from itertools import islice

from homeassistant.helpers.selector import SelectOptionDict

from ..api.records import KnownClient, StationRecord

# A site may know tens of thousands of passers-by; nobody reads a longer list than this.
MOST_CLIENTS = 1_000


def client_options(
    clients: Iterable[StationRecord | KnownClient],
    chosen: Mapping[str, str | None] | None = None,
) -> list[SelectOptionDict]:
    """Return what to choose from: clients, the most important first, and those chosen before.

    `chosen` maps their MACs to the names they last had. Those with a name come first.
    """
    named = ((client.mac, client.alias or client.hostname) for client in clients)
    offered = dict(islice(named, MOST_CLIENTS))
    for mac, name in (chosen or {}).items():
        offered[mac] = offered.get(mac) or name
    options = [
        (name is None, (name or mac).casefold(), mac, f"{name} ({mac})" if name else mac)
        for mac, name in offered.items()
    ]
    return [SelectOptionDict(value=mac, label=label) for _, _, mac, label in sorted(options)]
