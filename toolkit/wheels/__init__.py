"""Wheels: of the toolkit that is running, and of what a device installs beside it."""
