"""Floor plan, devices and people of the demo's small house."""

from dataclasses import dataclass
from math import dist, log10

from .models import Band
from .world import World

type Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Room:
    """A room with an access point at its center; coordinates in metres."""

    name: str
    center: Point
    radios: dict[Band, int]

    def spot(self, right: float, up: float) -> Point:
        """Return a point in the room; `right` and `up` range from -1 to 1."""
        return self.center[0] + 2.5 * right, self.center[1] + 2.0 * up


ROOMS = (
    Room("Hall", (10.0, 6.0), {Band.NG: 1, Band.NA: 36}),
    Room("Kitchen", (2.0, 2.0), {Band.NG: 6, Band.NA: 52}),
    Room("Living Room", (2.0, 11.0), {Band.NG: 11, Band.NA: 100, Band.SIX: 37}),
    Room("Bedroom", (19.0, 11.0), {Band.NG: 1, Band.NA: 132}),
    Room("Office", (19.0, 2.0), {Band.NG: 6, Band.NA: 149, Band.SIX: 69}),
    Room("Garden", (-14.0, 6.0), {Band.NG: 11, Band.NA: 44}),
)
# The far end of the garden, where 2.4 GHz is better than 5 GHz.
LAWN: Point = (-27.0, 9.0)
# Out of range of every access point: the owner has left home.
AWAY: Point = (10.0, -70.0)
PEOPLE = ("Anna", "Ben", "Clara", "David", "Emma", "Felix", "Greta", "Hugo")

TRANSMIT_DBM = {Band.NG: 20.0, Band.NA: 20.0, Band.SIX: 18.0}
LOSS_AT_ONE_METRE = {Band.NG: 40.0, Band.NA: 47.0, Band.SIX: 49.0}
LOSS_PER_DECADE = 30.0
# Average distance between walls.
METRES_PER_WALL = 5.0
LOSS_PER_WALL = {Band.NG: 2.0, Band.NA: 3.5, Band.SIX: 5.0}


def signal_over(band: Band, source: Point, target: Point) -> float:
    """Return the signal of a phone in dBm, from log-distance path loss and walls."""
    metres = max(1.0, dist(source, target))
    walls = LOSS_PER_WALL[band] * metres / METRES_PER_WALL
    return TRANSMIT_DBM[band] - LOSS_AT_ONE_METRE[band] - LOSS_PER_DECADE * log10(metres) - walls


def populate(world: World, people: int) -> list[str]:
    """Add the house's devices and clients to a world; return the MACs of the walking phones.

    The last of them belongs to a guest, on the guest network and without an alias.
    """
    world.add_device("Dream Machine", type="udm", model="UDMPRO", ip="10.0.0.1")
    world.add_device("Switch", type="usw", model="USL8LP")
    for room in ROOMS:
        x, y = room.center
        world.add_access_point(room.name, radios=room.radios, x=x, y=y)
    phones = []
    for index in range(people):
        name = PEOPLE[index] if index < len(PEOPLE) else f"Visitor {index + 1}"
        hostname = f"{name.split()[0]}s-iPhone"
        start = ROOMS[index % len(ROOMS)].name
        phone = world.add_client(f"{name}'s phone", hostname=hostname, oui="Apple", ap=start)
        phones.append(phone.mac)
    guest = world.add_client(
        None, hostname="Galaxy-S24", oui="Samsung", is_guest=True, ap="Hall", band=Band.NA
    )
    world.add_client("Living Room TV", hostname="tv", oui="LG", ap="Living Room", signal=-48)
    world.add_client("Kitchen Speaker", hostname="speaker", ap="Kitchen", band=Band.NG, signal=-52)
    world.add_client(
        None, hostname="ESP-3A11BD", oui="Espressif Inc.", ap="Office", band=Band.NG, signal=-66
    )
    world.add_client("NAS", hostname="nas", oui="Synology", is_wired=True)
    return [*phones, guest.mac]
