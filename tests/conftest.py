"""For all tests."""

import os

# The networks here are tiny: a second thread costs more than it brings, and sums come out the same on every machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")
