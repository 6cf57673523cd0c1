"""Who stands where, against the rules said row by row; the records of real leaderboards."""

from __future__ import annotations

import json
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noisystudent.board.catalogue.change import Result
from noisystudent.board.catalogue.ranking import column_unit, comparable, ranks
from noisystudent.board.catalogue.store import Store
from noisystudent.board.catalogue.values import Value
from noisystudent.board.importing import import_file
from noisystudent.board.queries import leaderboards
from noisystudent.board.queries.standings import Filters, Standings, standings

TODAY = "2026-01-01"
VALUES = ("70", "70%", "80.5%", "80.5", "0.7", "12M", "13M", "some words", "-3", "0")
DAYS = (None, "2019-01-01", "2020-05-05", "2020-05-05T12:00", "2019", "2019-02-30", "0000-01-01", "2222-01-01")
COSTS = (None, 12.0, 66e6, 480e6, 1e30)
ROWS = st.fixed_dictionaries(
    {
        "value": st.none() | st.sampled_from(VALUES),
        "day": st.sampled_from(DAYS),
        "paper": st.none() | st.integers(0, 2),
        "extra": st.sampled_from((None, False, True)),
        "tags": st.lists(st.sampled_from(("CNN", 'a "tag"', "é")), max_size=2, unique=True),
        "code": st.booleans(),
        "parameters": st.sampled_from(COSTS),
        "position": st.integers(0, 3),
        "run": st.sampled_from((False, False, False, True)),
        "retired": st.sampled_from((False, False, True)),
    }
)
FILTERS = st.builds(
    Filters,
    st.sampled_from((None, None, False, True)),
    st.booleans(),
    st.sampled_from((None, 100e6, 10.0, 1e40)),
    st.sampled_from((None, None, 1, 2020)),
    st.sampled_from((None, None, 2019, 9999)),
    st.sampled_from(("", "", "CNN", 'a "tag"', "none")),
)


def filled(folder: str, rows: list[dict[str, Any]], higher: bool | None) -> Store:
    """A leaderboard of some rows, of which some are retired by a second event; that also dates a paper anew."""
    store = Store(Path(folder) / "board.db", create=True)
    with store.changing("anna", "add") as change:
        board = change.leaderboard(change.task("Chess"), change.dataset("Games"))
        change.metric(board, "Vibes", higher_is_better=higher)
        papers = [change.paper(title=f"P{number}", published=DAYS[number]) for number in range(3)]
        change.insert("paper_repository", paper_id=papers[1], repository_id=change.repository("https://github.com/o/r"))
        made = []
        for number, row in enumerate(rows):
            result = Result(
                board,
                f"m{number}",
                {} if row["value"] is None else {"Vibes": row["value"]},
                paper=None if row["paper"] is None else papers[row["paper"]],
                kind="run" if row["run"] else "claim",
                position=row["position"],
                extra_data=row["extra"],
                paper_date=row["day"],
                code_links=[{"title": "", "url": "https://x.org"}] if row["code"] else [],
                tags=row["tags"],
            )
            made.append(change.add_result(result))
            change.edit("model", change.model(result.model, result.paper), parameters=row["parameters"])
    with store.changing("anna", "correct") as change:
        for number, row in zip(made, rows, strict=True):
            if row["retired"]:
                change.retire_result(number)
        change.edit("paper", papers[0], published="2018-08-08")
    return store


def day_of(text: str | None) -> date | None:
    try:
        return date.fromisoformat((text or "")[:10])
    except ValueError:
        return None


def row_by_row(store: Store, event: int, filters: Filters, higher: bool | None) -> list[dict[str, Any]]:
    """The rules in their plain form: every claim that stood is read whole, its value judged, ranked and put in order."""
    with store.reading() as connection:
        found = [
            dict(row)
            for row in connection.execute(
                "SELECT r.*, m.parameters, v.number, v.unit, v.rank AS kept, "
                "(SELECT count(*) FROM paper_repository c WHERE c.paper_id = r.paper_id) AS repositories "
                "FROM result_shown r JOIN model m ON m.id = r.model_id LEFT JOIN value v ON v.result_id = r.id "
                "WHERE r.kind = 'claim' AND r.added_by <= :event AND (r.retired_by IS NULL OR r.retired_by > :event) "
                "ORDER BY r.position, r.id",
                {"event": event},
            )
        ]
    values = {row["id"]: Value(row["number"], row["unit"] or "") for row in found}
    unit = column_unit(values.values())
    kept = [row for row in found if passes(row, filters)]
    judged = {row["id"]: values[row["id"]] for row in kept if comparable(values[row["id"]], unit)}
    places = ranks(judged, higher_is_better=higher)
    for row in kept:
        row["comparable"], row["rank"], row["date"] = row["id"] in judged, places.get(row["id"]), day_of(row["day"])

    def order(row: dict[str, Any]) -> tuple[bool, int, date, int, int]:
        when = (row["date"] or date.max) if row["rank"] else date.min
        return row["rank"] is None, row["rank"] or 0, when, row["position"], row["id"]

    return sorted(kept, key=order)


def passes(row: dict[str, Any], filters: Filters) -> bool:
    day, cost = day_of(row["day"]), row["parameters"]
    known_cost = cost is not None and 1e3 <= cost <= 1e18
    return (
        (filters.extra_data is None or row["extra_data"] == int(filters.extra_data))
        and (not filters.has_code or row["code_links"] != "[]" or row["repositories"] > 0)
        and (filters.parameters_at_most is None or (known_cost and cost <= filters.parameters_at_most))
        and (filters.year_from is None or (day is not None and day.year >= filters.year_from))
        and (filters.year_to is None or (day is not None and day.year <= filters.year_to))
        and (not filters.tag or filters.tag in json.loads(row["tags"]))
    )


