"""Captures for bug reports: the tracker's inputs and events, redacted."""
