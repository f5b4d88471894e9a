"""A trained network in, smaller ones out: channels are pruned, and what is left is trained with it as the teacher."""
