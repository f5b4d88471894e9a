"""Export: a Keras model becomes a folder of artifacts with a manifest and a golden. Needs TensorFlow."""
