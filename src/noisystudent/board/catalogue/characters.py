"""Characters that no text of the catalogue may hold, whoever sends it."""

from __future__ import annotations

import re

# Control characters, halves of characters and none at all, which no feed and no page may hold; what turns the direction of the
# text around it; and what ends a line without being a line's end.
UNFIT = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u202a-\u202e\u2066-\u2069\u2028\u2029\ufeff]"
)
