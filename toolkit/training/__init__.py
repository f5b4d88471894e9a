"""Training: a recipe and a data set become a run folder. Needs TensorFlow."""
