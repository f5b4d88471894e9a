"""Bundles: one file for a device, with an artifact and all that runs, checks and times it there."""
