"""What people train small classifiers for, each task from its data to a prediction on a device."""
