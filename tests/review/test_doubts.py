from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from noisystudent.review.doubts import Doubts
from noisystudent.review.findings import Finding

NAMES = ("ant", "bee", "cat")


def write(path: Path, **columns: list[object]) -> list[Path]:
    pq.write_table(pa.table({"id": list("abcd"), **columns}), path)
    return [path]


@pytest.fixture
def files(tmp_path: Path) -> dict[str, list[Path]]:
    return {
        "seen": write(
            tmp_path / "seen.parquet",
            label=[0, 1, 2, 0],
            confidence=[0.5, 0.6, 0.95, 0.7],
            second=[1, 0, 0, 2],
            second_confidence=[0.4, 0.15, 0.05, 0.1],
            likeness=[0.9, 0.2, -0.5, 0.1],
        ),
        "first": write(tmp_path / "first.parquet", label=[0, 0, 1, 2], confidence=[0.9, 0.9, 0.9, 0.9]),
        "second": write(tmp_path / "second.parquet", label=[0, 1, 0, 2], confidence=[0.9, 0.8, 0.7, 0.6]),
        "third": write(tmp_path / "third.parquet", label=[0, 1, 1, 1], confidence=[0.9, 0.9, 0.5, 0.8]),
    }


def doubts(
    files: dict[str, list[Path]], *, generations: int = 3, left_out: tuple[Path, ...] = (), most: int = 9
) -> Doubts:
    chain = [files[name] for name in ("first", "second", "third")][:generations]
    return Doubts(files["seen"], chain, left_out, NAMES, most)


def ids(findings: list[Finding]) -> list[str]:
    return [finding.id for finding in findings]


def test_the_closest_call_is_the_least_sure(files: dict[str, list[Path]]) -> None:
    found = doubts(files).unsure()
    assert ids(found) == ["a", "b"]  # 0.10 and 0.45 apart; d, 0.6 apart, is no close call
    assert found[0].why == "unsure: ant (0.50) or bee (0.40)"


def test_teacher_and_student_disagree_where_both_are_surest_first(files: dict[str, list[Path]]) -> None:
    found = doubts(files).disagreed(3)
    assert ids(found) == ["d", "c"]  # the less sure of the two: 0.7, 0.5; on a and b they agree
    assert found[0].why == "its teacher said bee (0.80), the student ant (0.70)"
    assert doubts(files).disagreed(0) == []


def test_what_changed_most_over_the_generations_comes_first(files: dict[str, list[Path]]) -> None:
    found = doubts(files).changed()
    assert ids(found) == ["c", "d", "b"]
    assert found[0].why == "changed: bee, then ant, then bee"
    assert doubts(files, generations=1).changed() == []


def test_the_farthest_from_every_class_comes_first(files: dict[str, list[Path]]) -> None:
    assert ids(doubts(files).of_no_class(0.15)) == ["c", "d"]


def test_held_out_twins_are_not_shown_and_no_more_than_asked_for(files: dict[str, list[Path]], tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": ["a"], "split": ["test"]}), tmp_path / "leaks.parquet")
    assert ids(doubts(files, left_out=(tmp_path / "leaks.parquet",)).unsure()) == ["b"]
    assert ids(doubts(files, most=1).changed()) == ["c"]


def test_names_are_written_as_text(files: dict[str, list[Path]]) -> None:
    strange = Doubts(files["seen"], [], [], ("a\nb", "<b>", "c"), 9)
    assert strange.unsure()[0].why == "unsure: a\\nb (0.50) or <b> (0.40)"
