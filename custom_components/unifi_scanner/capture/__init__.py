"""Captures for bug reports: what went into the tracker and what came out, redacted."""
