"""The live page of artifacts and its API: images come by HTTP, workers answer, and nothing of an image is kept."""
