"""Changes of a client's place, as the ledger takes them."""

from dataclasses import dataclass

from ..api.records import Band
from .models import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A client's arrival at an access point, between `earliest` and `since` by our clock.

    `time` is the controller's, and so is `linked`: when the link began at the earliest, None when
    that is not known. Without `ap_from` it comes from where it was last.
    """

    ap_to: str
    earliest: float
    since: float
    linked: float | None
    seen: float
    received: float
    time: float
    source: Source
    inferred: bool
    ssid: str | None
    band: Band | None
    channel: int | None
    ap_from: str | None = None
    band_from: Band | None = None
    channel_from: int | None = None
    signal: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RadioChange:
    """A client's change to another band or channel at the same access point.

    It happened between `earliest` and `at` by our clock; `time` is the controller's.
    """

    earliest: float
    at: float
    time: float
    source: Source
    inferred: bool
    band_to: Band | None
    channel_to: int | None
    band_from: Band | None
    channel_from: int | None
