"""Tests of the shared parts of triggers and conditions."""
