"""One contained process that runs models: whatever a file does there, the parent goes on and says what happened."""
