"""Replay of a capture through parser and tracker, or through the whole integration."""
