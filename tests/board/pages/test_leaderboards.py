"""The pages of leaderboards: ranks, filters, the past, and what a hostile text does to them (nothing)."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest
from starlette.testclient import TestClient

from noisystudent.board.catalogue.change import Result
from noisystudent.board.catalogue.store import Store
from noisystudent.board.pages import leaderboard

BOARD = "/sota/image-classification-on-imagenet"
SCRIPT = '"><script>alert(1)</script>'
Add = Callable[..., list[int]]


def ranked(client: TestClient, query: str = "") -> list[tuple[str, int | None]]:
    return [(row["model"], row["rank"]) for row in client.get(f"{BOARD}.json{query}").json()["rows"]]


def row(model: str, value: str, **more: Any) -> dict[str, Any]:
    return {"model": model, "values": {"Accuracy": value}, **more}


def test_higher_is_better(client: TestClient, add_results: Add) -> None:
    add_results(row("a", "70"), row("b", "90"), row("c", "80"))
    assert ranked(client) == [("b", 1), ("c", 2), ("a", 3)]
    page = client.get(BOARD).text
    assert "higher is better (given by the source;" in page
    assert 'aria-sort="descending"' in page


def test_lower_is_better(client: TestClient, add_results: Add) -> None:
    add_results(row("a", "70"), row("b", "90"), row("c", "80"), metrics={"Accuracy": False})
    assert ranked(client) == [("a", 1), ("c", 2), ("b", 3)]
    assert "lower is better" in client.get(BOARD).text


def test_equal_values_share_a_rank_and_stand_by_date_with_the_undated_last(
    client: TestClient, add_results: Add
) -> None:
    add_results(
        row("undated", "90"),
        row("later", "90", published="2021-01-01"),
        row("earlier", "90", published="2020-01-01"),
        row("worse", "80", published="2019-01-01"),
    )
    assert ranked(client) == [("earlier", 1), ("later", 1), ("undated", 1), ("worse", 4)]


def test_what_a_computer_left_behind_is_not_shown(client: TestClient, add_results: Add) -> None:
    add_results(row("a", "77.28999999999999"))
    page = client.get(BOARD).text
    assert "77.29" in page
    assert "77.289" not in page
    assert client.get(f"{BOARD}.json").json()["rows"][0]["values"] == {"Accuracy": "77.28999999999999"}  # as it came


def test_without_a_direction_nothing_is_ranked_and_the_page_says_so(client: TestClient, add_results: Add) -> None:
    values = [{"model": model, "values": {"Vibes": value}} for model, value in (("a", "2"), ("b", "9"), ("c", "4"))]
    add_results(*values, metrics={"Vibes": None})
    assert ranked(client) == [("a", None), ("b", None), ("c", None)]
    page = client.get(BOARD).text
    assert "is better is not known, so nothing is ranked by it" in page
    assert "aria-sort" not in page


def test_values_in_another_unit_are_shown_as_given_but_have_no_rank(client: TestClient, add_results: Add) -> None:
    add_results(row("plain", "88.3"), row("fraction", "0.95"), row("percent", "88.4%"), row("range", "80 ~ 90"))
    assert ranked(client) == [("percent", 1), ("plain", 2), ("fraction", None), ("range", None)]
    rows = client.get(f"{BOARD}.json").json()["rows"]
    assert [row["values"]["Accuracy"] for row in rows] == ["88.4%", "88.3", "0.95", "80 ~ 90"]
    assert [row["comparable"] for row in rows] == [True, True, False, False]


def test_another_metric_ranks_in_its_own_direction(client: TestClient, add_results: Add) -> None:
    add_results(
        {"model": "big", "values": {"Accuracy": "90", "GFLOPs": "37"}},
        {"model": "small", "values": {"Accuracy": "80", "GFLOPs": "0.4"}},
        {"model": "unmeasured", "values": {"Accuracy": "85"}},
        metrics={"Accuracy": True, "GFLOPs": False},
    )
    assert ranked(client, "?metric=GFLOPs") == [("small", 1), ("big", 2), ("unmeasured", None)]
    assert client.get(f"{BOARD}?metric=GFLOPs").text.index("GFLOPs</th>") > 0
    assert client.get(f"{BOARD}?metric=Nope").status_code == 404


@pytest.mark.parametrize(
    ("query", "models"),
    [
        ("extra=with", ["with"]),
        ("extra=without", ["without"]),
        ("code=yes", ["with"]),
        ("parameters=100M", ["without"]),
        ("parameters=1B", ["with", "without"]),
        ("year_from=2021", ["with"]),
        ("year_to=2020", ["without"]),
        ("tag=CNN", ["without"]),
        ("tag=none", []),
        ("extra=&code=&parameters=&year_from=&year_to=&tag=&as_of=&metric=", ["with", "unsaid", "without"]),
    ],
)
def test_filters(client: TestClient, add_results: Add, query: str, models: list[str]) -> None:
    code = [{"title": "o/r", "url": "https://github.com/o/r"}]
    add_results(
        row("with", "90", extra_data=True, published="2021-05-01", parameters=480e6, code_links=code, tags=["ViT"]),
        row("unsaid", "85"),
        row("without", "80", extra_data=False, published="2020-05-01", parameters=66e6, tags=["CNN", "old"]),
    )
    assert [model for model, _ in ranked(client, f"?{query}")] == models
    assert client.get(f"{BOARD}?{query}").status_code == 200


def test_what_matches_a_filter_is_ranked_among_itself(client: TestClient, add_results: Add) -> None:
    add_results(row("a", "90", extra_data=True), row("b", "80", extra_data=False), row("c", "70", extra_data=False))
    assert ranked(client, "?extra=without") == [("b", 1), ("c", 2)]
    assert "2 of 3 results match, and are ranked among each other" in client.get(f"{BOARD}?extra=without").text


def test_as_of_a_day_shows_what_stood_then(client: TestClient, store: Store, add_results: Add) -> None:
    (first,) = add_results(row("a", "70"))
    with store.changing("bob", "correct") as change:
        board = change.connection.execute("SELECT id FROM leaderboard").fetchone()["id"]
        change.add_result(Result(board, "a", {"Accuracy": "75"}), supersedes=first)
    today = store.connect().execute("SELECT max(at) FROM event").fetchone()[0][:10]
    assert client.get(f"{BOARD}.json?as_of={today}").json()["rows"][0]["values"]["Accuracy"] == "75"
    assert client.get(f"{BOARD}.json?as_of=2001-01-01").json()["rows"] == []
    assert "As it stood at the end of 2001-01-01" in client.get(f"{BOARD}?as_of=2001-01-01").text


def test_rows_come_a_hundred_a_page_and_none_is_lost(client: TestClient, add_results: Add) -> None:
    numbers = add_results(*(row(f"m{number}", str(number)) for number in range(120)))
    assert [*ranked(client), *ranked(client, "?page=2")] == [(f"m{119 - place}", place + 1) for place in range(120)]
    assert f'rel="next" href="{BOARD}?page=2"' in client.get(BOARD).text
    assert client.get(f"{BOARD}?page=3").status_code == 404
    assert ("m3", 117) in ranked(client, f"?at={numbers[3]}")  # where a link to a result leads
    assert client.get(f"{BOARD}?at={2**50}").status_code == 200


def test_what_has_no_column_on_a_screen_is_named(client: TestClient, add_results: Add) -> None:
    """A column that only some screens have room for is named on the others; one that no row here fills, on none."""
    names = [f"Metric {number}" for number in range(10)]
    metrics = dict.fromkeys(["Accuracy", *names, "Empty"], True)
    add_results({"model": "a", "values": dict.fromkeys(["Accuracy", *names], "1")}, metrics=metrics)
    page = client.get(BOARD).text
    unseen = dict(re.findall(r'<p class="unseen (\w+)">Not on this screen: ([^.]+)', page))
    assert unseen["narrow"] == ", ".join([*names, "extra training data"])
    assert unseen["medium"] == ", ".join(names[2:])
    assert unseen["wide"] == ", ".join(names[6:])
    assert page.count('<th scope="col"') == 3 + 6 + 1
    assert re.search(r'<th scope="col" class="n wide">.*Metric 5', page)
    everything = client.get(f"{BOARD}?columns=all").text
    assert everything.count('<th scope="col"') == 3 + 10 + 1
    assert "Not on this screen" not in everything


def test_a_run_stands_beside_its_claim_in_the_table(client: TestClient, store: Store, add_results: Add) -> None:
    (claim,) = add_results(row("noisy", "88.4%"))
    with store.changing("anna", "measure") as change:
        board = change.connection.execute("SELECT id FROM leaderboard").fetchone()["id"]
        run = change.add_result(Result(board, "ours", {"Accuracy": "88.3%"}, kind="run"))
        change.connection.execute("INSERT INTO run (result_id, claim_id) VALUES (?, ?)", (run, claim))
    first = re.search(rf'<tr id="r{claim}".*?</tr>', client.get(BOARD).text, re.DOTALL)
    assert first
    assert f'href="#r{run}">88.3% measured</a>' in first.group()


def test_against_which_cost_the_chart_is_drawn(client: TestClient, store: Store, add_results: Add) -> None:
    add_results(*(row(name, value, published="2020-01-01") for name, value in (("a", "70"), ("b", "80"), ("c", "90"))))
    assert 'aria-label="Chart"' not in client.get(BOARD).text  # no cost is known
    with store.changing("anna", "add") as change:
        change.connection.execute("UPDATE model SET parameters = 1e6 * id")
    page = client.get(BOARD).text
    assert f'href="{BOARD}?chart=parameters"' in page
    assert "over time: 3 results" in page
    assert "against parameters: 3 results, of which 3 are on the line" in client.get(f"{BOARD}?chart=parameters").text
    assert client.get(f"{BOARD}?chart=price").status_code == 422


@pytest.mark.parametrize(
    "query",
    [
        "extra=maybe",
        "code=1",
        "parameters=many",
        "parameters=10%25",
        "year_from=20x",
        "year_to=99999999999999999999",
        "year_from=-5",
        "year_from=²",
        "as_of=yesterday",
        "as_of=2026-02-30",
        "as_of=2026-W01-1",
        "as_of=9999-12-31",
        "page=0",
        "page=-1",
        "at=none",
        "columns=some",
    ],
)
def test_wrong_queries_are_refused_with_what_is_wrong(client: TestClient, add_results: Add, query: str) -> None:
    add_results(row("a", "70"))
    answer = client.get(f"{BOARD}?{query}")
    assert answer.status_code == 422
    assert "must be" in answer.text
    assert client.get(f"{BOARD}.json?{query}").status_code == 422


@pytest.mark.parametrize(
    "query", ["?year_from=0001&year_to=9999", "?tag=' OR 1=1 --", "?as_of=9999-12-30", "?as_of=0001-01-01", "?p=x"]
)
def test_odd_queries_are_answered(client: TestClient, add_results: Add, query: str) -> None:
    add_results(row("a", "70", published="2020-01-01"))
    assert client.get(BOARD + query).status_code == 200


def test_a_verdict_says_its_protocol_its_citation_and_what_is_against_it(
    client: TestClient, store: Store, add_results: Add
) -> None:
    (claim,) = add_results(
        row("noisy", "88.4%", locator="Table 2, row 3", source_url="https://arxiv.org/abs/1911.04252")
    )
    with store.changing("lab", "submit runs") as change:
        board = change.connection.execute("SELECT leaderboard_id FROM result WHERE id = ?", (claim,)).fetchone()[0]
        for images in (50_000, 360):
            run = change.add_result(Result(board, "noisy", {"Accuracy": "80%"}, kind="run"))
            change.insert("run", result_id=run, claim_id=claim, seeds="[0, 1, 2]", images=images)
            change.insert(
                "objection", result_id=run, position=0, reason=f"{SCRIPT} {images}", source_url="javascript:x"
            )
    page = client.get(BOARD).text
    assert (
        '<span class="verdict not-reproduced">not reproduced</span> <span class="muted">(protocol: exact)</span>'
        in page
    )
    assert 'href="https://arxiv.org/abs/1911.04252">its source</a>, Table 2, row 3.' in page
    assert '<span class="verdict not-comparable">not comparable</span>' in page
    assert f'href="/submit/objection?result={run}"' in page
    assert "Contested: " in page
    assert "<script>alert" not in page
    assert "javascript:" not in page


def test_runs_stand_apart_from_claims_with_a_verdict(client: TestClient, store: Store, add_results: Add) -> None:
    (claim,) = add_results(row("noisy", "88.4%", published="2019-11-11"))
    with store.changing("lab", "submit a run") as change:
        board = change.connection.execute("SELECT id FROM leaderboard").fetchone()["id"]
        run = change.add_result(Result(board, "noisy", {"Accuracy": "88.3%"}, kind="run"))
        change.insert(
            "run",
            result_id=run,
            claim_id=claim,
            command="noisystudent run",
            git_commit="0123456789abcdef",
            seeds="[0]",
            images=50000,
            intervals='{"Accuracy": [88.0, 88.6]}',
        )
    data = client.get(f"{BOARD}.json").json()
    assert [each["model"] for each in data["rows"]] == ["noisy"]
    (measured,) = data["runs"]
    assert (measured["claim"], measured["run"], measured["verdict"]) == ("88.4%", "88.3%", "reproduced")
    page = client.get(BOARD).text
    assert "Measured here" in page
    assert "88 to 88.6" in page
    assert "noisystudent run" in page


def test_a_script_in_any_field_is_only_text(client: TestClient, store: Store, add_results: Add) -> None:
    link = {"title": SCRIPT, "url": "javascript:alert(1)"}
    add_results(
        {
            "model": SCRIPT,
            "values": {SCRIPT: "70", "Accuracy": SCRIPT},
            "paper_title": SCRIPT,
            "paper_url": "javascript:alert(1)",
            "paper_date": SCRIPT,
            "source_url": "javascript:alert(1)",
            "locator": SCRIPT,
            "code_links": [link],
            "model_links": [link],
            "tags": [SCRIPT],
        },
        task=f"Image Classification{SCRIPT}",
        dataset=f"ImageNet{SCRIPT}",
        area=SCRIPT,
        actor=SCRIPT,
        note=SCRIPT,
        metrics={SCRIPT: True},
    )
    with store.changing(SCRIPT, SCRIPT, SCRIPT) as change:
        for table, column in (("leaderboard", "description"), ("task", "description"), ("task", "link_title")):
            change.edit(table, 1, **{column: SCRIPT})
        change.edit("task", 1, link_url="javascript:alert(1)")
        change.edit("leaderboard", 1, links='[{"title": "x", "url": "javascript:alert(1)"}]')
        slugs = {
            table: change.connection.execute(f"SELECT slug FROM {table}").fetchone()[0]
            for table in ("leaderboard", "task", "area")
        }
    board, task, area = slugs["leaderboard"], slugs["task"], slugs["area"]
    for path in (
        "/",
        "/tasks",
        "/sota",
        "/sota?page=1",
        f"/sota?q={SCRIPT}",
        f"/sota/{board}",
        f"/sota/{board}?tag={SCRIPT}",
        f"/sota/{board}?parameters={SCRIPT}",
        f"/history/{board}",
        f"/task/{task}",
        f"/area/{area}",
    ):
        page = client.get(path).text
        assert "<script" not in page, path
        assert '="javascript:' not in page, path
        assert "&lt;script&gt;" in page or path == "/sota?page=1" or "q=" in path, path
    for path in (f"/feeds/sota/{board}.atom", f"/feeds/task/{task}.atom", f"/feeds/area/{area}.atom"):
        ElementTree.fromstring(client.get(path).content)


def chart_of(page: str) -> str:
    found = re.search(r'<svg class="chart".*?(?=<figcaption>)', page, re.DOTALL)
    assert found
    return found[0]


def test_every_drawing_on_the_page_is_well_formed(client: TestClient, add_results: Add) -> None:
    add_results(
        *(
            row(
                f"<m & {n}>\x0b",
                str(60 + n),
                published=f"201{n}-01-01",
                parameters=10.0 ** (6 + n / 3),
                multiply_adds=1e9 * (n + 1),
            )
            for n in range(6)
        )
    )
    for kind in ("", "parameters", "multiply_adds"):
        drawing = chart_of(client.get(f"{BOARD}?chart={kind}").text)
        assert len(ElementTree.fromstring(drawing).findall("a")) == 6


def test_undated_and_future_rows_are_off_the_chart_and_it_is_said(client: TestClient, add_results: Add) -> None:
    add_results(
        row("old", "70", published="2019-01-01"), row("undated", "80"), row("later", "90", published="2222-01-01")
    )
    page = client.get(BOARD).text
    chart = chart_of(page)
    assert "old" in chart
    assert "undated" not in chart
    assert "later" not in chart
    assert "Not in the chart: 1 without a date, 1 dated in the future." in page


def test_a_leaderboard_without_results_and_one_without_metrics(client: TestClient, add_results: Add) -> None:
    add_results(metrics={})
    page = client.get(BOARD)
    assert page.status_code == 200
    assert "There are no results yet" in page.text
    add_results({"model": "a", "values": {}}, metrics={})
    assert client.get(BOARD).status_code == 200


def test_old_addresses_redirect_and_unknown_ones_are_missing(
    client: TestClient, store: Store, add_results: Add
) -> None:
    add_results(row("a", "70"))
    with store.changing("carla", "rename") as change:
        change.connection.execute("INSERT INTO alias (kind, old, id) VALUES ('leaderboard', 'old-name', 1)")
    for old, new in (
        ("/sota/old-name?metric=Accuracy", f"{BOARD}?metric=Accuracy"),
        ("/sota/old-name.json", f"{BOARD}.json"),
        ("/history/old-name", "/history/image-classification-on-imagenet"),
        ("/export/sota/old-name.csv", "/export/sota/image-classification-on-imagenet.csv"),
        ("/feeds/sota/old-name.atom", "/feeds/sota/image-classification-on-imagenet.atom"),
    ):
        answer = client.get(old, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (301, new)
    for path in ("/sota/none", "/sota/none.json", "/history/none", "/export/sota/none.csv"):
        assert client.get(path).status_code == 404


def test_an_unchanged_page_is_not_sent_again(client: TestClient, add_results: Add) -> None:
    add_results(row("a", "70"))
    tag = client.get(BOARD).headers["etag"]
    assert client.get(BOARD, headers={"If-None-Match": tag}).status_code == 304
    add_results(row("b", "80"))
    assert client.get(BOARD, headers={"If-None-Match": tag}).status_code == 200


def test_the_list_says_who_leads_with_what_since_when(client: TestClient, add_results: Add) -> None:
    add_results(row("a", "70"), row("b", "90", published="2021-03-04"), area="Computer Vision")
    add_results(row("c", "1"), dataset="CIFAR-10", area="Computer Vision")
    add_results(row("d", "1"), task="Speech Recognition", dataset="LibriSpeech")
    data = client.get("/sota.json").json()
    assert [section["name"] for section in data["sections"]] == ["Computer Vision", "Other tasks"]
    first = data["sections"][0]["leaderboards"][0]
    assert (first["model"], first["value"], first["best_since"], first["result_count"]) == ("b", "90", "2021-03-04", 2)
    page = client.get("/sota").text
    assert "2021-03-04" in page


def test_the_list_is_filtered_and_paged(client: TestClient, store: Store, add_results: Add) -> None:
    add_results(row("a", "1"), area="Computer Vision")
    with store.changing("anna", "add") as change:
        task = change.task("Parsing")
        for number in range(60):
            board = change.leaderboard(task, change.dataset(f"Set {number}"))
            change.add_result(Result(board, "a", {"Accuracy": "1"}))
        change.leaderboard(task, change.dataset("Empty"))  # stands in no list
    assert client.get("/sota.json?area=computer-vision").json()["total"] == 1
    assert client.get("/sota.json?area=other").json()["total"] == 60
    assert client.get("/sota.json?q=pars 59").json()["total"] == 1
    assert client.get("/sota.json?q=%25").json()["total"] == 0
    second = client.get("/sota.json?page=2").json()
    assert (second["total"], second["pages"], len(second["leaderboards"])) == (61, 2, 11)
    assert client.get("/sota?page=3").status_code == 404
    assert client.get("/sota?area=none").status_code == 404
    for wrong in ("0", "-1", "x", "99999999999999999999"):
        assert client.get(f"/sota?page={wrong}").status_code == 422
        assert client.get(f"/history/image-classification-on-imagenet?page={wrong}").status_code == 422


def test_history_says_what_who_when_and_why(client: TestClient, store: Store, add_results: Add) -> None:
    first, second = add_results(row("a", "70"), row("b", "80"), actor="anna", note="from the paper")
    add_results(row("c", "1"), dataset="CIFAR-10")
    with store.changing("carla", "correct", "a slip of the pen") as change:
        change.add_result(Result(1, "a", {"Accuracy": "75"}), supersedes=first)
        change.retire_result(second)
    with store.changing("carla", "set direction") as change:
        change.direct(1, False)
    events = client.get("/history/image-classification-on-imagenet.json").json()["events"]
    assert [(event["actor"], event["action"], event["note"]) for event in events] == [
        ("carla", "set direction", ""),
        ("carla", "correct", "a slip of the pen"),
        ("anna", "add", "from the paper"),
    ]
    assert events[0]["edits"][0]["after"]["higher_is_better"] == 0
    assert [(added["model"], added["value"], added["before"]) for added in events[1]["added"]] == [("a", "75", "70")]
    assert [gone["model"] for gone in events[1]["retired"]] == ["a", "b"]
    page = client.get("/history/image-classification-on-imagenet").text
    assert "a slip of the pen" in page
    assert "(before: 70)" in page


def test_the_table_for_a_spreadsheet(client: TestClient, add_results: Add) -> None:
    add_results(row("a", "70"))
    answer = client.get("/export/sota/image-classification-on-imagenet.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert "70" in answer.text


def test_a_board_of_runs_alone_ranks_them_among_each_other(client: TestClient, store: Store) -> None:
    with store.changing("anna", "add runs") as change:
        board = change.leaderboard(change.task("Image Classification"), change.dataset("Our photos"))
        for model, top1 in (("small", "71.0%"), ("large", "80.5%")):
            change.add_result(Result(board, model, {"Top 1 Accuracy": top1}, kind="run"))
    runs = client.get("/sota/image-classification-on-our-photos.json").json()["runs"]
    assert [(run["model"], run["rank"]) for run in runs] == [("large", 1), ("small", 2)]
    page = client.get("/sota/image-classification-on-our-photos").text
    assert "No paper claims anything here yet. Models measured here: 2." in page
    assert "There are no results yet" not in page
    with store.changing("anna", "add a claim") as change:
        change.add_result(Result(board, "theirs", {"Top 1 Accuracy": "75%"}))
    data = client.get("/sota/image-classification-on-our-photos.json").json()
    assert [run["rank"] for run in data["runs"]] == [None, None]
    assert [(row["model"], row["rank"]) for row in data["rows"]] == [("theirs", 1)]


def test_a_model_without_a_name_is_named_so(client: TestClient, store: Store) -> None:
    with store.changing("anna", "add") as change:
        board = change.leaderboard(change.task("Chess"), change.dataset("Openings"))
        change.add_result(Result(board, "", {"Accuracy": "90%"}))
    assert "no name given" in client.get("/sota/chess-on-openings").text
    assert "a model without a name" in client.get("/sota").text


def test_a_leaderboard_of_very_many_rows_is_a_page_all_the_same(
    client: TestClient, imagenet: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaderboard, "PAGE_ROWS", 5)
    monkeypatch.setattr("noisystudent.board.charts.leaderboard.MOST_LINKS", 10)
    with imagenet.changing("anna", "add") as change:
        board = change.leaderboard(change.task("Image Classification"), change.dataset("ImageNet"))
        for number in range(30):
            values = {"Top 1 Accuracy": f"{50 + number / 10}%"}
            change.add_result(Result(board, f"Many {number}", values, paper_date=f"2020-01-{number + 1:02}"))
    address = "/sota/image-classification-on-imagenet"
    first = client.get(address).text
    assert '<path class="cloud"' in first
    assert first.count('<th scope="row" class="model"') == 5
    assert '<a href="/export/sota/image-classification-on-imagenet.csv">CSV has the whole table</a>' in first
    found = client.get(f"{address}.json?page=2").json()
    assert (len(found["rows"]), found["page"], found["matching"]) == (5, 2, found["total"])


def test_of_very_many_runs_the_first_are_shown(
    client: TestClient, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaderboard, "MOST_RUNS", 3)
    with store.changing("anna", "add runs") as change:
        board = change.leaderboard(change.task("Image Classification"), change.dataset("Our photos"))
        for number in range(5):
            change.add_result(Result(board, f"net {number}", {"Top 1 Accuracy": f"{70 + number}%"}, kind="run"))
    found = client.get("/sota/image-classification-on-our-photos.json").json()
    assert ([run["rank"] for run in found["runs"]], found["run_count"]) == ([1, 2, 3], 5)
    page = client.get("/sota/image-classification-on-our-photos").text
    assert "Models measured here: 5." in page
    assert "Of 5, the first 3." in page


CLAIMS = 5_000
WEIGHT = 100_000  # bytes of a page at most


@pytest.fixture
def large(store: Store) -> Store:
    """A store with a leaderboard of 5,000 claims with values of their own, days, and models whose costs are known."""
    with store.changing("anna", "add") as change:
        board = change.leaderboard(change.task("Image Classification"), change.dataset("ImageNet"))
        metric = change.metric(board, "Accuracy", higher_is_better=True)
        numbers = range(1, CLAIMS + 1)
        change.connection.executemany(
            "INSERT INTO model (id, name, parameters, multiply_adds) VALUES (?, ?, ?, ?)",
            ((number, f"Model {number}", 1e6 + 997 * number, 1e9 + 9973 * number) for number in numbers),
        )
        change.connection.executemany(
            "INSERT INTO result (id, leaderboard_id, model_id, position, paper_date, tags, added_by) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    number,
                    board,
                    number,
                    number,
                    f"{2000 + number % 20}-{1 + number % 12:02}-{1 + number % 20:02}",
                    '["CNN"]',
                    change.event,
                )
                for number in numbers
            ),
        )
        change.connection.executemany(
            "INSERT INTO value (result_id, metric_id, raw, number) VALUES (?, ?, ?, ?)",
            ((number, metric, str(number * 7919 % CLAIMS / 300), number * 7919 % CLAIMS / 300) for number in numbers),
        )
    return store


@pytest.fixture
def rows_read(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many rows Python is given, of all statements on connections that are opened from now on."""
    counts = Counter[str]()

    class CountingCursor(sqlite3.Cursor):
        def __next__(self) -> Any:
            row = super().__next__()
            counts["rows"] += 1
            return row

        def fetchone(self) -> Any:
            row = super().fetchone()
            counts["rows"] += row is not None
            return row

        def fetchall(self) -> list[Any]:
            rows = super().fetchall()
            counts["rows"] += len(rows)
            return rows

    class CountingConnection(sqlite3.Connection):
        def cursor(self, factory: type[sqlite3.Cursor] = CountingCursor) -> sqlite3.Cursor:
            return super().cursor(factory)

        def execute(self, *given: Any) -> sqlite3.Cursor:
            return self.cursor().execute(*given)

    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda *given, **named: connect(*given, factory=CountingConnection, **named)
    )
    return counts


