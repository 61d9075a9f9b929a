"""The state of a tracker as JSON: exported for a replay, or saved over a restart."""

from collections.abc import Mapping
from copy import replace
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..api.records import Link
from .client import Client
from .evidence import Evidence, Proof, Reported
from .models import ClientState, Source

# The names of a client's exported values.
CLIENT_FIELDS = (
    "number",
    "floor",
    "received_at",
    "recorded_at",
    "alias",
    "hostname",
    "state",
    "evidence",
)


class KnownName(NamedTuple):
    """The name set for a client, whether or not the client is known yet."""

    mac: str
    name: str


class MissingClient(NamedTuple):
    """A client that the latest snapshot did not list.

    `since` is event-loop time, `time` the same on the tracker's timeline.
    """

    mac: str
    since: float
    time: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackerState:
    """The state of a tracker except its clients."""

    disconnect_delay: float
    clock: tuple[float | None, ...]
    primed: bool
    floor: float
    empty_since: float | None
    suspended_until: float
    log_known: float | None
    unread_since: float | None
    on_time: bool
    newest: float
    opened_at: float
    event_at: float
    missing: tuple[MissingClient, ...]
    names: tuple[KnownName, ...]


def client_values(client: Client) -> tuple[Any, ...]:
    """Return a client's values in the order of CLIENT_FIELDS; later changes do not affect them."""
    return (
        client.number,
        client.floor,
        client.received_at,
        client.recorded_at,
        client.alias,
        client.hostname,
        client.state,
        tuple(replace(piece) for piece in client.evidence),
    )


def restore_client(values: Mapping[str, Any]) -> Client:
    """Return a client from JSON; raise KeyError, TypeError or the like if it is broken."""
    state = values["state"]
    client = Client(
        state["mac"],
        alias=values["alias"],
        hostname=values["hostname"],
        floor=values["floor"],
        number=values["number"],
        guest=state["guest"],
    )
    client.received_at = values["received_at"]
    client.recorded_at = values["recorded_at"]
    client.state = ClientState(**{**state, "link": _link(state["link"])})
    client.evidence = [
        Evidence(
            **{
                **piece,
                "proof": Proof(piece["proof"]),
                "source": Source(piece["source"]),
                "reported": Reported(piece["reported"]),
                "link": _link(piece["link"]),
                "link_from": _link(piece["link_from"]),
            }
        )
        for piece in values["evidence"]
    ]
    return client


def _link(values: Mapping[str, Any] | None) -> Link | None:
    return None if values is None else Link(**values)


def saved_client(client: Client, shift: float) -> dict[str, Any]:
    """Return what is saved of a client over a restart, with the controller's own times."""
    state = client.state
    return {
        "alias": client.alias,
        "hostname": client.hostname,
        "guest": state.guest,
        "floor": client.floor - shift,
        "connected_since": state.connected_since,
        "previous_ap_mac": state.previous_ap_mac,
        "last_roam": state.last_roam,
        "evidence": [
            [
                piece.time - shift,
                piece.proof.value,
                piece.link,
                piece.source.value,
                piece.link_from,
                piece.until - shift,
                piece.signal,
                piece.roam_count,
                piece.reported.value,
            ]
            for piece in client.evidence
        ],
    }


def client_from_saved(mac: str, saved: Mapping[str, Any], *, number: int, due: float) -> Client:
    """Return a saved client; raise KeyError, TypeError, ValueError or the like if it is broken.

    What was held back is reported at `due`, in event-loop time.
    """
    client = Client(
        mac,
        alias=saved["alias"],
        hostname=saved["hostname"],
        floor=float(saved["floor"]),
        number=number,
        guest=bool(saved["guest"]),
    )
    for (
        time,
        proof,
        link,
        source,
        link_from,
        until,
        signal,
        roam_count,
        reported,
    ) in saved["evidence"]:
        client.add(
            Evidence(
                float(time),
                Proof(proof),
                None if link is None else Link(*link),
                Source(source),
                link_from=None if link_from is None else Link(*link_from),
                until=float(until),
                due=due,
                signal=signal,
                roam_count=roam_count,
                reported=Reported(reported),
            )
        )
    client.state = client.state._replace(
        connected_since=saved["connected_since"],
        previous_ap_mac=saved["previous_ap_mac"],
        last_roam=saved["last_roam"],
    )
    return client
