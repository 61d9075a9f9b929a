"""A sample roam and a sample client state."""

from custom_components.unifi_scanner.roaming import (
    ClientEvent,
    ClientState,
    EventKind,
    Link,
    Source,
)
from tests.home import ANNA, HALL, KITCHEN

ROAM = ClientEvent(
    kind=EventKind.ROAM,
    mac=ANNA,
    name="Anna",
    guest=False,
    link_from=Link(HALL, "2.4", 1, "Home"),
    link_to=Link(KITCHEN, "6", 37, "Home"),
    signal=-61,
    time=1_763_800_000.25,
    source=Source.SYNC,
    inferred=True,
    roam_gap=0.75,
)
STATE = ClientState(
    mac=ANNA,
    name="Anna",
    guest=False,
    link=Link(KITCHEN, "5", 36, "Home"),
    connected_since=None,
    previous_ap_mac=HALL,
    last_roam=None,
    roam_count=None,
    ip="10.0.0.9",
    signal=None,
)
