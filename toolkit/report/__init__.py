"""The report of an export: one HTML page of what the others found. What is not there is said, never made up."""
