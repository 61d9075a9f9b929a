"""A real Home Assistant and a simulated controller, for people to look at."""
