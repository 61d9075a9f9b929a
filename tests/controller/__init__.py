"""A simulated UniFi controller: a real HTTPS and WebSocket server for tests, demo and benchmark.

It imports nothing of the integration it judges.
"""

from .certificate import ServerCertificate, make_certificate
from .faults import Booting, Rejection, Shaker
from .models import Band, Flavour, Generation, Happening, Kind, Site
from .realtime import Walking
from .records import PLANTED_SECRETS
from .server import SimulatedController

__all__ = [
    "PLANTED_SECRETS",
    "Band",
    "Booting",
    "Flavour",
    "Generation",
    "Happening",
    "Kind",
    "Rejection",
    "ServerCertificate",
    "Shaker",
    "SimulatedController",
    "Site",
    "Walking",
    "make_certificate",
]
