"""A trained network in, smaller ones out: its channels are pruned, and what is left learns from it again."""
