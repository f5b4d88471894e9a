"""Searches: budgets in, the smallest networks out; if an accuracy is asked for, those that surely have it."""
