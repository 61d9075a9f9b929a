"""A soak: thousands of roams under random faults, and what Home Assistant was told of them."""
