"""A store, a site over it, and a browser that sends forms as one without JavaScript does."""

from __future__ import annotations

import gzip
import io
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

from noisystudent.board.app import create_app
from noisystudent.board.catalogue.change import Change, Result
from noisystudent.board.catalogue.store import Store
from noisystudent.board.exporting import export
from noisystudent.board.importing import import_file
from noisystudent.board.submitting import tokens
from noisystudent.board.web.site import Limits, Site

GENEROUS = Limits(reads=10**6, searches=10**6, writes=10**6, failures=10**6)
ROWS = {"EfficientNet": "85.0%", "NoisyStudent": "88.4%", "ResNet": "76.1%"}


@dataclass
class Form:
    """A form of a page: where it goes, and the fields in their order, with what stands in them."""

    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)


class Page(HTMLParser):
    """A page as a browser reads it: its elements, its forms and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.forms: list[Form] = []
        self.text = ""
        self._select = self._textarea = None
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.elements.append((tag, found))
        if tag == "form":
            self.forms.append(Form(found.get("action", ""), found.get("method", "get")))
        elif tag == "input" and self.forms and "name" in found:
            self.forms[-1].fields.append((found["name"], found.get("value", "")))
        elif tag == "textarea":
            self._textarea = found["name"]
            self.forms[-1].fields.append((found["name"], ""))
        elif tag == "select":
            self.forms[-1].fields.append((found["name"], ""))
        elif tag == "option" and "selected" in found:
            self.forms[-1].fields[-1] = (self.forms[-1].fields[-1][0], found.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            name, value = self.forms[-1].fields[-1]
            self.forms[-1].fields[-1] = (name, value.removeprefix("\n"))
            self._textarea = None

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._textarea is not None:
            name, value = self.forms[-1].fields[-1]
            self.forms[-1].fields[-1] = (name, value + data)

    def form(self, action: str) -> Form:
        """The form that is sent there; where one that only asks has the same address, it comes last."""
        return next(
            form for form in sorted(self.forms, key=lambda form: form.method != "post") if form.action == action
        )


@dataclass
class Browser:
    """Somebody at a site. `send` opens a page, fills in a form on it and sends it."""

    client: TestClient
    store: Store

    def page(self, address: str) -> Page:
        return Page(self.client.get(address).text)

    def filled(self, address: str, action: str, values: dict[str, Any]) -> list[tuple[str, str]]:
        """A form's fields, with some values; a list fills in the fields of that name one after the other."""
        left = {name: list(value) if isinstance(value, list) else [value] for name, value in values.items()}
        return [
            (name, left[name].pop(0) if left.get(name) else text)
            for name, text in self.page(address).form(action).fields
        ]

    def send(self, address: str, action: str | None = None, **values: Any) -> Any:
        action = action or address.partition("?")[0]
        return self.post(action, self.filled(address, action, values))

    def post(self, action: str, fields: list[tuple[str, str]], **more: Any) -> Any:
        data: dict[str, Any] = {}
        for name, value in fields:
            data.setdefault(name, []).append(value)
        return self.client.post(action, data=data, follow_redirects=False, **more)

    def sign_in(self, token: str) -> Any:
        return self.send("/curate", "/curate/sign-in", token=token)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "board.db", create=True)


@pytest.fixture
def imagenet(store: Store) -> Store:
    """A store with Image Classification on ImageNet: two metrics, three rows, one of them of a paper."""
    with store.changing("seed", "add") as change:
        task = change.task("Image Classification")
        board = change.leaderboard(task, change.dataset("ImageNet"))
        change.metric(board, "Top 1 Accuracy", higher_is_better=True)
        change.metric(board, "GFLOPs", higher_is_better=False)
        paper = change.paper(
            title="Self-training with Noisy Student",
            url="https://arxiv.org/abs/1911.04252",
            published="2019-11-11",
        )
        for model, value in ROWS.items():
            of_paper = paper if model == "NoisyStudent" else None
            change.add_result(Result(board, model, {"Top 1 Accuracy": value}, paper=of_paper))
    return store


@pytest.fixture
def browser_of() -> Callable[..., Browser]:
    """A browser at a site over a store; `Site`'s arguments may be given."""

    def make(store: Store, *, base_url: str = "http://testserver", **arguments: Any) -> Browser:
        site = Site(store.path, **{"limits": GENEROUS, **arguments})
        return Browser(TestClient(create_app(site), base_url=base_url, raise_server_exceptions=False), store)

    return make


