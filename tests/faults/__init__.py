"""Faults reported by users of UniFi clients; test names start with the code in docs/faults.md."""
