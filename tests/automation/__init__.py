"""Tests of the shared parts of the triggers and conditions."""
