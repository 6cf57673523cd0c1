"""Evaluation tables that nobody would write, for properties that hold of all of them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

NAMES = st.sampled_from(["A", "B", "é 中", " A", "a\u2028b", "\x00x\x1f", "<b>", "İ", "=1+1", "A  B"]) | st.text(
    max_size=8
)
TEXTS = st.none() | st.text(max_size=20)
RAW = (
    st.sampled_from(["88.4%", "95.2 ± 0.3", "(7.3, 13.8) on 2% ~ 10%", "-", "", "37G", "1e400", None, [1], True])
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6)
)
DATES = st.sampled_from([None, "", "2222-12-12", "1951-01-01", "2020-13-45", "2019-11-11T00:00:00", "soon", 7])
ADDRESSES = st.sampled_from(
    [
        "",
        None,
        "https://arxiv.org/abs/1911.04252v2",
        "https://example.org/é",
        "javascript:1",
        "http://[",
        "https://paperswithcode.com/paper/a",  # which the other dumps may have
    ]
)
LINKS = st.none() | st.lists(
    st.fixed_dictionaries({"url": ADDRESSES}, optional={"title": NAMES}) | st.just("x"), max_size=2
)


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects in which any key may be missing."""
    return st.fixed_dictionaries({}, optional=fields)


ROWS = some(
    model_name=NAMES,
    paper_title=TEXTS,
    paper_url=ADDRESSES,
    paper_date=DATES,
    code_links=LINKS,
    model_links=LINKS,
    metrics=st.dictionaries(NAMES, RAW, max_size=3),
    uses_additional_data=st.sampled_from([True, False, None, "False", "maybe"]),
    evaluated_on=DATES,
    source_url=ADDRESSES,
    locator=TEXTS,
    tags=st.none() | st.lists(NAMES, max_size=2),
)
TABLES = some(
    metrics=st.lists(NAMES, max_size=3),
    rows=st.lists(ROWS, max_size=4),
    metric_directions=st.dictionaries(NAMES, st.sampled_from(["higher", "lower", "?"]), max_size=2),
)
SLUG_LINK = st.just([{"title": "Papers with Code Leaderboard URL", "url": "https://paperswithcode.com/sota/a-on-b"}])


def datasets(key: str, deeper: int) -> st.SearchStrategy[dict[str, Any]]:
    parts = {"subdatasets": st.lists(datasets("subdataset", deeper - 1), max_size=2)} if deeper else {}
    return st.fixed_dictionaries(
        {key: NAMES},
        optional={
            "description": TEXTS,
            "dataset_links": LINKS | SLUG_LINK,
            "dataset_citations": LINKS,
            "sota": TABLES,
            **parts,
        },
    )


def tasks(deeper: int) -> st.SearchStrategy[dict[str, Any]]:
    parts = {"subtasks": st.lists(tasks(deeper - 1), max_size=2)} if deeper else {}
    return st.fixed_dictionaries(
        {"task": NAMES},
        optional={
            "description": TEXTS,
            "categories": st.lists(NAMES, max_size=2),
            "synonyms": st.lists(NAMES, max_size=2),
            "source_link": st.none() | st.fixed_dictionaries({"title": NAMES, "url": ADDRESSES}),
            "datasets": st.lists(datasets("dataset", 2), max_size=2),
            **parts,
        },
    )
