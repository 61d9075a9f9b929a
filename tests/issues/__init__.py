"""Tests of the repair issues."""
