"""The study: a grid of trainings, its charts, and what it says of the claims it was made to test."""