@pytest.fixture
def browser(store: Store, browser_of: Callable[..., Browser]) -> Browser:
    return browser_of(store)


@pytest.fixture
def curator(browser: Browser) -> Browser:
    """The browser, signed in as the curator `carla`."""
    assert browser.sign_in(tokens.make(browser.store, "carla", ["curate"])).status_code == 303
    return browser


@pytest.fixture
def catalogue_files() -> Path:
    """The folder with real files of a catalogue; without it, the test is skipped."""
    if "NOISYSTUDENT_DATA" not in os.environ:
        pytest.skip("NOISYSTUDENT_DATA is not set")
    return Path(os.environ["NOISYSTUDENT_DATA"]) / "catalogue"


@pytest.fixture
def cases() -> Path:
    """The folder with small files that failed once, beside the real ones; without it, the test is skipped."""
    folder = Path(os.environ.get("NOISYSTUDENT_DATA", "")).parent / "cases" / "board"
    if "NOISYSTUDENT_DATA" not in os.environ or not folder.is_dir():
        pytest.skip("NOISYSTUDENT_DATA is not set, or has no cases beside it")
    return folder


@pytest.fixture(scope="session")
def exported() -> Callable[..., bytes]:
    """What a store is in a format, as bytes."""

    def run(store: Store, format: str, of: int | None = None) -> bytes:
        stream = io.BytesIO()
        with store.reading() as connection:
            export(connection, format, stream, of=of)
        return stream.getvalue()

    return run


