"""Is a run measured as its claim was: on that data set, with its classes and its images? Only then does a verdict say anything."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from importlib.resources import files
from typing import Any, Literal, NamedTuple, get_args

from noisystudent.board.catalogue.names import alike

Kind = Literal["exact", "partial", "proxy"]
KINDS: tuple[Kind, ...] = get_args(Kind)
SAID: dict[Kind, str] = {
    "exact": "measured as the claim was, says who submitted it",
    "partial": "on a part of the claim's images, says who submitted it",
    "proxy": "on other images that stand for the claim's, says who submitted it",
}
_SETS: list[dict[str, Any]] = tomllib.loads(
    (files("noisystudent.board.queries") / "test_sets.toml").read_text(encoding="utf-8")
)["set"]
_PART = re.compile(r" - |[,(]")


class Protocol(NamedTuple):
    """How a run was measured, beside its claim; `kind` is None where the two are not comparable, `basis` says why."""

    kind: Kind | None
    basis: str


def protocol_of(
    dataset: str,
    *,
    images: int | None,
    classes: int | None = None,
    said: Kind | None = None,
    is_cost: bool = False,
) -> Protocol:
    """How a run on a leaderboard was measured, beside what papers claim there.

    Args:
        dataset: its name; of a data set with few labels, such as "CIFAR-10, 4000 Labels", that of the whole is looked up.
        images: how many it was measured on; None where it does not say.
        classes: among how many; None where it does not say.
        said: what the operator says, who knows better than any table.
        is_cost: the metric is a count of the network, which needs no images.

    Example:
        >>> protocol_of("ImageNet", images=50_000, classes=1000)
        Protocol(kind='exact', basis='50,000 images, 1,000 classes')
        >>> protocol_of("ImageNet", images=360, classes=10)
        Protocol(kind=None, basis='measured among 10 classes; a claim on ImageNet is among 1,000')
        >>> protocol_of("Our photos", images=360).basis
        'nobody has said how a claim on Our photos was measured: submit it with --protocol'
    """
    if said is not None:
        return Protocol(said, SAID[said])
    known = _known(dataset)
    if known is None:
        return Protocol(None, f"nobody has said how a claim on {dataset} was measured: submit it with --protocol")
    if classes is not None and classes not in known["classes"]:
        wanted = _or(known["classes"])
        return Protocol(None, f"measured among {classes:,} classes; a claim on {dataset} is among {wanted}")
    if is_cost:
        return Protocol("exact", "a count of the network")
    wanted = f"a claim on {dataset} is on {_or(known['images'])}, {known['what']}"
    if images is None:
        return Protocol(None, f"the run does not say on how many images it was measured; {wanted}")
    if images in known["images"]:
        among = f"{images:,} images, {classes:,} classes" if classes else f"{images:,} images"
        return Protocol("exact", among)
    if images > min(known["images"]):
        return Protocol(None, f"measured on {images:,} images; {wanted}")
    if classes is None:
        return Protocol(None, f"measured on {images:,} images, nobody knows among how many classes; {wanted}")
    return Protocol("partial", f"on {images:,} images; {wanted}")


def test_set_of(dataset: str) -> dict[str, Any] | None:
    """What claims on a data set are measured on, where the table has it: `images`, `classes`, `what` and the `source` of it.

    Example:
        >>> test_set_of("ImageNet-1K")["images"], test_set_of("Our photos")
        (50000, None)
    """
    known = _known(dataset)
    if known is None:
        return None
    return {
        "images": known["images"][0],
        "classes": known["classes"][0],
        "what": known["what"],
        "source": known["source"],
    }


def _known(dataset: str) -> dict[str, Any] | None:
    whole, *more = _PART.split(dataset, maxsplit=1)
    few_labels = bool(more) and more[0].lstrip()[:1].isdigit() and "label" in more[0].casefold()
    whole = whole if few_labels else dataset
    return next((one for one in _SETS if any(alike(name, whole) for name in one["names"])), None)


def _or(numbers: Sequence[int]) -> str:
    return " or ".join(f"{number:,}" for number in numbers)
