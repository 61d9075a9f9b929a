"""Fifty faults that users of UniFi clients have reported (docs/faults.md), each by its code."""
