"""Shared parts of the automation triggers and conditions."""
