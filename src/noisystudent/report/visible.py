"""Numbers and foreign text as a reader should see them."""

from __future__ import annotations


def visible(text: object) -> str:
    """Text with everything that cannot be seen (newlines, control and direction characters) written as an escape.

    HTML escaping is the template's job. This is for what would still mislead: a newline in a file name looks like a space.

    Example:
        >>> visible("a\\nb")
        'a\\\\nb'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in str(text))


def short(text: object, length: int = 24) -> str:
    """`visible` text, cut in the middle so that both ends can be told apart.

    Example:
        >>> short("a class with a very long name indeed", 15)
        'a class… indeed'
    """
    whole = visible(text)
    if len(whole) <= length:
        return whole
    head = (length - 1) // 2
    return f"{whole[:head]}…{whole[head - length + 1 :]}"


def number(value: float, digits: int = 0) -> str:
    """A number with thousands separators and a real minus sign.

    Example:
        >>> number(-1234.5, 1)
        '−1,234.5'
    """
    return f"{_not_minus_zero(value, digits):,.{digits}f}".replace("-", "−")


def points(value: float) -> str:
    """A difference in percentage points, signed.

    Example:
        >>> points(1.4), points(-0.25), points(0.0)
        ('+1.4', '−0.2', '0.0')
    """
    rounded = _not_minus_zero(value, 1)
    return f"{rounded:+.1f}".replace("-", "−") if rounded else "0.0"


def _not_minus_zero(value: float, digits: int) -> float:
    return round(value, digits) + 0.0
