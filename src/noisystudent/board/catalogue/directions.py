"""Is higher better? The archive does not say, so it is found out, and each metric says how."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from importlib.resources import files
from typing import NamedTuple


class Direction(NamedTuple):
    """`higher_is_better` is None where nothing says; `origin` is one of the words that the schema allows."""

    higher_is_better: bool | None
    origin: str


UNKNOWN = Direction(None, "unknown")

_KNOWN = tomllib.loads((files("noisystudent.board.catalogue") / "known_metrics.toml").read_text(encoding="utf-8"))
HIGHER, LOWER = frozenset(_KNOWN["higher"]), frozenset(_KNOWN["lower"])

_LOWER_WORDS = re.compile(
    r"\b(error|err|loss|perplexity|ppl|distance|latency|runtime|time|seconds|ms|flops|params|parameters|memory|wer|cer|eer|fid|rmse|mse|mae|mape|nll|bpc|bpd"
    r"|deviation|divergence|false|failures?|violations?|cost|flip rate|drift)\b",
    re.IGNORECASE,
)
_HIGHER_WORDS = re.compile(
    r"\b(accuracy|acc|correct|precision|recall|f1|f-measure|score|bleu|rouge|map|ap|miou|iou|auc|auroc|correlation|dice|psnr|ssim|hits?|mrr|ndcg|match|success"
    r"|reward|return|win rate|coverage|fps|throughput|similarity|agreement|kappa)\b",
    re.IGNORECASE,
)

LEAST_ROWS = 5  # fewer say nothing about an order
LEAST_CORRELATION = 0.8


def direction(name: str, values: Sequence[float | None] = (), *, ranks_table: bool = False) -> Direction:
    """Find out a metric's direction: by a table of known names, by the order of the rows, by words in the name.

    Args:
        name: of the metric.
        values: of the rows in the order of the source, which is that of the leaderboard; None where there is no number.
        ranks_table: the metric is the table's first, the one that its rows are ordered by.

    Returns:
        The direction and where it came from; unknown where nothing says.

    Example:
        >>> direction("Percentage error")
        Direction(higher_is_better=False, origin='known name')
        >>> direction("Vibes", [9.1, 8.0, 7.9, 7.7, 5.0], ranks_table=True)
        Direction(higher_is_better=True, origin='order of rows')
        >>> direction("Vibes")
        Direction(higher_is_better=None, origin='unknown')
    """
    plain = name.strip().lower()
    if plain in HIGHER or plain in LOWER:
        return Direction(plain in HIGHER, "known name")
    if ranks_table:
        by_order = _order_of_rows(values)
        if by_order is not None:
            return Direction(by_order, "order of rows")
    lower, higher = bool(_LOWER_WORDS.search(name)), bool(_HIGHER_WORDS.search(name))
    if lower != higher:
        return Direction(higher, "pattern of name")
    return UNKNOWN


def _order_of_rows(values: Sequence[float | None]) -> bool | None:
    """Whether the best come first with the highest numbers; None when the order says nothing."""
    numbers = [value for value in values if value is not None]
    if len(numbers) < LEAST_ROWS or min(numbers) == max(numbers):
        return None
    from scipy import stats  # half a second, which no page and few commands need

    correlation = float(stats.spearmanr(range(len(numbers)), numbers).statistic)
    return correlation < 0 if abs(correlation) >= LEAST_CORRELATION else None
