"""Shared parts of the triggers and conditions."""
