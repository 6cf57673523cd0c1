"""A synthetic archive in the five formats of Papers with Code, of any size: what is drawn depends only on the seed and the size.

Words follow Zipf's law, so that a search meets common and rare ones; authors, tasks and repositories come again as in life; tasks have
several parents; a paper of 3,310 authors and dates in 1951 and 2222 are there.
"""

from __future__ import annotations

import gzip
import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

SITE = "https://paperswithcode.com"
TEXT = (
    "the of and a to in we for is on that with by as are our this from an be which model data learning method propose results show "
    "can network based training using approach performance image neural deep state art task models new methods "
    "language large framework existing problem work"
)
COMMON = TEXT.split()
SOUNDS = "ba co di fu ga he jo ka li mo na pe qui ro su ta ve wo xi yu zen tra plo str ent ing ion er al net"
SYLLABLES = SOUNDS.split()
METRICS = (
    ("Accuracy", True),
    ("Top 1 Accuracy", True),
    ("Percentage error", False),
    ("F1", True),
    ("mAP", True),
    ("BLEU", True),
    ("FID", False),
    ("Word Error Rate (WER)", False),
    ("PSNR", True),
    ("RMSE", False),
)
AREAS = ("Computer Vision", "Natural Language Processing", "Speech", "Graphs", "Medical", "Methodology", "Time Series")
VENUES = ("NeurIPS", "ICML", "ICLR", "CVPR", "ICCV", "ACL", "EMNLP", "AAAI", "ECCV", "NAACL")
FRAMEWORKS = ("pytorch", "tf", "none", "jax", "mxnet", "torch", "caffe2", "paddle", "mindspore")


@dataclass(frozen=True)
class Size:
    """How many there are of each; the defaults are the size of the archive when the site closed."""

    papers: int = 576_000
    authors: int = 1_000_000
    links: int = 300_000
    results: int = 55_000
    top_tasks: int = 2_254
    tasks: int = 4_451
    datasets: int = 15_000
    methods: int = 8_700

    def scaled(self, scale: float) -> Size:
        return Size(**{name: max(int(count * scale), 10) for name, count in vars(self).items()})


@dataclass(frozen=True)
class Paper:
    """What other dumps say of a paper."""

    slug: str
    title: str
    arxiv_id: str | None
    date: str | None

    @property
    def url(self) -> str:
        return f"{SITE}/paper/{self.slug}"

    @property
    def url_abs(self) -> str:
        return f"https://arxiv.org/abs/{self.arxiv_id}v1" if self.arxiv_id else f"https://example.org/{self.slug}"


def zipf(count: int, exponent: float = 1.0) -> np.ndarray:
    """The shares of `count` things added up, the n-th as often as 1/n^exponent."""
    shares = 1.0 / np.arange(1, count + 1) ** exponent
    return np.cumsum(shares / shares.sum())


