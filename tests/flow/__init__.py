"""Tests of the flows' shared parts."""
