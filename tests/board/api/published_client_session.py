"""What `paperswithcode-client` does in one session; run by `test_published_client.py` in a process of its own, with the client's old
dependencies in front of ours. Arguments: the server's address and a token. Every public method of the client is called."""

import json
import sys
from collections.abc import Callable
from typing import Any
from urllib.request import urlopen

from paperswithcode import PapersWithCodeClient
from paperswithcode.models import (
    DatasetCreateRequest,
    DatasetUpdateRequest,
    EvaluationTableCreateRequest,
    EvaluationTableSyncRequest,
    EvaluationTableUpdateRequest,
    MetricCreateRequest,
    MetricSyncRequest,
    MetricUpdateRequest,
    ResultCreateRequest,
    ResultSyncRequest,
    ResultUpdateRequest,
    TaskCreateRequest,
    TaskUpdateRequest,
)
from tea_client.errors import HttpClientError

NOISY, TABLE = "self-training-with-noisy-student", "image-classification-on-imagenet"
METHODS = {name for name, value in vars(PapersWithCodeClient).items() if not name.startswith("_") and callable(value)}


class Noted:
    """The client, and which of its methods were called."""

    def __init__(self, client: PapersWithCodeClient) -> None:
        self.client = client
        self.called: set[str] = set()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        self.called.add(name)
        return getattr(self.client, name)


def ids(page: Any) -> list[str]:
    return [item.id for item in page.results]


def status(call: Callable[..., Any], *arguments: Any) -> int:
    """With what status a call is refused."""
    try:
        call(*arguments)
    except HttpClientError as error:
        return int(error.status_code)
    return 200


def read_papers(client: Noted) -> None:
    first = client.paper_list(items_per_page=2)
    assert (first.count, first.next_page, first.previous_page, len(first.results)) == (3, 2, None, 2)
    second = client.paper_list(page=first.next_page, items_per_page=2)
    assert (second.next_page, second.previous_page, len(second.results)) == (None, 1, 1)
    assert ids(client.paper_list(q="teacher")) == [NOISY]
    assert ids(client.paper_list(arxiv_id="1911.04252", title="noisy", abstract="labels")) == [NOISY]
    paper = client.paper_get(NOISY)
    assert (paper.title, paper.published.isoformat()) == ("Self-training with Noisy Student", "2019-11-11")
    assert (paper.authors, paper.conference, paper.proceeding) == (["Qizhe Xie", "Quoc V. Le"], "cvpr", "cvpr-2020-6")
    assert status(client.paper_get, "nothing") == 404
    found = client.search(q="teacher").results
    assert [(item.paper.id, item.repository.framework, item.is_official) for item in found] == [(NOISY, "tf", True)]
    assert ids(client.paper_dataset_list(NOISY)) == ["imagenet"]
    assert [code.is_official for code in client.paper_repository_list(NOISY).results] == [True, False]
    assert ids(client.paper_task_list(NOISY)) == ["image-classification"]
    assert ids(client.paper_method_list(NOISY)) == ["noisy-student"]
    assert [row.methodology for row in client.paper_result_list(NOISY).results] == ["NoisyStudent", "NoisyStudent (B0)"]


def read_the_rest(client: Noted) -> None:
    assert [code.name for code in client.repository_list(q="100%", owner="somebody", stars=1).results] == ["noisy"]
    assert [code.owner for code in client.repository_list(name="noisystudent", framework="tf").results] == [
        "google-research"
    ]
    assert client.repository_owner_list("somebody").count == 1
    assert client.repository_get("somebody", "noisy").stars == 100
    assert ids(client.repository_paper_list("somebody", "noisy")) == [NOISY]
    assert ids(client.author_list(q="xie", full_name="Qizhe")) == ["qizhe-xie"]
    assert client.author_get("qizhe-xie").full_name == "Qizhe Xie"
    assert client.author_paper_list("qizhe-xie", items_per_page=1).count == 3
    assert ids(client.conference_list(q="cvpr", name="cv")) == ["cvpr"]
    assert client.conference_get("cvpr").name == "CVPR"
    assert ids(client.proceeding_list("cvpr")) == ["cvpr-2020-6"]
    assert client.proceeding_get("cvpr", "cvpr-2020-6").year == 2020
    assert ids(client.proceeding_paper_list("cvpr", "cvpr-2020-6")) == [NOISY]
    assert ids(client.area_list(q="vision", name="computer")) == ["computer-vision"]
    assert client.area_get("computer-vision").name == "Computer Vision"
    assert ids(client.area_task_list("computer-vision")) == ["image-classification"]
    assert ids(client.task_list(q="fine-grained", name="image")) == ["fine-grained-image-classification"]
    assert client.task_get("vision").name == "Vision"
    assert ids(client.task_parent_list("image-classification")) == ["vision"]
    assert ids(client.task_child_list("image-classification")) == ["fine-grained-image-classification"]
    assert client.task_paper_list("image-classification").count == 3
    assert ids(client.task_evaluation_list("image-classification")) == [TABLE]
    assert ids(client.dataset_list(q="large scale", name="imagenet", full_name="large")) == ["imagenet"]
    assert client.dataset_get("imagenet").url == "https://image-net.org/"
    assert TABLE in ids(client.dataset_evaluation_list("imagenet"))
    assert ids(client.method_list(q="noisy", name="student", full_name="training")) == ["noisy-student"]
    assert client.method_get("noisy-student").paper == NOISY


