"""Tests of UniFi Scanner, its simulated controller and its demo."""
