"""What a test, or the walking house, can let happen in a simulated controller and tell."""

from dataclasses import replace

from aiohttp import WSCloseCode

from .console import Console, Settings
from .faults import Faults
from .frames import event_record, events_frame, sync_frame, user_sync_frame
from .models import Band, Client, Generation, Happening, Json, Kind
from .world import DEFAULT_SIGNAL, World

# An access point change told as leaving and arriving took this long in a capture (protocol.md 3.2).
GAP_SECONDS = 0.85


class Script:
    """The verbs: lets things happen and tells them to the event sockets.

    A happening by `world` alone is one that no frame tells. Clients and access points are given by
    name or MAC address; `site` is a site's short name, the first site unless told.
    """

    def __init__(self, console: Console) -> None:
        """Drive this console."""
        self.console = console

    @property
    def settings(self) -> Settings:
        """What this controller is."""
        return self.console.settings

    @property
    def worlds(self) -> dict[str, World]:
        """The sites' worlds by the sites' short names."""
        return self.console.worlds

    @property
    def world(self) -> World:
        """The first site's world."""
        return next(iter(self.console.worlds.values()))

    @property
    def faults(self) -> Faults:
        """The faults now in force."""
        return self.console.faults

    def world_of(self, site: str | None) -> World:
        """Return a site's world, the first one's for None."""
        return self.world if site is None else self.worlds[site]

    async def send(self, frame: Json | str | bytes, *, site: str | None = None) -> None:
        """Send any frame to the sockets, as it is: text stays text, bytes go out as binary."""
        await self.console.hub.send(frame, site=site)

    async def close_sockets(self, code: int | None = WSCloseCode.GOING_AWAY) -> None:
        """Close all sockets with a code, or cut them off with None (the peer sees 1006)."""
        await self.console.hub.close(code)

    def half_open(self) -> None:
        """Freeze the sockets open now: TCP stays, nothing comes, pings stay unanswered."""
        self.console.hub.half_open()

    async def tell(self, *happenings: Happening, site: str | None = None) -> None:
        """Tell happenings in one frame by the means of this generation: events, or sync records.

        Without events, whoever disconnects just stops being told of.
        """
        world = self.world_of(site)
        if self.settings.generation is Generation.EVENTS:
            await self.tell_events(*happenings, site=site)
            return
        macs = dict.fromkeys(happening.mac for happening in happenings)
        await self.sync(*(mac for mac in macs if world.clients[mac].connected), site=site)

    async def tell_events(self, *happenings: Happening, site: str | None = None) -> None:
        """Tell happenings by one `events` frame, whatever the generation."""
        world = self.world_of(site)
        records = [event_record(item, world, self.settings.major) for item in happenings]
        await self.console.hub.send(events_frame(*records), site=world.site.name)

    async def tell_as_gap(self, roam: Happening, *, site: str | None = None) -> None:
        """Tell a roam the way some access points do: as Disconnected and Connected, two frames."""
        left = replace(
            roam, kind=Kind.DISCONNECTED, after=None, time=float(int(roam.time - GAP_SECONDS))
        )
        await self.tell_events(left, site=site)
        await self.tell_events(replace(roam, kind=Kind.CONNECTED, before=None), site=site)

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
    ) -> Happening:
        """Connect a client and tell it."""
        happening = self.world_of(site).connect(key, ap, band=band, signal=signal)
        await self.tell(happening, site=site)
        return happening

    async def disconnect(
        self, key: str, *, left: float | None = None, site: str | None = None
    ) -> Happening:
        """Disconnect a client, at `left` (POSIX seconds) if earlier than now, and tell it."""
        happening = self.world_of(site).disconnect(key, left=left)
        await self.tell(happening, site=site)
        return happening

    async def roam(
        self,
        key: str,
        ap_to: str,
        *,
        band: Band | None = None,
        signal: int = DEFAULT_SIGNAL,
        site: str | None = None,
    ) -> Happening:
        """Let a client roam and tell it."""
        happening = self.world_of(site).roam(key, ap_to, band=band, signal=signal)
        await self.tell(happening, site=site)
        return happening

    async def roam_radio(
        self, key: str, band: Band, *, signal: int = DEFAULT_SIGNAL, site: str | None = None
    ) -> Happening:
        """Let a client change its band and tell it."""
        happening = self.world_of(site).roam_radio(key, band, signal=signal)
        await self.tell(happening, site=site)
        return happening

    async def rename(self, key: str, name: str | None, *, site: str | None = None) -> Client:
        """Change a client's alias and tell it by `user:sync`."""
        world = self.world_of(site)
        client = world.client(key)
        client.name = name
        await self.console.hub.send(user_sync_frame(client, world), site=world.site.name)
        return client

    async def _sync(self, world: World, clients: list[Client]) -> None:
        for v2 in (False, True):
            frame = sync_frame(world, clients, v2=v2)
            await self.console.hub.send(frame, site=world.site.name, v2=v2)