def read_tables(client: Noted) -> None:
    assert TABLE in ids(client.evaluation_list())
    assert client.evaluation_get(TABLE).dataset == "imagenet"
    metrics = {metric.name: metric for metric in client.evaluation_metric_list(TABLE).results}
    assert [metrics[name].is_loss for name in ("Top 1 Accuracy", "GFLOPs", "Vibes")] == [False, True, False]
    assert client.evaluation_metric_get(TABLE, metrics["GFLOPs"].id).name == "GFLOPs"
    best = client.evaluation_result_list(TABLE).results[0]
    assert (best.methodology, best.best_rank, best.metrics["Top 1 Accuracy"]) == ("NoisyStudent", 1, "88.4%")
    assert client.evaluation_result_get(TABLE, best.id) == best


def write(client: Noted) -> None:
    """As the client's own documentation does it."""
    task = client.task_add(TaskCreateRequest(name="Mirroring", area="computer-vision", parent_task="vision"))
    assert client.task_update(task.id, TaskUpdateRequest(description="new")).description == "new"
    assert status(client.task_add, TaskCreateRequest(name="Mirroring")) == 409
    first = client.dataset_add(DatasetCreateRequest(name="VeryTinyImageNet"))
    second = client.dataset_add(DatasetCreateRequest(name="Other", url="https://other.example/"))
    assert (
        client.dataset_update(first.id, DatasetUpdateRequest(url="https://tiny.example/")).url
        == "https://tiny.example/"
    )
    table = client.evaluation_create(EvaluationTableCreateRequest(task=task.id, dataset=second.id))
    table = client.evaluation_update(table.id, EvaluationTableUpdateRequest(dataset=first.id))
    assert (table.id, table.dataset) == ("mirroring-on-other", "verytinyimagenet")
    metric = client.evaluation_metric_add(table.id, MetricCreateRequest(name="odd", description="d", is_loss=True))
    spare = client.evaluation_metric_add(table.id, MetricCreateRequest(name="spare", description="", is_loss=True))
    assert metric.is_loss
    metric = client.evaluation_metric_update(table.id, metric.id, MetricUpdateRequest(is_loss=False))
    assert (metric.name, metric.description, metric.is_loss) == ("odd", "d", False)
    client.evaluation_metric_delete(table.id, spare.id)
    assert client.evaluation_metric_list(table.id).count == 1
    result = client.evaluation_result_add(
        table.id, ResultCreateRequest(metrics={"odd": "44"}, methodology="Some model", paper=NOISY)
    )
    assert (result.metrics, result.paper, result.best_metric, result.best_rank) == ({"odd": "44"}, NOISY, "odd", 1)
    changed = client.evaluation_result_update(
        table.id, result.id, ResultUpdateRequest(methodology="Some other model", uses_additional_data=True)
    )
    assert (changed.methodology, changed.uses_additional_data, changed.metrics) == (
        "Some other model",
        True,
        {"odd": "44"},
    )
    assert client.evaluation_result_get(table.id, result.id) == changed
    client.evaluation_result_delete(table.id, result.id)
    assert client.evaluation_result_list(table.id).results == []
    assert status(client.evaluation_result_get, table.id, changed.id) == 404
    empty = client.evaluation_create(EvaluationTableCreateRequest(task=task.id, dataset="cifar-10"))
    client.evaluation_delete(empty.id)
    assert status(client.evaluation_get, empty.id) == 404
    assert status(client.task_delete, task.id) == 409
    client.task_delete(client.task_add(TaskCreateRequest(name="Short-lived")).id)
    client.dataset_delete(second.id)
    assert status(client.dataset_get, second.id) == 404


def synchronize(client: Noted) -> None:
    """As the client's README does it."""
    request = EvaluationTableSyncRequest(
        task="Image Classification",
        dataset="VeryTinyImageNet",
        description="A challenge.",
        metrics=[MetricSyncRequest(name=f"Top {top} Accuracy", is_loss=False) for top in (1, 5)],
        results=[
            ResultSyncRequest(
                metrics={"Top 1 Accuracy": "85", "Top 5 Accuracy": "95"},
                paper="",
                methodology="My Unpublished Model Name",
                external_id="competition-submission-id-4321",
                evaluated_on="2020-11-20",
                external_source_url="https://my.competition.com/leaderboard/entry1",
            ),
            ResultSyncRequest(
                metrics={"Top 1 Accuracy": 75.5, "Top 5 Accuracy": 81},
                paper="https://arxiv.org/abs/1911.04252",
                methodology="Baseline",
                external_id="competition-submission-id-1123",
                evaluated_on="2020-09-20",
            ),
        ],
    )
    table = client.evaluation_synchronize(request)
    assert table.id == "image-classification-on-verytinyimagenet"
    assert [metric.is_loss for metric in table.metrics] == [False, False]
    assert [row.paper for row in table.results] == [None, NOISY]
    assert client.evaluation_synchronize(request) == table
    rows = client.evaluation_result_list(table.id).results
    assert [(row.methodology, row.best_rank) for row in rows] == [("My Unpublished Model Name", 1), ("Baseline", 2)]
    assert rows[0].external_source_url == "https://my.competition.com/leaderboard/entry1"
    assert rows[0].evaluated_on == "2020-11-20"


def main() -> None:
    url, token = sys.argv[1:]
    client = Noted(PapersWithCodeClient(url=url, token=token))
    for part in (read_papers, read_the_rest, read_tables, write, synchronize):
        part(client)
    assert status(PapersWithCodeClient(url=url).task_delete, "vision") == 401
    assert client.called == METHODS, METHODS - client.called
    with urlopen(f"{url}/api/v1/openapi.json") as answer:
        paths = json.load(answer)["paths"].values()
    ours = {operation["operationId"] for path in paths for operation in path.values()}
    assert set(ours) >= METHODS
    print(f"{len(METHODS)} methods")  # noqa: T201


if __name__ == "__main__":
    main()
