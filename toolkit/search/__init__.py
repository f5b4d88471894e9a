"""Searches: budgets in, the smallest networks out that are surely as good."""
