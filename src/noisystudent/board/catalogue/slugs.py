"""Addresses as Papers with Code made them: `Image Classification` on `CIFAR-10` is `image-classification-on-cifar-10`."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from urllib.parse import urlsplit


def slugify(name: str) -> str:
    """The part of an address that stands for a name; never empty, at most 200 characters of a-z, 0-9, - and _.

    As the old site did it (Django's rule): accents are dropped, what is neither letter nor digit is left out, runs of blanks and dashes
    become one dash. A name of which nothing is left gets eight digits of its hash.

    Example:
        >>> slugify("SQuAD1.1"), slugify("Atari 2600 Ms. Pac-Man")
        ('squad11', 'atari-2600-ms-pac-man')
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii").lower()
    slug = re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", plain)).strip("-_")[:200].strip("-_")
    return slug or hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def slug_of_address(url: str | None, kind: str) -> str | None:
    """The slug in an address of the old site, of any host: of kind "paper", what follows `/paper/`.

    Example:
        >>> slug_of_address("https://paperswithcode.com/paper/self-training?from=x", "paper")
        'self-training'
    """
    try:
        parts = [part for part in urlsplit(url or "").path.split("/") if part]
    except ValueError:  # "http://["
        return None
    return parts[1] if len(parts) >= 2 and parts[0] == kind else None


ARXIV = re.compile(r"(?:arxiv\.org/(?:abs|pdf)/|arxiv:)((?:[a-z.-]+/\d{7})|(?:\d{4}\.\d{4,5}))(v\d+)?", re.IGNORECASE)


def arxiv_month(number: str) -> str | None:
    """The month in which a paper of that arXiv number appeared; None where the number does not say it.

    Example:
        >>> arxiv_month("1911.04252"), arxiv_month("cs/0112017"), arxiv_month("1999.12345")
        ('2019-11', '2001-12', None)
    """
    digits = number.rpartition("/")[2][:4]
    if not digits.isdigit() or not 1 <= int(digits[2:]) <= 12:
        return None
    century = 19 if "/" in number and int(digits[:2]) >= 91 else 20  # it began in August 1991
    return f"{century}{digits[:2]}-{digits[2:]}"


def arxiv_id(text: str | None) -> str | None:
    """The arXiv number in an address, without its version.

    Example:
        >>> arxiv_id("https://arxiv.org/pdf/1911.04252v4.pdf")
        '1911.04252'
    """
    found = ARXIV.search(text or "")
    return found.group(1).lower() if found else None
