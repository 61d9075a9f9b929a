"""Where clients are and what a roam is; knows neither Home Assistant nor the network."""

from .clock import newest_credible
from .models import ClientEvent, ClientState, EventKind, Link, Source
from .tracker import RoamTracker

__all__ = [
    "ClientEvent",
    "ClientState",
    "EventKind",
    "Link",
    "RoamTracker",
    "Source",
    "newest_credible",
]
