"""Targets by row key."""

from .rows import CORE, Limit

BARE = "bare loop"
AT_10 = "ours, 10 tracked"

_TRACKED = (10, 100, 1_000, 10_000)

TARGETS: dict[str, tuple[Limit, ...]] = {
    "unwanted_start": (Limit(0.05, "aiounifi"),),
    "unwanted_end": (Limit(0.05, "aiounifi"),),
    "sync": (Limit(1.3, "orjson"),),
    "mixed": (Limit(0.15, "aiounifi"),),
    **{f"unchanged_{count}": (Limit(15.0),) for count in _TRACKED},
    **{f"moved_{count}": (Limit(60.0),) for count in _TRACKED},
    # Cost must not grow: the largest number of clients is compared with the smallest.
    f"unchanged_{_TRACKED[-1]}": (Limit(15.0), Limit(1.2, AT_10)),
    f"moved_{_TRACKED[-1]}": (Limit(60.0), Limit(1.2, AT_10)),
    "frame": (Limit(8.0),),
    "frame_writes": (Limit(0.0),),
    "roam": (Limit(100.0),),
    "latency_p99": (Limit(2.0, BARE),),
    "memory": (Limit(2_048.0),),
    "hour": (Limit(15.0),),
    "set_up": (Limit(0.5, CORE),),
    "hold_frame": (Limit(20.0),),
    "hold_moved": (Limit(20.0),),
    "hold_snapshot": (Limit(20.0),),
    "burst_lost": (Limit(0.0),),
}
