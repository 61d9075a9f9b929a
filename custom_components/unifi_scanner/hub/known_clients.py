"""Read the wireless clients of a site: those connected now, and those the controller remembers."""

from collections.abc import Collection, Iterable
import logging

from ..api.errors import UnifiError
from ..api.records import KnownClient, StationRecord
from .session import ControllerSession

_LOGGER = logging.getLogger(__name__)

type Clients = tuple[StationRecord | KnownClient, ...]


async def async_read_clients(session: ControllerSession, site: str) -> tuple[Clients, Clients]:
    """Return a site's connected wireless clients, and the named ones that are not connected.

    Raises UnifiError if the connected clients cannot be read.
    """
    stations = await session.async_call(lambda client: client.stations(site))
    known = await async_known_clients(session, site)
    connected = {station.mac for station in stations}
    return (
        tuple(client for client in stations if not client.is_wired),
        tuple(c for c in known or () if c.alias and not c.is_wired and c.mac not in connected),
    )


async def async_known_clients(
    session: ControllerSession, site: str
) -> tuple[KnownClient, ...] | None:
    """Return all clients that the controller remembers, None if they could not be read.

    Only call this while other requests succeed.
    """
    # Bypass `session.async_call`: an account that lacks the permission would log in again for this
    # optional list.
    try:
        known = await session.client.known_clients(site)
    except UnifiError as error:
        _LOGGER.debug("Failed to read the known clients of site %s: %r", site, error)
        return None
    # A booting controller lists none.
    return known or None


def names_of(known: Iterable[StationRecord | KnownClient], macs: Collection[str]) -> dict[str, str]:
    """Return the names by MAC of those clients in `macs` that have one."""
    names = {client.mac: client.alias or client.hostname for client in known if client.mac in macs}
    return {mac: name for mac, name in names.items() if name}
