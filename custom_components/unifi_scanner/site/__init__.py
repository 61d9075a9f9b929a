"""One site of a controller in Home Assistant: devices, areas, history and events."""
