"""Plays a flight recorder's capture again: through parser and tracker, or the whole integration."""
