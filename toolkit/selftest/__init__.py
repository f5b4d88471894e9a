"""The gate's own test: faults planted into artifacts, each of which has to be caught, beside faultless ones."""
