"""What a test, or the walking house, can let happen in a simulated controller and tell."""

from dataclasses import replace

from aiohttp import WSCloseCode

from .faults import Faults
from .frames import event_record, events_frame, sync_frame, user_sync_frame
from .models import Band, Client, Generation, Json, Movement, MovementKind
from .state import ControllerState, Settings
from .world import DEFAULT_SIGNAL, World

# An access point change told as leaving and arriving took this long in a capture (protocol.md 3.2).
GAP_SECONDS = 0.85


class Actions:
    """The verbs: lets things happen and tells them to the event sockets.

    A movement by `world` alone is one that no frame tells. Clients and access points are given by
    name or MAC address; `site` is a site's short name, the first site unless told.
    """

    def __init__(self, state: ControllerState) -> None:
        """Drive this console."""
        self.state = state

    @property
    def settings(self) -> Settings:
        """What this controller is."""
        return self.state.settings

    @property
    def worlds(self) -> dict[str, World]:
        """The sites' worlds by the sites' short names."""
        return self.state.worlds

    @property
    def world(self) -> World:
        """The first site's world."""
        return next(iter(self.state.worlds.values()))

    @property
    def faults(self) -> Faults:
        """The faults now in force."""
        return self.state.faults

    def world_of(self, site: str | None) -> World:
        """Return a site's world, the first one's for None."""
        return self.world if site is None else self.worlds[site]

    async def send(self, frame: Json | str | bytes, *, site: str | None = None) -> None:
        """Send any frame to the sockets, as it is: text stays text, bytes go out as binary."""
        await self.state.hub.send(frame, site=site)

    async def close_sockets(self, code: int | None = WSCloseCode.GOING_AWAY) -> None:
        """Close all sockets with a code, or cut them off with None (the peer sees 1006)."""
        await self.state.hub.close(code)

    def half_open(self) -> None:
        """Freeze the sockets open now: TCP stays, nothing comes, pings stay unanswered."""
        self.state.hub.half_open()

    async def report(self, *movements: Movement, site: str | None = None) -> None:
        """Tell movements in one frame by the means of this generation: events, or sync records.

        Without events, whoever disconnects just stops being told of.
        """
        world = self.world_of(site)
        if self.settings.generation is Generation.EVENTS:
            await self.send_events(*movements, site=site)
            return
        macs = dict.fromkeys(movement.mac for movement in movements)
        await self.sync(*(mac for mac in macs if world.clients[mac].connected), site=site)

    async def send_events(self, *movements: Movement, site: str | None = None) -> None:
        """Tell movements by one `events` frame, whatever the generation."""
        world = self.world_of(site)
        records = [event_record(item, world, self.settings.major) for item in movements]
        await self.state.hub.send(events_frame(*records), site=world.site.name)

    async def send_as_reconnect(self, roam: Movement, *, site: str | None = None) -> None:
        """Tell a roam the way some access points do: as Disconnected and Connected, two frames."""
        left = replace(
            roam,
            kind=MovementKind.DISCONNECTED,
            after=None,
            time=float(int(roam.time - GAP_SECONDS)),
        )
        await self.send_events(left, site=site)
        await self.send_events(replace(roam, kind=MovementKind.CONNECTED, before=None), site=site)

    async def sync(self, *keys: str, site: str | None = None) -> None:
        """Send one sync frame with these clients; with those connected unless told which."""
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
        """Connect a client and tell it."""
        movement = self.world_of(site).connect(key, ap, band=band, signal=signal)
        await self.report(movement, site=site)
        return movement

    async def disconnect(
        self, key: str, *, left: float | None = None, site: str | None = None
    ) -> Movement:
        """Disconnect a client, at `left` (POSIX seconds) if earlier than now, and tell it."""
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
        """Let a client roam and tell it."""
        movement = self.world_of(site).roam(key, ap_to, band=band, signal=signal)
        await self.report(movement, site=site)
        return movement

    async def roam_radio(
        self, key: str, band: Band, *, signal: int = DEFAULT_SIGNAL, site: str | None = None
    ) -> Movement:
        """Let a client change its band and tell it."""
        movement = self.world_of(site).roam_radio(key, band, signal=signal)
        await self.report(movement, site=site)
        return movement

    async def rename(self, key: str, name: str | None, *, site: str | None = None) -> Client:
        """Change a client's alias and tell it by `user:sync`."""
        world = self.world_of(site)
        client = world.client(key)
        client.name = name
        await self.state.hub.send(user_sync_frame(client, world), site=world.site.name)
        return client

    async def _sync(self, world: World, clients: list[Client]) -> None:
        for v2 in (False, True):
            frame = sync_frame(world, clients, v2=v2)
            await self.state.hub.send(frame, site=world.site.name, v2=v2)
