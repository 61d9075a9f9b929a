"""Tests of the benchmark, and guards against regressions that it found."""
