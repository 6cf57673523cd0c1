"""The archive's dumps, written and read again."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_up_dumps import DUMPS, FILE, SITE

from noisystudent.board.catalogue.store import Store
from noisystudent.board.exporting.export_file import export_file
from noisystudent.board.importing import import_file
from noisystudent.errors import UserError

PAPER = {
    "paper_url": f"{SITE}/paper/noisy-student",
    "arxiv_id": "1911.04252",
    "nips_id": None,
    "openreview_id": None,
    "title": "Self-training with Noisy Student",
    "abstract": "A simple method.\n\nIt works.",
    "short_abstract": "A simple method.",
    "url_abs": "https://arxiv.org/abs/1911.04252v4",
    "url_pdf": None,
    "proceeding": "CVPR 2020 6",
    "authors": ["Zoë Ü", "Ann B", "Zoë Ü"],
    "tasks": ["Image Classification", "Parsing"],
    "date": "2019-11-11",
    "conference_url_abs": None,
    "conference_url_pdf": None,
    "conference": "cvpr-2020-6",
    "reproduces_paper": None,
    "methods": [
        {
            "name": "Adam",
            "full_name": "Adaptive Moments",
            "description": "An optimizer.",
            "introduced_year": 2014,
            "source_title": "Adam",
            "source_url": "https://arxiv.org/abs/1412.6980",
            "code_snippet_url": None,
            "main_collection": {"name": "Optimizers", "description": "", "parent": None, "area": "General"},
        }
    ],
}
LINK = {
    "paper_url": f"{SITE}/paper/noisy-student",
    "paper_title": "Self-training with Noisy Student",
    "paper_arxiv_id": "1911.04252",
    "paper_url_abs": "https://arxiv.org/abs/1911.04252v4",
    "paper_url_pdf": None,
    "repo_url": "https://github.com/google-research/noisystudent",
    "is_official": True,
    "mentioned_in_paper": False,
    "mentioned_in_github": True,
    "framework": "tf",
}
METHOD = {
    "url": f"{SITE}/method/adam",
    "name": "Adam",
    "full_name": "Adaptive Moments",
    "description": "An optimizer.",
    "paper": {"title": "Self-training with Noisy Student", "url": f"{SITE}/paper/noisy-student"},
    "introduced_year": 2014,
    "source_url": "https://arxiv.org/abs/1412.6980",
    "source_title": "Adam",
    "code_snippet_url": None,
    "num_papers": 7,
    "collections": [{"area": "General", "area_id": "general", "collection": "Optimizers"}],
}
DATASET = {
    "url": f"{SITE}/dataset/imagenet",
    "name": "ImageNet",
    "full_name": "",
    "homepage": "https://www.image-net.org",
    "description": "Photos.",
    "short_description": "",
    "parent_dataset": None,
    "image": None,
    "paper": None,
    "introduced_date": "2009-06-20",
    "warning": None,
    "modalities": ["Images"],
    "tasks": [{"task": "Image Classification", "url": f"{SITE}/task/image-classification"}],
    "languages": [],
    "variants": ["ImageNet", "ImageNet-1k"],
    "num_papers": 12,
    "data_loaders": [{"url": "https://example.org/loader", "repo": "", "frameworks": ["pytorch", "tf"]}],
}


@pytest.mark.parametrize(("format", "item"), list(zip(DUMPS, (METHOD, PAPER, DATASET, LINK), strict=True)), ids=DUMPS)
def test_a_dump_comes_out_as_it_went_in(
    format: str,
    item: dict[str, Any],
    store: Store,
    import_objects: Callable[..., dict[str, Any]],
    exported: Callable[..., bytes],
) -> None:
    report = import_objects([item])

    assert report["lost"] == {}
    text = exported(store, format).decode()
    assert json.loads(text) == [item]
    assert list(json.loads(text)[0]) == list(item)
    assert text.count("\n") == 3


def test_an_empty_catalogue_gives_empty_lists(store: Store, exported: Callable[..., bytes]) -> None:
    assert {format: exported(store, format) for format in DUMPS} == dict.fromkeys(DUMPS, b"[]\n")


def test_bytes_do_not_depend_on_the_order_of_import(
    store: Store, tmp_path: Path, import_objects: Callable[..., dict[str, Any]], exported: Callable[..., bytes]
) -> None:
    other = Store(tmp_path / "other.db", create=True)
    papers = [PAPER, {**PAPER, "paper_url": f"{SITE}/paper/a", "title": "A", "arxiv_id": None, "url_abs": None}]

    for objects in ([METHOD], papers, [DATASET], [LINK]):
        import_objects(objects)
    for objects in ([LINK], [DATASET], papers[::-1], [METHOD]):
        import_objects(objects, into=other)

    assert [exported(other, format) for format in DUMPS] == [exported(store, format) for format in DUMPS]


def test_parts_of_datasets_and_licences(
    store: Store, import_objects: Callable[..., dict[str, Any]], exported: Callable[..., bytes]
) -> None:
    with store.changing("anna", "add") as change:
        change.dataset("ImageNet part", change.dataset("ImageNet"))
    licensed = {**DATASET, "license_name": "CC BY 4.0", "license_url": None}
    import_objects([licensed])

    assert json.loads(exported(store, "datasets")) == [licensed]


def test_who_introduced_a_method_is_named_by_the_slug_that_the_paper_has_now(
    store: Store, tmp_path: Path, import_objects: Callable[..., dict[str, Any]], exported: Callable[..., bytes]
) -> None:
    introduced = {"title": "A", "url": f"{SITE}/paper/a"}
    import_objects([{**PAPER, "paper_url": f"{SITE}/paper/a", "title": "A", "abstract": "", "authors": []}])
    import_objects([{**METHOD, "paper": introduced}])
    import_objects([{**DATASET, "paper": introduced}])
    import_objects([{**PAPER, "paper_url": f"{SITE}/paper/11"}])  # the same arXiv number: the same paper

    for format in ("methods", "datasets"):
        assert json.loads(exported(store, format))[0]["paper"]["url"] == f"{SITE}/paper/11"
    other = Store(tmp_path / "other.db", create=True)
    for format in DUMPS[:3]:
        import_objects(json.loads(exported(store, format)), into=other)
    assert [exported(other, format) for format in DUMPS] == [exported(store, format) for format in DUMPS]


def test_a_packed_file_is_the_same_every_time(
    store: Store, tmp_path: Path, import_objects: Callable[..., dict[str, Any]]
) -> None:
    import_objects([PAPER])
    one, two = tmp_path / "one.json.gz", tmp_path / "two.json.gz"

    for path in (one, two):
        export_file(store, "papers-with-abstracts", path)

    assert one.read_bytes() == two.read_bytes()
    assert import_file(store, one, actor="anna")["already there"] == {"paper": 1}


@settings(max_examples=30, suppress_health_check=list(HealthCheck))
@given(files=st.lists(FILE, min_size=1, max_size=4))
def test_what_is_exported_and_imported_again_is_the_same(
    files: list[list[dict[str, Any]]], tmp_path_factory: pytest.TempPathFactory, exported: Callable[..., bytes]
) -> None:
    folder = tmp_path_factory.mktemp("round")
    store, again = (Store(folder / name, create=True) for name in ("board.db", "again.db"))
    for number, objects in enumerate(files):
        path = folder / f"{number}.json"
        path.write_text(json.dumps(objects), encoding="utf-8")
        with suppress(UserError):  # of a file in which nothing has a name nothing comes in
            import_file(store, path, actor="anna")
    first = {format: exported(store, format) for format in DUMPS}
    for format, content in first.items():
        path = folder / f"{format}.json"
        path.write_bytes(content)
        if content != b"[]\n":
            report = import_file(again, path, actor="anna")
            assert not report["lost"], (format, report["lost"])
    assert {format: exported(again, format) for format in DUMPS} == first
