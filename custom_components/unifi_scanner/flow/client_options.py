"""The clients that users choose from, and what they call them."""

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from itertools import islice

from homeassistant.helpers.selector import SelectOptionDict

from ..api.errors import UnifiError
from ..api.records import KnownClient, StationRecord
from ..hub.session import ControllerSession

# A site may know tens of thousands of passers-by; nobody reads a longer list than this.
MOST_CLIENTS = 1_000

type Clients = tuple[StationRecord | KnownClient, ...]


async def async_read_clients(session: ControllerSession, site: str) -> tuple[Clients, Clients]:
    """Return a site's wireless clients: those connected now, and named ones that are not.

    Raises UnifiError when not even the connected ones can be told.
    """
    stations = await session.async_call(lambda client: client.stations(site))
    known = await async_known_clients(session, site)
    here = {station.mac for station in stations}
    return (
        tuple(client for client in stations if not client.is_wired),
        tuple(c for c in known if c.alias and not c.is_wired and c.mac not in here),
    )


async def async_known_clients(session: ControllerSession, site: str) -> tuple[KnownClient, ...]:
    """Return every client that the controller remembers, nobody when it can't tell.

    Good to have. Asked in the session that has just worked, as an account that lacks the right
    would log in again for it.
    """
    with suppress(UnifiError):
        return await session.client.known_clients(site)
    return ()


def names_of(known: Iterable[KnownClient], macs: Collection[str]) -> dict[str, str]:
    """Return what those of these clients are called that have a name."""
    names = {client.mac: client.alias or client.hostname for client in known if client.mac in macs}
    return {mac: name for mac, name in names.items() if name}


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
