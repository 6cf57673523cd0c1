"""Bars: how many of each year."""

from __future__ import annotations

from html import escape

from markupsafe import Markup

WIDTH, HEIGHT, BASE = 600, 160, 30  # units of the drawing


def bars(years: dict[int, int]) -> Markup:
    """Bars of how many papers each year has, with their numbers; none for a single year.

    Example:
        >>> str(bars({2019: 1, 2020: 3})).count("<rect")
        2
    """
    if len(years) < 2:
        return Markup("")
    most, step = max(years.values()), WIDTH / len(years)
    every = -(-len(years) // 10)  # so many years have one label among them
    said = escape(f"Papers by year: {', '.join(f'{year}: {count:,}' for year, count in years.items())}")
    parts = []
    for place, (year, count) in enumerate(years.items()):
        tall = (HEIGHT - BASE - 26) * count / most
        left, top, middle = place * step + step * 0.15, HEIGHT - BASE - tall, (place + 0.5) * step
        parts.append(f'<rect x="{left:.1f}" y="{top:.1f}" width="{step * 0.7:.1f}" height="{tall:.1f}"/>')
        if place % every == (len(years) - 1) % every:
            parts.append(f'<text x="{middle:.1f}" y="{HEIGHT - 10}">{year}</text>')
            if count:
                parts.append(f'<text x="{middle:.1f}" y="{top - 5:.1f}">{count:,}</text>')
    return Markup(
        f'<svg class="bars" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{said}">{"".join(parts)}</svg>'
    )
