"""How good a classifier is: on clean images, on changed ones, and whether it knows."""
