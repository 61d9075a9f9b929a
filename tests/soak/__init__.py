"""Soak test: thousands of roams under random faults, and what Home Assistant reported."""
