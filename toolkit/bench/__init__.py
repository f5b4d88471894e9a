"""Bench: how fast is an artifact on this machine? Knows the Runtime protocol, no format and no framework."""
