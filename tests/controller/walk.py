"""A repeatable walk: people move through the house and their phones choose access points."""

from dataclasses import dataclass
from enum import StrEnum
from math import dist
import random

from .floor_plan import AWAY, LAWN, ROOMS, Point, signal_over
from .models import Band, Client, Device, Movement
from .world import World

METRES_PER_SECOND = 1.3
# How much better (dB) another access point must be for a phone to roam, and how often at most.
ROAM_HYSTERESIS = 8.0
SECONDS_BETWEEN_ROAMS = 2.0
# Signal (dBm) below which a phone loses its link, and from which it connects again.
OUT_OF_RANGE = -88.0
BACK_IN_RANGE = -82.0
# Controllers report a disconnect late (docs/protocol.md 3.2, ordering fact 5).
SECONDS_UNTIL_DISCONNECT = 20.0
# Signal (dBm) below which a phone leaves a band, and from which it chooses that band.
LEAVE_BAND = {Band.SIX: -68.0, Band.NA: -76.0}
JOIN_BAND = {Band.SIX: -58.0, Band.NA: -68.0}
# Probability of each choice when a person has arrived somewhere.
SHARE_LEAVING = 0.05
SHARE_ASLEEP = 0.04
SHARE_LAWN = 0.08


class Activity(StrEnum):
    """What a person and their phone are doing."""

    WALKING = "walking"
    ASLEEP = "asleep"
    AWAY = "away"


@dataclass(slots=True, kw_only=True)
class Walker:
    """A person with a phone; durations are in seconds of the walk, points in metres."""

    mac: str
    place: Point
    target: Point
    activity: Activity = Activity.WALKING
    pause: float = 0.0
    since_roam: float = 60.0
    out_of_range_for: float = 0.0
    out_of_range_since: float = 0.0


class Walk:
    """Moves people and their phones; the same seed and steps give the same walk."""

    def __init__(self, world: World, phones: list[str], seed: int) -> None:
        """Place every person at the access point of their phone."""
        self._world = world
        self._random = random.Random(seed)  # noqa: S311 - a repeatable walk, not a secret
        self._walkers = []
        for mac in phones:
            link = world.client(mac).link
            device = world.access_point(link.ap) if link else world.access_points()[0]
            place = (device.x, device.y)
            pause = self._random.uniform(0.0, 8.0)
            self._walkers.append(Walker(mac=mac, place=place, target=place, pause=pause))

    def step(self, seconds: float) -> list[Movement]:
        """Advance the walk by some seconds; return the movements, at most one per phone."""
        movements = []
        for walker in self._walkers:
            self._move(walker, seconds)
            movement = self._update_phone(walker, seconds)
            if movement is not None:
                movements.append(movement)
        return movements

    def _move(self, walker: Walker, seconds: float) -> None:
        if walker.pause > 0:
            walker.pause -= seconds
            return
        left = dist(walker.place, walker.target)
        stride = METRES_PER_SECOND * seconds
        if left > stride:
            part = stride / left
            (x, y), (to_x, to_y) = walker.place, walker.target
            walker.place = (x + (to_x - x) * part, y + (to_y - y) * part)
            return
        walker.place = walker.target
        self._decide(walker)

    def _decide(self, walker: Walker) -> None:
        """Choose what a person does after arriving somewhere."""
        choice = self._random.random()
        if walker.activity is Activity.WALKING and walker.target == AWAY:
            walker.activity, walker.pause = Activity.AWAY, self._random.uniform(30.0, 120.0)
            return
        if walker.activity is Activity.WALKING and choice < SHARE_ASLEEP:
            walker.activity, walker.pause = Activity.ASLEEP, self._random.uniform(40.0, 120.0)
            return
        if walker.activity is Activity.WALKING and choice < SHARE_ASLEEP + SHARE_LEAVING:
            walker.target = AWAY
            return
        walker.activity = Activity.WALKING
        walker.pause = self._random.uniform(2.0, 12.0)
        if choice > 1.0 - SHARE_LAWN:
            walker.target = LAWN
            return
        room = self._random.choice(ROOMS)
        right, up = self._random.uniform(-1, 1), self._random.uniform(-1, 1)
        walker.target = room.spot(right, up)

    def _update_phone(self, walker: Walker, seconds: float) -> Movement | None:
        """Let a phone stay, change its band, roam, disconnect or connect."""
        client = self._world.client(walker.mac)
        best, strength = self._best(walker.place)
        walker.since_roam += seconds
        gone = strength < (OUT_OF_RANGE if client.connected else BACK_IN_RANGE)
        if gone or walker.activity is Activity.ASLEEP:
            return self._lose_link(walker, client, seconds)
        walker.out_of_range_for = 0.0
        if client.link is None:
            band = self._band(best, walker.place, Band.NG)
            signal = self._signal(best, band, walker.place)
            return self._world.connect(walker.mac, best.mac, band=band, signal=signal)
        here = self._world.access_point(client.link.ap)
        gain = strength - self._strength(here, walker.place)
        may_roam = walker.since_roam >= SECONDS_BETWEEN_ROAMS
        device = best if gain >= ROAM_HYSTERESIS and may_roam else here
        band = self._band(device, walker.place, client.link.band)
        signal = self._signal(device, band, walker.place)
        if device is not here:
            walker.since_roam = 0.0
            return self._world.roam(walker.mac, device.mac, band=band, signal=signal)
        if band is not client.link.band:
            return self._world.roam_radio(walker.mac, band, signal=signal)
        self._world.set_signal(walker.mac, signal)
        return None

    def _lose_link(self, walker: Walker, client: Client, seconds: float) -> Movement | None:
        if not client.connected:
            return None
        if not walker.out_of_range_for:
            walker.out_of_range_since = self._world.clock()
        walker.out_of_range_for += seconds
        if walker.out_of_range_for < SECONDS_UNTIL_DISCONNECT:
            return None
        walker.out_of_range_for = 0.0
        return self._world.disconnect(walker.mac, left=walker.out_of_range_since)

    def _best(self, place: Point) -> tuple[Device, float]:
        strengths = [
            (self._strength(device, place), device) for device in self._world.access_points()
        ]
        strength, device = max(strengths, key=lambda pair: pair[0])
        return device, strength

    @staticmethod
    def _strength(device: Device, place: Point) -> float:
        """Return the signal (dBm) of the access point's strongest radio at a place."""
        return max(signal_over(band, (device.x, device.y), place) for band in device.radios)

    @staticmethod
    def _band(device: Device, place: Point, now: Band) -> Band:
        """Choose the fastest band with enough signal, with hysteresis for the current one."""
        for band in (Band.SIX, Band.NA):
            if band in device.radios:
                enough = LEAVE_BAND[band] if band is now else JOIN_BAND[band]
                if signal_over(band, (device.x, device.y), place) >= enough:
                    return band
        return Band.NG

    def _signal(self, device: Device, band: Band, place: Point) -> int:
        true = signal_over(band, (device.x, device.y), place)
        return max(-95, min(-25, round(true + self._random.gauss(0.0, 1.5))))
