"""Noisy Student Training: a few labelled images and many without labels, one better classifier."""
