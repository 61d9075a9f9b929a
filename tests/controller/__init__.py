"""A simulated UniFi controller: a real HTTPS and WebSocket server for tests, demo and benchmarks.

It is written from protocol facts alone and never imports the integration it tests.
"""

from .certificate import ServerCertificate, make_certificate
from .faults import Booting, FrameFaults, Rejection
from .models import Band, Flavour, Generation, Movement, MovementKind, Site
from .records import PLANTED_SECRETS
from .server import SimulatedController
from .walk_simulation import WalkOptions

__all__ = [
    "PLANTED_SECRETS",
    "Band",
    "Booting",
    "Flavour",
    "FrameFaults",
    "Generation",
    "Movement",
    "MovementKind",
    "Rejection",
    "ServerCertificate",
    "SimulatedController",
    "Site",
    "WalkOptions",
    "make_certificate",
]
