"""Tests of the sections of a report."""