class Archive:
    """The five dumps as streams of objects."""

    def __init__(self, size: Size, seed: int = 0) -> None:
        self.size = size
        self.seed = seed
        draw = np.random.default_rng(seed)
        self.words = _words(draw, 60_000)
        self.of_words = zipf(len(self.words))
        self.tasks = self._names(draw, size.tasks, 2)
        self.datasets_named = self._names(draw, size.datasets, 2)
        self.methods_known = [self._method(draw, name) for name in self._names(draw, size.methods, 2)]
        self.of_tasks, self.of_methods, self.of_authors = (
            zipf(n, 0.8) for n in (size.tasks, size.methods, size.authors)
        )

    @cached_property
    def known(self) -> list[Paper]:
        """All papers, without what only their own dump says."""
        draw = np.random.default_rng([self.seed, 1])
        count = self.size.papers
        titles = self._texts(draw, draw.integers(5, 12, count), common=False)
        on_arxiv = draw.random(count) < 0.75
        months = np.sort(draw.integers(0, 12 * 25, count))
        days = draw.integers(1, 29, count)
        dated = draw.random(count) < 0.98
        found = []
        for number in range(count):
            year, month = 2001 + months[number] // 12, months[number] % 12 + 1
            found.append(
                Paper(
                    slug=f"{titles[number].lower().replace(' ', '-')[:180]}-{number}",
                    title=titles[number].capitalize(),
                    arxiv_id=f"{year % 100:02d}{month:02d}.{number % 100_000:05d}" if on_arxiv[number] else None,
                    date=f"{year}-{month:02d}-{days[number]:02d}" if dated[number] else None,
                )
            )
        found[0] = Paper(found[0].slug, found[0].title, None, "1951-01-01")
        found[-1] = Paper(found[-1].slug, found[-1].title, found[-1].arxiv_id, "2222-12-22")
        return found

    def papers(self) -> Iterator[dict[str, Any]]:
        for start in range(0, self.size.papers, 2_000):
            yield from self._some_papers(start, self.known[start : start + 2_000])

    def _some_papers(self, start: int, papers: Sequence[Paper]) -> Iterator[dict[str, Any]]:
        draw = np.random.default_rng([self.seed, 2, start])
        count = len(papers)
        abstracts = self._texts(draw, np.maximum(draw.normal(150, 40, count).astype(int), 20))
        authors = self._several(draw, count, 1 + draw.poisson(4.2, count), self.of_authors)
        tasks = self._several(draw, count, draw.poisson(1.6, count), self.of_tasks)
        methods = self._several(draw, count, draw.poisson(2.0, count) * (draw.random(count) < 0.5), self.of_methods)
        venues = draw.integers(0, 4 * len(VENUES), count)  # one paper in four has one
        if start == 0:
            authors[0] = list(range(min(3_310, self.size.authors)))
        for number, paper in enumerate(papers):
            venue = VENUES[venues[number]] if venues[number] < len(VENUES) else None
            year = int((paper.date or "2019")[:4])
            yield {
                "paper_url": paper.url,
                "arxiv_id": paper.arxiv_id,
                "nips_id": None,
                "openreview_id": None,
                "title": paper.title,
                "abstract": abstracts[number],
                "short_abstract": abstracts[number][:200] if number % 3 else None,
                "url_abs": paper.url_abs,
                "url_pdf": paper.url_abs.replace("/abs/", "/pdf/") + ".pdf",
                "proceeding": f"{venue} {year} 12" if venue else None,
                "authors": [self._author(author) for author in authors[number]],
                "tasks": [self.tasks[task] for task in dict.fromkeys(tasks[number])],
                "date": paper.date,
                "conference_url_abs": f"https://example.org/{venue}/{paper.slug}" if venue else None,
                "conference_url_pdf": None,
                "conference": f"{venue}-{year}-12".lower() if venue else None,
                "reproduces_paper": None,
                "methods": [_embedded(self.methods_known[method]) for method in dict.fromkeys(methods[number])],
            }

    def links(self) -> Iterator[dict[str, Any]]:
        draw = np.random.default_rng([self.seed, 3])
        count = self.size.links
        papers = np.sort((draw.random(count) ** 1.5 * self.size.papers).astype(int))
        repositories = draw.permutation(int(count * 1.2))[:count]
        flags = draw.random((count, 3)) < (0.4, 0.5, 0.6)
        frameworks = np.minimum(draw.geometric(0.45, count) - 1, len(FRAMEWORKS) - 1)
        for number in range(count):
            paper = self.known[papers[number]]
            repository = repositories[number] // 2 if number % 10 == 0 else repositories[number]
            yield {
                "paper_url": paper.url,
                "paper_title": paper.title,
                "paper_arxiv_id": paper.arxiv_id,
                "paper_url_abs": paper.url_abs,
                "paper_url_pdf": paper.url_abs.replace("/abs/", "/pdf/") + ".pdf",
                "repo_url": f"https://github.com/{self.words[repository % 9_000 + 60]}/{self.words[repository % 50_021]}-{repository}",
                "is_official": bool(flags[number, 0]),
                "mentioned_in_paper": bool(flags[number, 1]),
                "mentioned_in_github": bool(flags[number, 2]),
                "framework": FRAMEWORKS[frameworks[number]],
            }

    def methods(self) -> Iterator[dict[str, Any]]:
        draw = np.random.default_rng([self.seed, 4])
        for method in self.methods_known:
            paper = self.known[draw.integers(self.size.papers)]
            collection = method["main_collection"]
            yield {
                "url": f"{SITE}/method/{method['slug']}",
                **{key: method[key] for key in ("name", "full_name", "description")},
                "paper": {"title": paper.title, "url": paper.url},
                **{key: method[key] for key in ("introduced_year", "source_url", "source_title", "code_snippet_url")},
                "num_papers": int(draw.integers(0, 500)),
                "collections": [
                    {
                        "area": collection["area"],
                        "area_id": collection["area"].lower().replace(" ", "-"),
                        "collection": collection["name"],
                    }
                ],
            }

    def datasets(self) -> Iterator[dict[str, Any]]:
        draw = np.random.default_rng([self.seed, 5])
        descriptions = self._texts(draw, draw.integers(30, 90, self.size.datasets))
        for number, name in enumerate(self.datasets_named):
            paper = self.known[draw.integers(self.size.papers)]
            tasks = dict.fromkeys(np.searchsorted(self.of_tasks, draw.random(draw.integers(1, 4))).tolist())
            yield {
                "url": f"{SITE}/dataset/{name.lower().replace(' ', '-')}",
                "name": name,
                "full_name": name if number % 2 else "",
                "homepage": f"https://example.org/data/{number}",
                "description": descriptions[number],
                "short_description": descriptions[number][:100],
                "parent_dataset": None,
                "image": None,
                "paper": {"title": paper.title, "url": paper.url},
                "introduced_date": paper.date,
                "warning": None,
                "modalities": ["Images", "Texts", "Audio"][: number % 4],
                "tasks": [
                    {"task": self.tasks[t], "url": f"{SITE}/task/{self.tasks[t].lower().replace(' ', '-')}"}
                    for t in tasks
                ],
                "languages": ["English"] if number % 4 == 2 else [],
                "variants": [name, f"{name} test"],
                "num_papers": int(draw.integers(0, 1_000)),
                "data_loaders": [
                    {"url": f"https://example.org/loaders/{number}", "repo": "", "frameworks": ["pytorch"]}
                ],
            }

    def evaluation_tables(self) -> Iterator[dict[str, Any]]:
        """Top-level tasks; those that are left hang below them, some below two."""
        draw = np.random.default_rng([self.seed, 6])
        rows = iter(_table_sizes(draw, self.size.results, self.size.datasets // 2))
        sets = itertools.cycle(self.datasets_named)
        below: list[list[int]] = [[] for _ in self.tasks]
        for task in range(self.size.top_tasks, self.size.tasks):
            for parent in set(draw.integers(0, task, 1 + (task % 5 == 0)).tolist()):
                below[parent].append(task)
        written: set[int] = set()

        def node(task: int, depth: int) -> dict[str, Any]:
            first = task not in written  # the tables of a task that is there twice stand in one place
            written.add(task)
            tables = [self._table(draw, next(sets), next(rows, 0)) for _ in range(2 if first else 0)]
            return {
                "task": self.tasks[task],
                "description": f"**{self.tasks[task]}** is a task.",
                "categories": [AREAS[task % len(AREAS)]],
                "synonyms": [],
                "source_link": None,
                "subtasks": [node(child, depth + 1) for child in below[task]] if depth < 6 else [],
                "datasets": [table for table in tables if table["sota"]["rows"]],
            }

        yield from (node(task, 1) for task in range(self.size.top_tasks))

    def _table(self, draw: np.random.Generator, dataset: str, count: int) -> dict[str, Any]:
        chosen = draw.permutation(len(METRICS))[: draw.integers(1, 4)]
        metrics = [METRICS[number] for number in chosen]
        values = np.sort(draw.uniform(20, 99, (count, len(metrics))), axis=0)
        rows = []
        for number in range(count):
            paper = self.known[draw.integers(self.size.papers)]
            rows.append(
                {
                    "model_name": self._texts(draw, np.array([2]), common=False)[0].title(),
                    "paper_title": paper.title,
                    "paper_url": paper.url,
                    "paper_date": paper.date,
                    "code_links": [],
                    "model_links": [],
                    "metrics": {
                        name: f"{values[count - 1 - number if better else number, column]:.2f}{'%' if number % 7 == 0 else ''}"
                        for column, (name, better) in enumerate(metrics)
                    },
                    "uses_additional_data": bool(draw.random() < 0.1),
                }
            )
        return {
            "dataset": dataset,
            "description": "",
            "dataset_links": [],
            "dataset_citations": [],
            "subdatasets": [],
            "sota": {"metrics": [name for name, _ in metrics], "rows": rows},
        }

    def _texts(self, draw: np.random.Generator, lengths: np.ndarray, *, common: bool = True) -> list[str]:
        """A text of each length in words; without the common ones, if they are not wanted."""
        ranks = np.searchsorted(self.of_words, draw.random(lengths.sum()))
        if not common:
            ranks = (ranks + len(COMMON)) % len(self.words)
        drawn = self.words[ranks]
        ends = np.cumsum(lengths)
        return [" ".join(drawn[end - length : end]) for end, length in zip(ends, lengths, strict=True)]

    def _names(self, draw: np.random.Generator, count: int, words: int) -> list[str]:
        """So many different names."""
        names: dict[str, None] = {}
        while len(names) < count:
            names |= dict.fromkeys(text.title() for text in self._texts(draw, np.full(count, words), common=False))
        return list(names)[:count]

    def _method(self, draw: np.random.Generator, name: str) -> dict[str, Any]:
        collection = int(draw.integers(0, 300))
        return {
            "slug": name.lower().replace(" ", "-"),
            "name": name,
            "full_name": f"{name} Method",
            "description": self._texts(draw, np.array([60]))[0],
            "introduced_year": int(draw.integers(1990, 2025)),
            "source_title": self._texts(draw, np.array([8]), common=False)[0],
            "source_url": "https://arxiv.org/abs/1706.03762v5",
            "code_snippet_url": "",
            "main_collection": {
                "name": f"Collection {collection}",
                "description": "",
                "parent": None,
                "area": AREAS[collection % len(AREAS)],
            },
        }

    def _several(
        self, draw: np.random.Generator, count: int, lengths: np.ndarray, shares: np.ndarray
    ) -> list[list[int]]:
        """Of each of `count` papers, so many numbers that come as often as `shares` says."""
        drawn = np.searchsorted(shares, draw.random(lengths.sum())).tolist()
        ends = np.cumsum(lengths).tolist()
        return [drawn[end - length : end] for end, length in zip(ends, lengths.tolist(), strict=True)]

    def _author(self, number: int) -> str:
        first, last = self.words[60 + number % 3_001], self.words[60 + (number // 3_001 * 97 + number) % 59_000]
        return f"{first.capitalize()} {last.capitalize()}"


def _words(draw: np.random.Generator, count: int) -> np.ndarray:
    """Different words, the most frequent first: the common ones, then made-up ones."""
    words = dict.fromkeys(COMMON)
    while len(words) < count:
        lengths = draw.integers(2, 5, count)
        words |= dict.fromkeys("".join(SYLLABLES[s] for s in draw.integers(0, len(SYLLABLES), n)) for n in lengths)
    return np.array(list(words)[:count], dtype=object)


def _table_sizes(draw: np.random.Generator, results: int, tables: int) -> list[int]:
    """Rows of each table, few with many and many with few, that add up to `results`."""
    shares = np.diff(zipf(tables, 0.9), prepend=0.0)
    counts = np.floor(shares * results).astype(int)
    counts[draw.permutation(tables)[: results - counts.sum()]] += 1
    counts[0] += results - counts.sum()
    return draw.permutation(counts).tolist()


def _embedded(method: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in method.items() if key != "slug"}


DUMPS = {  # in the order in which they are best imported
    "methods": Archive.methods,
    "papers-with-abstracts": Archive.papers,
    "datasets": Archive.datasets,
    "evaluation-tables": Archive.evaluation_tables,
    "links-between-papers-and-code": Archive.links,
}


def write(archive: Archive, folder: Path) -> None:
    """The five files, packed."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, objects in DUMPS.items():
        with (
            open(folder / f"{name}.json.gz", "wb") as raw,
            gzip.GzipFile(fileobj=raw, mode="wb", mtime=0, filename="", compresslevel=3) as file,
        ):
            for number, item in enumerate(objects(archive)):
                file.write((b",\n" if number else b"[\n") + json.dumps(item, ensure_ascii=False).encode())
            file.write(b"\n]\n")
