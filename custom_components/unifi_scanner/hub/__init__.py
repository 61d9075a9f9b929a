"""Talking to one controller: its session, its event stream and its snapshots."""
