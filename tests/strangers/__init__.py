"""Clients that other people wrote judge the simulated controller: it must not just please ours."""
