"""The edge-model toolkit: train, export, verify and bench small Keras classifiers."""

__version__ = "0.1.0"
