"""A short run of the fuzzer, and property tests with Hypothesis."""

from random import Random
import tracemalloc
from typing import Any

from hypothesis import given, settings, strategies as st
import orjson
import pytest

from custom_components.unifi_scanner.api import frames, parsing
from custom_components.unifi_scanner.api.records import parse_station
from custom_components.unifi_scanner.roaming import tracker as tracker_module
from custom_components.unifi_scanner.roaming.evidence import shared

from .harness import Harness
from .mutations import ODD_VALUES

CODE_PATTERN = "*/custom_components/unifi_scanner/*"
MACS = st.sampled_from(
    [f"02:00:00:00:00:{number:02x}" for number in range(3)] + ["02-AA-00-00-00-01", "x"]
)
TIMES = st.sampled_from([0, -1, 4, 2**40, "1790000000000", None]) | st.builds(
    lambda ago, unit: (1_790_000_000 - ago) * unit,
    st.integers(-1_000, 1_000),
    st.sampled_from([1, 1000]),
)
ANYTHING = st.sampled_from(ODD_VALUES) | st.text(max_size=5) | st.floats(allow_nan=False)
FIELDS = {
    **dict.fromkeys(("user", "guest", "mac", "ap", "ap_from", "ap_to", "ap_mac"), MACS),
    **dict.fromkeys(("time", "last_seen", "assoc_time", "latest_assoc_time"), TIMES),
    **dict.fromkeys(("radio", "radio_from", "radio_to"), st.sampled_from(["ng", "na", "6e"])),
    **dict.fromkeys(("channel", "channel_to", "signal"), st.integers(-200, 400)),
    **dict.fromkeys(
        ("is_wired", "is_guest", "is_mlo"), st.booleans() | st.sampled_from(["true", "0", 1])
    ),
    "mlo_details": st.lists(
        st.fixed_dictionaries(
            {}, optional={"ap_mac": MACS, "radio": st.sampled_from(["ng", "6e"])}
        ),
        max_size=2,
    ),
    **dict.fromkeys(("hostname", "name", "essid", "ssid"), st.text(max_size=3)),
}
ENTRIES = st.fixed_dictionaries(
    {}, optional={name: value | ANYTHING for name, value in FIELDS.items()}
)
VERBS = st.sampled_from(["Connected", "Disconnected", "Roam", "RoamRadio"])
EVENTS = st.builds(
    lambda entry, prefix, verb: entry | {"key": f"EVT_{prefix}_{verb}"},
    ENTRIES,
    st.sampled_from(["WU", "WG"]),
    VERBS,
)
ROWS = st.fixed_dictionaries(
    {
        "key": st.sampled_from(
            [
                "CLIENT_ROAMED_2",
                "CLIENT_CONNECTED_WIRELESS_2",
                "CLIENT_DISCONNECTED_WIRELESS",
                "CLIENT_ROAMED",
            ]
        ),
        "timestamp": TIMES | ANYTHING,
        "parameters": st.dictionaries(
            st.sampled_from(["CLIENT", "DEVICE", "DEVICE_FROM", "DEVICE_TO", "SIGNAL_STRENGTH"]),
            st.fixed_dictionaries({"id": MACS, "name": ANYTHING}) | ANYTHING,
        )
        | ANYTHING,
    }
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("events"), st.lists(EVENTS, max_size=5)),
        st.tuples(st.just("sta:sync"), st.lists(ENTRIES, max_size=5)),
        st.tuples(st.just("client:sync"), st.lists(ENTRIES, max_size=2)),
        st.tuples(st.just("snapshot"), st.lists(ENTRIES, max_size=5)),
        st.tuples(st.just("rows"), st.lists(ROWS, max_size=4)),
        st.tuples(st.just("wait"), st.floats(-100, 100)),
    ),
    max_size=12,
)


@pytest.mark.parametrize("seed", [1, 2])
def test_mutated_frames_violate_no_invariant(seed: int) -> None:
    harness = Harness(Random(seed))  # noqa: S311 - not for security
    harness.run(10_000)
    assert harness.emitted.total() > 1_000
    assert 0 < harness.statistics.unreadable < 3_000


def test_memory_stays_bounded_for_mutated_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracker_module, "MAX_CLIENTS", 150)
    harness = Harness(Random(3))  # noqa: S311 - not for security
    tracemalloc.start()
    try:
        harness.run(4_000)
        before = allocated_bytes()
        harness.run(4_000)
        assert allocated_bytes() < before + 300_000
    finally:
        tracemalloc.stop()
    assert len(harness.tracker.clients) == 150


def allocated_bytes() -> int:
    """Return the bytes allocated by the integration's code, excluding its caches.

    The caches have limits of their own, which the harness checks.
    """
    for cache in (parsing._canonical_mac, frames._meta_at_start, frames._meta_at_end, shared):
        cache.cache_clear()
    snapshot = tracemalloc.take_snapshot().filter_traces(
        [tracemalloc.Filter(inclusive=True, filename_pattern=CODE_PATTERN)]
    )
    return sum(statistic.size for statistic in snapshot.statistics("filename"))


@settings(max_examples=250, deadline=None)
@given(STEPS)
def test_steps_with_any_fields_in_any_order_violate_no_invariant(
    steps: list[tuple[str, Any]],
) -> None:
    harness = Harness(Random(4))  # noqa: S311 - not for security
    for kind, value in steps:
        if kind == "wait":
            harness.now += value
            harness.release_due()
        elif kind == "snapshot":
            stations = [parse_station(record, harness.now) for record in value]
            harness.snapshot([station for station in stations if station is not None])
        elif kind == "rows":
            harness.feed_rows(value)
        else:
            harness.feed([orjson.dumps({"meta": {"rc": "ok", "message": kind}, "data": value})])
        harness.check()