@pytest.fixture
def import_objects(store: Store, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Write objects to a file of a kind (by its ending) and import it; gives the report."""

    def run(objects: list[dict[str, Any]], *, into: Store = store, name: str = "dump.json") -> dict[str, Any]:
        path = tmp_path / name
        if name.endswith(".parquet"):
            pq.write_table(pa.Table.from_pylist(objects), path)
        elif name.endswith(".gz"):
            path.write_bytes(gzip.compress(json.dumps(objects).encode()))
        else:
            path.write_text(json.dumps(objects), encoding="utf-8")
        return import_file(into, path, actor="anna")

    return run


@pytest.fixture
def client(browser: Browser) -> TestClient:
    return browser.client


@pytest.fixture
def add_results(store: Store) -> Callable[..., list[int]]:
    """Add rows to a leaderboard of the store: each a model, its values by metric, and what else a result has; `published` makes a paper."""

    def add(
        *rows: dict[str, Any],
        task: str = "Image Classification",
        dataset: str = "ImageNet",
        area: str = "",
        **options: Any,
    ) -> list[int]:
        with store.changing(options.get("actor", "anna"), "add", options.get("note", "")) as change:
            number = change.task(task)
            if area:
                change.connection.execute(
                    "INSERT OR IGNORE INTO task_area (task_id, area_id) VALUES (?, ?)", (number, change.area(area))
                )
            board = change.leaderboard(number, change.dataset(dataset))
            for metric, higher in options.get("metrics", {"Accuracy": True}).items():
                change.metric(board, metric, higher_is_better=higher)
            made = []
            for row in rows:
                about = {
                    key: value for key, value in row.items() if key not in ("published", "parameters", "multiply_adds")
                }
                if "published" in row:
                    about["paper"] = change.paper(
                        title=f"Paper of {row['model']}",
                        url=f"https://x.org/{row['model']}",
                        published=row["published"],
                    )
                made.append(change.add_result(Result(board, **about)))
                costs = {key: row[key] for key in ("parameters", "multiply_adds") if key in row}
                if costs:
                    change.edit("model", change.model(row["model"], about.get("paper")), **costs)
        return made

    return add


def _named(change: Change, table: str, name: str, **columns: Any) -> int:
    """The row of that name, made where there is none."""
    row = change.connection.execute(f"SELECT id FROM {table} WHERE name = ?", (name,)).fetchone()
    return int(row["id"]) if row else change.insert(table, slug=change.free_slug(table, name), name=name, **columns)


@pytest.fixture
def add_paper(store: Store) -> Callable[..., int]:
    """Add a paper to the store with what hangs on it: names of `authors`, `tasks`, `methods`, of datasets that it `used` or `introduced`,
    addresses of `code` with what each is, of a `layer` and a `venue`; what else is given goes into its row."""

    def add(title: str, **about: Any) -> int:
        hanging = {kind: about.pop(kind, ()) for kind in ("authors", "tasks", "methods", "used", "introduced")}
        layer, venue, code = about.pop("layer", ""), about.pop("venue", ""), about.pop("code", {})
        with store.changing("anna", "add a paper") as change:
            if layer:
                change.layer(layer, licence="CC-BY-SA 4.0", url="https://archive.example/")
            if venue:
                number = _named(change, "venue", venue)
                about["proceeding_id"] = _named(
                    change, "proceeding", f"{venue} 2020 6", venue_id=number, year=2020, month=6
                )
            slug = about.pop("slug", None) or change.free_slug("paper", title)
            paper = change.insert("paper", slug=slug, title=title, source_id=change.source, **about)
            for place, name in enumerate(hanging["authors"]):
                change.insert("paper_author", paper_id=paper, position=place, author_id=change.author(name))
            for name in hanging["tasks"]:
                task = change.task(name)
                change.insert("paper_task", paper_id=paper, task_id=task, published=about.get("published"))
            for name in hanging["methods"]:
                change.insert("paper_method", paper_id=paper, method_id=_named(change, "method", name))
            for role in ("used", "introduced"):
                for name in hanging[role]:
                    change.insert("paper_dataset", paper_id=paper, dataset_id=change.dataset(name), role=role)
            for url, columns in code.items():
                repository = change.repository(url)
                change.edit("repository", repository, stars=columns.get("stars"))
                columns = {key: value for key, value in columns.items() if key != "stars"}
                change.insert("paper_repository", paper_id=paper, repository_id=repository, **columns)
        return paper

    return add


@pytest.fixture
def noisy_student(imagenet: Store, add_paper: Callable[..., int]) -> Store:
    """`imagenet`, its paper with everything that a paper's page shows, and two papers that share tasks with it."""
    with imagenet.changing("anna", "make room") as change:
        change.edit("paper", 1, slug="old-one", title="Another one", arxiv_id=None, url_abs=None)
    paper = add_paper(
        "Self-training with Noisy Student improves ImageNet classification",
        slug="self-training-with-noisy-student-improves",
        abstract="A *teacher* labels pictures; a larger student learns from them.",
        arxiv_id="1911.04252",
        url_abs="https://arxiv.org/abs/1911.04252",
        url_pdf="https://arxiv.org/pdf/1911.04252.pdf",
        published="2019-11-11",
        venue="CVPR",
        layer="PWC Archive",
        authors=["Qizhe Xie", "Minh-Thang Luong", "Eduard Hovy", "Quoc V. Le"],
        tasks=["Image Classification", "Data Augmentation", "General Classification"],
        methods=["RandAugment", "Stochastic Depth"],
        used=["ImageNet"],
        introduced=["JFT with labels"],
        code={
            "https://github.com/google-research/noisystudent": {
                "is_official": 1,
                "mentioned_in_paper": 1,
                "framework": "tf",
            },
            "https://github.com/somebody/noisy": {"framework": "pytorch", "stars": 1234, "mentioned_in_github": 1},
        },
    )
    add_paper("One task in common", published="2025-07-18", tasks=["Image Classification"], authors=["Qizhe Xie"])
    add_paper("Two tasks in common", published="2021-01-01", tasks=["Image Classification", "Data Augmentation"])
    add_paper("From the future", published="2222-02-22", tasks=["Image Classification"], authors=["Qizhe Xie"])
    with imagenet.changing("anna", "claim") as change:
        board = change.leaderboard(change.task("Image Classification"), change.dataset("ImageNet"))
        claim = change.add_result(
            Result(
                board, "NoisyStudent (EfficientNet-L2)", {"Top 1 Accuracy": "88.5%", "GFLOPs": "about 500"}, paper=paper
            )
        )
        run = change.add_result(
            Result(board, "NoisyStudent (EfficientNet-L2)", {"Top 1 Accuracy": "88.3%"}, paper=paper, kind="run")
        )
        change.connection.execute(
            "INSERT INTO run (result_id, claim_id, command, images) VALUES (?, ?, 'noisystudent evaluate', 50000)",
            (run, claim),
        )
    return imagenet