def asked(connection: Any, event: int, filters: Filters) -> Standings:
    (metric,) = leaderboards.metrics_of(connection, 1)
    return standings(connection, 1, metric, event).only(filters)


@settings(max_examples=50)
@given(st.lists(ROWS, max_size=15), st.sampled_from((True, True, False, None)), FILTERS, st.integers(1, 12))
def test_the_order_is_that_of_the_rules(
    rows: list[dict[str, Any]], higher: bool | None, filters: Filters, most: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = filled(folder, rows, higher)
        for event in (1, 2):
            for chosen in (Filters(), filters):
                expected = row_by_row(store, event, chosen, higher)
                with store.reading() as connection:
                    found = asked(connection, event, chosen)
                    shown = [claim for offset in range(0, 16, most) for claim in found.part(offset, most)]
                    counts = found.counts(TODAY)
                    assert counts.total == len(expected)
                    assert counts.tags == {tag for row in expected for tag in json.loads(row["tags"])}
                    assert [(claim.row["id"], claim.rank, claim.comparable, claim.day) for claim in shown] == [
                        (row["id"], row["rank"], row["comparable"], row["date"]) for row in expected
                    ]
                    assert [found.place_of(row["id"]) for row in expected] == list(range(len(expected)))
                if event == 2 and chosen == Filters():  # what the catalogue keeps of the present is the same
                    assert [row["kept"] for row in expected] == [row["rank"] for row in expected]


@settings(max_examples=30)
@given(st.lists(ROWS, max_size=15), st.booleans(), FILTERS)
def test_what_is_drawn_is_that_of_the_rules(rows: list[dict[str, Any]], higher: bool, filters: Filters) -> None:
    today = date.fromisoformat(TODAY)
    with tempfile.TemporaryDirectory() as folder:
        store = filled(folder, rows, higher)
        expected = row_by_row(store, 2, filters, higher)
        past = [row for row in expected if row["date"] and row["date"] <= today]
        sound = [row for row in past if row["comparable"]]
        better = 1 if higher else -1
        best: list[dict[str, Any]] = []
        for row in sorted(sound, key=lambda row: (row["date"], -better * row["number"], row["id"])):
            if not best or better * row["number"] > better * best[-1]["number"]:
                best.append(row)
        with store.reading() as connection:
            found = asked(connection, 2, filters)
            points = found.points()
            drawn = points.until(TODAY)
            line = drawn.results[drawn.records(higher_is_better=higher)]
            assert line.tolist() == [row["id"] for row in best]
            sound.sort(key=lambda row: (row["date"], row["id"]))
            assert drawn.results.tolist() == [row["id"] for row in sound]
            assert drawn.days.tolist() == [row["date"] for row in sound]
            assert drawn.values.tolist() == [row["number"] for row in sound]
            assert found.counts(TODAY)[:3] == (
                len(expected),
                sum(row["date"] is not None for row in expected),
                len(past),
            )
            known = [row for row in expected if row["parameters"] and 1e3 <= row["parameters"] <= 1e18]
            assert found.knows("parameters") == bool(known)
            with_cost = points.at(points.costs["parameters"] > 0)
            assert sorted(
                zip(with_cost.results.tolist(), with_cost.costs["parameters"].tolist(), strict=True)
            ) == sorted((row["id"], row["parameters"]) for row in known if row["comparable"])


def record_line(store: Store, slug: str, metric: str) -> list[tuple[str, float]]:
    """The records of a leaderboard: month and value."""
    with store.reading() as connection:
        board = leaderboards.find(connection, slug)
        assert board is not None
        (chosen,) = (row for row in leaderboards.metrics_of(connection, board["id"]) if row["name"] == metric)
        event = connection.execute("SELECT max(id) FROM event").fetchone()[0]
        past = standings(connection, board["id"], chosen, event).points().until(TODAY)
        best = past.at(past.records(higher_is_better=bool(chosen["higher_is_better"])))
        return [(str(day)[:7], value) for day, value in zip(best.days, best.values.tolist(), strict=True)]


@pytest.mark.slow
def test_the_record_line_of_imagenet(store: Store, catalogue_files: Path) -> None:
    import_file(store, catalogue_files / "orkg-tdm" / "orkg_tdm_as_eval_tables.json.gz", actor="test")
    line = record_line(store, "image-classification-on-imagenet", "Top 1 Accuracy")
    values = [value for _, value in line]
    assert [month for month, _ in line][:: len(line) - 1] == ["2013-11", "2020-03"]
    assert ("2019-11", 88.4) in line
    # 78.57 came in the month of 78.8, and the data have no days: the best of them is the record.
    assert values == [64.0, 66.3, 72.14, 74.5, 74.8, 78.8, 80.1, 80.9, 82.7, 82.9, 83.9, 85.4, 86.4, 88.4, 90.2]


def test_the_record_line_of_svhn_goes_down(store: Store, catalogue_files: Path) -> None:
    import_file(store, catalogue_files / "opencodepapers" / "svhn_imagenet_eval_tables.json", actor="test")
    line = record_line(store, "image-classification-on-svhn", "Percentage error")
    assert [value for _, value in line] == [2.8, 2.5, 2.35, 2.2, 1.9, 1.7, 1.54, 1.3, 1.11, 1.1, 1.0]
    assert (line[0][0], line[-1][0]) == ("2013-01", "2020-07")
    with store.reading() as connection:
        short = leaderboards.record_line(connection, "image-classification-on-svhn", TODAY)
    assert [value for _, value in short] == [value for _, value in line]