@pytest.mark.parametrize(
    ("path", "most_rows"),
    [
        (BOARD, 1_000),
        (f"{BOARD}.json", 500),
        (f"{BOARD}?tag=CNN&parameters=15M", 1_000),
        (f"{BOARD}?as_of=2999-01-01", 1_000),
        (f"{BOARD}?chart=parameters&page=7", 1_000),
        ("/api/v1/evaluations/image-classification-on-imagenet/results/", 500),
    ],
)
def test_a_page_of_very_many_rows_is_small_and_reads_few_of_them(
    large: Store, browser_of: Callable[..., Any], rows_read: Counter[str], path: str, most_rows: int
) -> None:
    answer = browser_of(large).client.get(path)
    assert answer.status_code == 200
    assert len(answer.content) < (1_000_000 if ".json" in path or "/api/" in path else WEIGHT)
    assert 100 <= rows_read["rows"] < most_rows


def test_all_that_names_a_leader_or_a_rank_ranks_by_the_same_metric(client: TestClient, add_results: Add) -> None:
    rows = [
        {"model": "small", "values": {"Params": "1M", "Accuracy": "70"}, "published": "2020-01-01"},
        {"model": "good", "values": {"Params": "9M", "Accuracy": "90"}, "published": "2021-01-01"},
    ]
    add_results(*rows, *(row(f"m{number}", "1") for number in range(3)), metrics={"Params": False, "Accuracy": True})
    assert ranked(client)[:2] == [("good", 1), ("small", 2)]
    home = client.get("/index.json").json()
    for led in (home["notable"][0], home["records"][0]):
        assert (led["model"], led["metric"], led["value"]) == ("good", "Accuracy", "90")
    assert client.get("/paper/paper-of-good.json").json()["results"][0]["metric"] == "Accuracy"
    assert "#1 of the leaderboard" in client.get("/paper/paper-of-good").text
    assert "#1" in client.get("/badge/image-classification-on-imagenet/paper-of-good.svg").text
    table = "/api/v1/evaluations/image-classification-on-imagenet"
    assert [metric["name"] for metric in client.get(f"{table}/metrics/").json()["results"]] == ["Accuracy", "Params"]
    found = client.get(f"{table}/results/").json()["results"]
    assert [(result["methodology"], result["rank"]) for result in found[:2]] == [("good", 1), ("small", 2)]
    csv = client.get("/export/sota/image-classification-on-imagenet.csv").text.splitlines()
    assert csv[0].startswith("rank,model,Params,Accuracy")  # the columns stay in the order of their source
    assert csv[1].startswith("1,good,9M,90")
    assert client.get("/search.json?q=good").json()["models"][0]["name"] == "good"
    assert "90" in client.get("/feeds/sota/image-classification-on-imagenet.atom").text
