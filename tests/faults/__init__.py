"""Fifty faults that users of UniFi clients have reported (shared/faults.md), each by its code."""
