"""One seed for a run; every draw in it has a seed of its own, made of the run's and of what the draw is for.

Nothing carries a generator's state from step to step, so that a stage that was killed goes on with the same draws.
"""

from __future__ import annotations

import hashlib


def derive_seed(seed: int, *purpose: str | int) -> int:
    """A seed for one purpose, in [0, 2**63), the same on every machine.

    Example:
        >>> derive_seed(0, "gen-1", "noise", 17) == derive_seed(0, "gen-1", "noise", 17)
        True
        >>> derive_seed(0, "a") == derive_seed(0, "b")
        False
    """
    text = "\x1f".join(str(part) for part in (seed, *purpose))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1
