"""Pseudo-labels: what the teacher says of the unlabeled images, and which of it a student learns from."""
