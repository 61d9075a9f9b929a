"""Tests of a site in Home Assistant."""
