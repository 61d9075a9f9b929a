"""A demo: a real Home Assistant with a simulated controller."""
