"""Parity: is the artifact still the model that was trained? Knows the Runtime protocol, no format and no framework."""
