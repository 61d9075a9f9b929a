"""Benchmark of this integration against other parsers and Home Assistant's own integration."""
