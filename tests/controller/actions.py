"""Actions for tests and the walk simulation: move clients and send frames about it."""

from dataclasses import replace

from aiohttp import WSCloseCode

from .faults import Faults
from .frames import (
    block_record,
    event_record,
    events_frame,
    sync_frame,
    user_delete_frame,
    user_sync_frame,
)
from .models import Band, Client, Generation, Json, Movement, MovementKind
from .state import ControllerState, Settings
from .world import DEFAULT_SIGNAL, World

# Time between Disconnected and Connected for a roam in a capture (docs/protocol.md 3.2).
GAP_SECONDS = 0.85


class Actions:
    """Moves clients and sends frames about it to the event sockets.

    To move a client without sending a frame, use the same method of `world`. Clients and access
    points are given by name or MAC address; `site` is a site's short name, by default the first.
    """

    def __init__(self, state: ControllerState) -> None:
        """Act on this controller."""
        self.state = state

    @property
    def settings(self) -> Settings:
        """The controller's settings."""
        return self.state.settings

    @property
    def worlds(self) -> dict[str, World]:
        """The world of each site by its short name."""
        return self.state.worlds

    @property
    def world(self) -> World:
        """The first site's world."""
        return next(iter(self.state.worlds.values()))

    @property
    def faults(self) -> Faults:
        """The active faults."""
        return self.state.faults

    def world_of(self, site: str | None) -> World:
        """Return the world of a site; None means the first site."""
        return self.world if site is None else self.worlds[site]

    async def send(self, frame: Json | str | bytes, *, site: str | None = None) -> None:
        """Send any frame to the sockets; text is sent unchanged, bytes as a binary frame."""
        await self.state.hub.send(frame, site=site)

    async def close_sockets(self, code: int | None = WSCloseCode.GOING_AWAY) -> None:
        """Close all sockets with a code; None aborts them (the peer sees 1006)."""
        await self.state.hub.close(code)

    def half_open(self) -> None:
        """Freeze all open sockets: TCP stays up, no frames are sent and pings go unanswered."""
        self.state.hub.half_open()

    async def report(self, *movements: Movement, site: str | None = None) -> None:
        """Report movements in one frame: as events, or as sync records if there are no events.

        With sync records only, a disconnect sends nothing: the client just stops being listed.
        """
        world = self.world_of(site)
        if self.settings.generation is Generation.EVENTS:
            await self.send_events(*movements, site=site)
            return
        macs = dict.fromkeys(movement.mac for movement in movements)
        await self.sync(*(mac for mac in macs if world.clients[mac].connected), site=site)

    async def send_events(self, *movements: Movement, site: str | None = None) -> None:
        """Send movements in one `events` frame, whatever the generation."""
        world = self.world_of(site)
        records = [event_record(item, world, self.settings.major) for item in movements]
        await self.state.hub.send(events_frame(*records), site=world.site.name)

    async def send_as_reconnect(self, roam: Movement, *, site: str | None = None) -> None:
        """Send a roam as some access points do: one frame Disconnected, one frame Connected."""
        left = replace(
            roam,
            kind=MovementKind.DISCONNECTED,
            after=None,
            time=float(int(roam.time - GAP_SECONDS)),
        )
        await self.send_events(left, site=site)
        await self.send_events(replace(roam, kind=MovementKind.CONNECTED, before=None), site=site)

    async def sync(self, *keys: str, site: str | None = None) -> None:
        """Send one sync frame with these clients, by default all connected ones."""
        world = self.world_of(site)
        clients = [world.client(key) for key in keys] if keys else world.online()
        if clients:
            await self._sync(world, clients)

    async def connect(
        self,
        key: str,
        ap: str | None = None,
        *,
        band: Band = Band.NA,
        signal: int = DEFAULT_SIGNAL,
        site: str | None = None,
    ) -> Movement:
        """Connect a client and report it."""
        movement = self.world_of(site).connect(key, ap, band=band, signal=signal)
        await self.report(movement, site=site)
        return movement

    async def disconnect(
        self, key: str, *, left: float | None = None, site: str | None = None
    ) -> Movement:
        """Disconnect a client, now or at the earlier time `left` (POSIX seconds), and report it."""
        movement = self.world_of(site).disconnect(key, left=left)
        await self.report(movement, site=site)
        return movement

    async def roam(
        self,
        key: str,
        ap_to: str,
        *,
        band: Band | None = None,
        signal: int = DEFAULT_SIGNAL,
        site: str | None = None,
    ) -> Movement:
        """Move a client to another access point and report it."""
        movement = self.world_of(site).roam(key, ap_to, band=band, signal=signal)
        await self.report(movement, site=site)
        return movement

    async def roam_radio(
        self, key: str, band: Band, *, signal: int = DEFAULT_SIGNAL, site: str | None = None
    ) -> Movement:
        """Move a client to another band and report it."""
        movement = self.world_of(site).roam_radio(key, band, signal=signal)
        await self.report(movement, site=site)
        return movement

    async def rename(self, key: str, name: str | None, *, site: str | None = None) -> Client:
        """Change a client's alias and report it by `user:sync`."""
        world = self.world_of(site)
        client = world.client(key)
        client.name = name
        await self.state.hub.send(user_sync_frame(client, world), site=world.site.name)
        return client

    async def set_blocked(self, key: str, *, blocked: bool, site: str | None = None) -> Client:
        """Block a client, which disconnects it, or unblock it, and report it."""
        world = self.world_of(site)
        client = world.client(key)
        client.blocked = blocked
        if blocked and client.connected:
            await self.disconnect(client.mac, site=site)
        if self.settings.generation is Generation.EVENTS:
            record = block_record(client, world, self.settings.username)
            await self.state.hub.send(events_frame(record), site=world.site.name)
        await self.state.hub.send(user_sync_frame(client, world), site=world.site.name)
        return client

    async def forget(self, key: str, *, site: str | None = None) -> Client:
        """Disconnect a client, remove it from the known ones and report it by `user:delete`."""
        world = self.world_of(site)
        client = world.client(key)
        if client.connected:
            await self.disconnect(client.mac, site=site)
        del world.clients[client.mac]
        await self.state.hub.send(user_delete_frame(client, world), site=world.site.name)
        return client

    async def _sync(self, world: World, clients: list[Client]) -> None:
        for v2 in (False, True):
            frame = sync_frame(world, clients, v2=v2)
            await self.state.hub.send(frame, site=world.site.name, v2=v2)
