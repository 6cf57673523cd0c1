"""Objects of the archive's four dumps beside its tables that nobody would write, for properties that hold of all of them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

SITE = "https://paperswithcode.com"
DUMPS = ("methods", "papers-with-abstracts", "datasets", "links-between-papers-and-code")


def some(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


def named_by_its_address(method: dict[str, Any]) -> dict[str, Any]:
    """Papers know methods by their names alone, so that no two may have the same."""
    word = method.pop("word")
    return {"url": f"{SITE}/method/{word}", "name": f"M. {word}", **method}


TEXT = st.text(max_size=12)
NAME = TEXT.filter(lambda text: text.strip(" \t\r\n\x0b\x0c\x85").strip() != "")
WORD = st.text("abcde-1", min_size=1, max_size=4)
DATE = some(st.sampled_from(["1951-01-01", "2019-11-11", "2222-12-22", "2020", "no date"]))
URL = some(st.builds("https://example.org/{}".format, WORD) | st.sampled_from(["", "javascript:x", "http://["]))
PAPER_URL = st.builds(f"{SITE}/paper/{{}}".format, WORD)
TASK = st.sampled_from(["Parsing", "parsing", "Image  Classification", "翻訳", "Parsing!"])
METHOD_NAME = WORD.map("M. {}".format)
EMBEDDED = st.fixed_dictionaries(
    {"name": METHOD_NAME},
    optional={"description": some(TEXT), "introduced_year": some(st.integers(1950, 2030)), "source_url": URL},
)
PAPERS = st.fixed_dictionaries(
    {"paper_url": PAPER_URL, "title": some(TEXT), "abstract": some(TEXT), "authors": some(st.lists(NAME, max_size=4))},
    optional={
        "arxiv_id": some(st.sampled_from(["1911.04252", "1911.04252v2", "cs/9901001", "odd"])),
        "url_abs": URL,
        "tasks": some(st.lists(TASK, max_size=3)),
        "date": DATE,
        "proceeding": some(st.sampled_from(["NeurIPS 2018 12", "ACL 2020", "Odd"])),
        "short_abstract": some(TEXT),
        "reproduces_paper": some(TEXT),
        "methods": some(st.lists(EMBEDDED, max_size=3)),
    },
)
COLLECTION = st.fixed_dictionaries({"collection": NAME, "area": some(TEXT), "area_id": some(WORD)})
METHODS = st.fixed_dictionaries(
    {"word": WORD, "collections": st.lists(COLLECTION, max_size=2)},
    optional={
        "description": some(TEXT),
        "num_papers": some(st.integers(0, 9)),
        "paper": some(st.fixed_dictionaries({"title": some(TEXT), "url": PAPER_URL})),
    },
).map(named_by_its_address)
DATASETS = st.fixed_dictionaries(
    {"url": st.builds(f"{SITE}/dataset/{{}}".format, WORD), "name": NAME, "homepage": URL},
    optional={
        "tasks": st.lists(st.fixed_dictionaries({"task": TASK}), max_size=2),
        "variants": some(st.lists(TEXT, max_size=3)),
        "introduced_date": DATE,
        "warning": some(TEXT),
        "license_name": some(TEXT),
        "data_loaders": st.lists(
            st.fixed_dictionaries({"url": URL, "frameworks": st.lists(TEXT, max_size=2)}), max_size=2
        ),
    },
)
LINKS = st.fixed_dictionaries(
    {"paper_url": PAPER_URL, "repo_url": st.builds("https://github.com/o/{}".format, WORD)},
    optional={
        "is_official": st.booleans(),
        "framework": some(st.sampled_from(["tf", "none"])),
        "paper_title": some(TEXT),
    },
)
FILES = {
    "methods": METHODS,
    "papers-with-abstracts": PAPERS,
    "datasets": DATASETS,
    "links-between-papers-and-code": LINKS,
}
FILE = st.sampled_from(DUMPS).flatmap(lambda dump: st.lists(FILES[dump], min_size=1, max_size=4))
