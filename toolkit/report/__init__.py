"""The report of an export: one HTML page of what the other parts found. If something is missing, the page says so."""
