"""Fuzz tests: for any input, nothing raises, memory stays bounded and events are consistent."""
