"""The wireless clients that a controller knows: those connected now, and those it remembers."""

from collections.abc import Collection, Iterable
from contextlib import suppress

from ..api.errors import UnifiError
from ..api.records import KnownClient, StationRecord
from .session import ControllerSession

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
