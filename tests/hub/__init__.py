"""Tests of the connection to a controller."""
