"""Repair issues: raised here, fixed in repairs.py."""
