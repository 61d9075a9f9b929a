"""Reports, and what the judge makes of them."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from .expectations import Expected, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """An event on the bus; times in POSIX seconds on the controller's clock."""

    kind: Kind
    mac: str
    ap_from: str | None
    ap_to: str | None
    band_from: str | None
    band_to: str | None
    at: float
    received_at: float
    source: str
    inferred: bool = False
    late: bool | None = None

    def __str__(self) -> str:
        """Describe it for a developer."""
        how = f"{self.source}, inferred" if self.inferred else self.source
        ends = f"{self.ap_from}/{self.band_from} -> {self.ap_to}/{self.band_to}"
        return f"{self.kind} {ends} at {self.at:.2f}, reported at {self.received_at:.2f} by {how}"


class Fault(StrEnum):
    """What is wrong with an event or a report."""

    LATE = "late"
    WRONG_ORIGIN = "wrong origin"
    MISSED = "missed"
    DOUBLED = "doubled"
    INVENTED = "invented"


@dataclass(slots=True)
class Counts:
    """Counts of one kind of event.

    Each expected event is counted as exactly one of `once`, `late`, `wrong_origin`, `missed` and
    `doubled`; `invented` counts reports without an expected event.
    """

    expected: int = 0
    mentioned: int = 0
    once: int = 0
    late: int = 0
    wrong_origin: int = 0
    missed: int = 0
    missed_mentioned: int = 0
    doubled: int = 0
    invented: int = 0

    def __add__(self, other: Counts) -> Counts:
        """Return the sums."""
        return Counts(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))

    @property
    def reported_once(self) -> int:
        """Number of events that were reported exactly once, late and from elsewhere included."""
        return self.once + self.late + self.wrong_origin


@dataclass(slots=True, kw_only=True)
class Judged:
    """An expected event and the reports of it."""

    expected: Expected
    reports: list[Report] = field(default_factory=list)
    verdict: Fault | None = None


@dataclass(slots=True)
class Verdict:
    """Result of a comparison; `latencies` are those of roams, in seconds.

    `disordered` counts the reports of a client that follow a report of something later, and
    `mislabelled` those whose key `late` is wrong.
    """

    counts: dict[Kind, Counts] = field(default_factory=lambda: {kind: Counts() for kind in Kind})
    latencies: list[float] = field(default_factory=list)
    sources: Counter[str] = field(default_factory=Counter)
    disordered: int = 0
    mislabelled: int = 0
    judged: list[Judged] = field(default_factory=list)
    details: dict[Fault, list[str]] = field(default_factory=lambda: {fault: [] for fault in Fault})
