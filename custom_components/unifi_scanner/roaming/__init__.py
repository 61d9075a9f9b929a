"""The facts: who is where and what a roam is. Knows neither Home Assistant nor the wire."""

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
