"""The records of real leaderboards."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from noisystudent.board.catalogue.store import Store
from noisystudent.board.importing import import_file
from noisystudent.board.queries import leaderboards
from noisystudent.board.queries.standings import claims, records

TODAY = date(2026, 1, 1)


def record_line(store: Store, slug: str, metric: str) -> list[tuple[str, float]]:
    """The records of a leaderboard: month and value."""
    with store.reading() as connection:
        board = leaderboards.find(connection, slug)
        assert board is not None
        (chosen,) = (row for row in leaderboards.metrics_of(connection, board["id"]) if row["name"] == metric)
        event = connection.execute("SELECT max(id) FROM event").fetchone()[0]
        found = claims(connection, board["id"], chosen["id"], event)
        best = records(found, higher_is_better=bool(chosen["higher_is_better"]), today=TODAY)
        return [(str(claim.day)[:7], claim.value.number or 0) for claim in best]


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
        short = leaderboards.record_line(connection, "image-classification-on-svhn", TODAY.isoformat())
    assert [value for _, value in short] == [value for _, value in line]
