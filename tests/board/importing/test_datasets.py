"""The datasets dump."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from noisystudent.board.catalogue.store import Store

SITE = "https://paperswithcode.com"
DATASET: dict[str, Any] = {
    "url": f"{SITE}/dataset/imagenet",
    "name": "ImageNet",
    "full_name": "ImageNet Large Scale",
    "homepage": "https://www.image-net.org",
    "description": "Photos of a **thousand** classes.",
    "short_description": "Photos.",
    "parent_dataset": None,
    "image": "https://example.org/imagenet.png",
    "paper": {"title": "ImageNet: a database", "url": f"{SITE}/paper/imagenet"},
    "introduced_date": "2009-06-20",
    "warning": None,
    "modalities": ["Images"],
    "tasks": [
        {"task": "Image Classification", "url": f"{SITE}/task/image-classification"},
        {"task": "Object Recognition", "url": f"{SITE}/task/object-recognition"},
    ],
    "languages": [],
    "variants": ["ImageNet", "ImageNet - 1% labeled data"],
    "num_papers": 14_000,
    "data_loaders": [
        {"url": "https://example.org/loader", "repo": "https://github.com/a/b", "frameworks": ["pytorch"]}
    ],
}


def rows(store: Store, query: str) -> list[tuple[Any, ...]]:
    with store.reading() as connection:
        return [tuple(row) for row in connection.execute(query)]


def test_everything_that_the_dump_says_of_a_dataset_is_kept(
    store: Store, import_objects: Callable[..., dict[str, Any]]
) -> None:
    report = import_objects([DATASET])

    assert report["format"] == "datasets"
    assert report["lost"] == {}
    with store.reading() as connection:
        row = dict(connection.execute("SELECT * FROM dataset").fetchone())
    assert (row["slug"], row["homepage"], row["introduced_date"]) == ("imagenet", DATASET["homepage"], "2009-06-20")
    assert {key: json.loads(row[key]) for key in ("modalities", "languages", "variants", "data_loaders")} == {
        key: DATASET[key] for key in ("modalities", "languages", "variants", "data_loaders")
    }
    assert rows(store, "SELECT t.name FROM dataset_task x JOIN task t ON t.id = x.task_id ORDER BY 1") == [
        ("Image Classification",),
        ("Object Recognition",),
    ]
    assert rows(store, "SELECT p.slug, x.role FROM paper_dataset x JOIN paper p ON p.id = x.paper_id") == [
        ("imagenet", "introduced")
    ]


def test_the_same_file_again_adds_nothing(store: Store, import_objects: Callable[..., dict[str, Any]]) -> None:
    datasets = [DATASET, {**dict.fromkeys(DATASET), "url": f"{SITE}/dataset/bare", "name": "Bare"}]
    import_objects(datasets)
    tables = ("dataset", "task", "dataset_task", "paper", "paper_dataset", "alias")
    before = [rows(store, f"SELECT * FROM {table}") for table in tables]

    report = import_objects(datasets)

    assert report["already there"] == {"dataset": 2}
    assert [rows(store, f"SELECT * FROM {table}") for table in tables] == before


def test_a_dataset_that_a_results_table_named_is_filled_in(
    store: Store, import_objects: Callable[..., dict[str, Any]]
) -> None:
    with store.changing("anna", "import") as change:
        whole = change.dataset("ImageNet")
        part = change.dataset("ImageNet", whole)
        change.dataset("ImageNet 10%", whole)

    import_objects([{**DATASET, "url": f"{SITE}/dataset/ilsvrc"}])

    assert rows(store, "SELECT id, slug, parent_id FROM dataset ORDER BY id") == [
        (whole, "ilsvrc", None),
        (part, "imagenet-imagenet", whole),
        (part + 1, "imagenet-imagenet-10", whole),
    ]
    assert rows(store, "SELECT kind, old, id FROM alias") == [("dataset", "imagenet", whole)]


def test_two_datasets_of_one_name_are_told_apart(store: Store, import_objects: Callable[..., dict[str, Any]]) -> None:
    datasets = [DATASET, {**DATASET, "url": f"{SITE}/dataset/imagenet-1"}]

    for _ in range(2):
        report = import_objects(datasets)
        assert rows(store, "SELECT slug, name FROM dataset ORDER BY id") == [
            ("imagenet", "ImageNet"),
            ("imagenet-1", "ImageNet (imagenet-1)"),
        ]
        assert report["lost"]["name"]["count"] == 1


def test_what_is_wrong_is_reported(store: Store, import_objects: Callable[..., dict[str, Any]]) -> None:
    report = import_objects(
        [
            {
                **DATASET,
                "homepage": "javascript:alert(1)",
                "num_papers": "many",
                "introduced_date": "long ago",
                "stars": 1,
            },
            {**DATASET, "url": None},
            {**DATASET, "name": None},
            DATASET,
        ]
    )

    assert rows(store, "SELECT homepage, num_papers, introduced_date FROM dataset") == [("", None, None)]
    assert {kind: lost["count"] for kind, lost in report["lost"].items()} == {
        "dataset": 3,
        "homepage": 1,
        "introduced_date": 1,
        "num_papers": 1,
        "unknown key": 1,
    }


def test_a_licence_is_kept_where_one_is_given(store: Store, import_objects: Callable[..., dict[str, Any]]) -> None:
    import_objects(
        [{**DATASET, "license_name": "CC BY 4.0", "license_url": "https://creativecommons.org/licenses/by/4.0"}]
    )

    assert rows(store, "SELECT licence_name, licence_url FROM dataset") == [
        ("CC BY 4.0", "https://creativecommons.org/licenses/by/4.0")
    ]


@pytest.mark.parametrize("name", ["dump.json.gz", "dump.parquet"])
def test_every_kind_of_file_gives_the_same_rows(
    name: str, store: Store, import_objects: Callable[..., dict[str, Any]], tmp_path: Any
) -> None:
    other = Store(tmp_path / "other.db", create=True)
    datasets = [DATASET, {**DATASET, "url": f"{SITE}/dataset/b", "name": "B", "paper": None, "data_loaders": []}]

    import_objects(datasets)
    import_objects(datasets, into=other, name=name)

    for table in ("dataset", "task", "dataset_task", "paper", "paper_dataset"):
        assert rows(other, f"SELECT * FROM {table}") == rows(store, f"SELECT * FROM {table}")


def test_tasks_get_the_slugs_of_their_addresses(store: Store, import_objects: Callable[..., dict[str, Any]]) -> None:
    with store.changing("anna", "import") as change:
        for name in ("Parsing Trees", "Parsing", "Image Classification"):
            change.task(name)
    tasks = [
        {"task": "Parsing", "url": f"{SITE}/task/parsing"},
        {"task": "PARSING", "url": f"{SITE}/task/parsing-1"},
        {"task": "Parsing trees", "url": f"{SITE}/task/parsing-2"},
        {"task": "Image Classification", "url": f"{SITE}/task/parsing"},
        {"task": "New", "url": None},
        {"task": "", "url": f"{SITE}/task/nothing"},
    ]

    for _ in range(2):
        import_objects([{**DATASET, "tasks": tasks}])
        assert rows(store, "SELECT name, slug FROM task ORDER BY name") == [
            ("Image Classification", "image-classification"),
            ("New", "new"),
            ("Parsing", "parsing"),
            ("Parsing Trees", "parsing-2"),
        ]
    assert json.loads(rows(store, "SELECT detail FROM event ORDER BY id DESC LIMIT 1")[0][0])["changed"] == []
