"""The exported state of a tracker, and how to read it back from JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, NamedTuple

from .client_track import ClientTrack, HeldDeparture, Move, Retune
from .models import ClientState, Link, Source

# The names of a client's exported values.
CLIENT_FIELDS = tuple(field.name for field in fields(ClientTrack))
# Returns a track's values in the order of CLIENT_FIELDS. All are immutable, so later changes to the
# track do not affect them.
client_values = attrgetter(*CLIENT_FIELDS)


class DueDeparture(NamedTuple):
    """A departure that is held back until `due`."""

    mac: str
    due: float


class KnownName(NamedTuple):
    """The name set for a client, whether or not the client is known yet."""

    mac: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackerState:
    """The state of a tracker except its clients."""

    disconnect_delay: float
    offset: float
    knows_clock: bool
    primed: bool
    empty_since: float | None
    doubted_until: float
    now: float
    # Both in the order in which they are due.
    held: tuple[DueDeparture, ...]
    rechecks: tuple[DueDeparture, ...]
    names: tuple[KnownName, ...]


def tracker_state_from(values: Mapping[str, Any]) -> TrackerState:
    """Return a tracker's state from JSON; raise KeyError, TypeError or the like if it is broken."""
    return TrackerState(
        **{
            **values,
            "held": tuple(DueDeparture(**departure) for departure in values["held"]),
            "rechecks": tuple(DueDeparture(**departure) for departure in values["rechecks"]),
            "names": tuple(KnownName(**name) for name in values["names"]),
        }
    )


def client_track_from(values: Mapping[str, Any]) -> ClientTrack:
    """Return a client from JSON; raise KeyError, TypeError or the like if it is broken."""
    state, held = values["state"], values["held"]
    link = state["link"]
    return ClientTrack(
        **{
            **values,
            "state": ClientState(**{**state, "link": None if link is None else Link(**link)}),
            "held": held and HeldDeparture(**{**held, "source": Source(held["source"])}),
            "moves": tuple(Move(**move) for move in values["moves"]),
            "retunes": tuple(Retune(**retune) for retune in values["retunes"]),
        }
    )
