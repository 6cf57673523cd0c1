"""Selection against slow references, one row at a time, and against the spec's toy figures (section 2.3)."""

import hashlib
import math
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noisystudent.config import Execution, Selection
from noisystudent.errors import UserError
from noisystudent.pseudo.select import SELECTION_SCHEMA, Selected, _selected, choose, parts_glob, relabel

Row = tuple[str, int, float]


def table(rows: list[Row]) -> pa.Table:
    ids, labels, confidences = zip(*rows, strict=True) if rows else ((), (), ())
    return pa.table(
        {
            "id": pa.array(ids, pa.string()),
            "label": pa.array(labels, pa.int32()),
            "confidence": pa.array(confidences, pa.float32()),
        }
    )


def predictions(n: int, classes: int = 3, seed: int = 0) -> list[Row]:
    draw = np.random.default_rng(seed)
    labels = draw.choice(classes, size=n, p=np.array([2.0**-i for i in range(classes)]) / (2 - 2.0 ** (1 - classes)))
    return [
        (f"img-{i}", int(label), float(np.float32(c)))
        for i, (label, c) in enumerate(zip(labels, draw.random(n), strict=True))
    ]


def copies(selected: Selected) -> dict[str, int]:
    return dict(zip(selected.table["id"].to_pylist(), selected.table["copies"].to_pylist(), strict=True))


def chosen(
    rows: list[Row], classes: int = 3, seed: int = 0, excluded: tuple[str, ...] = (), **settings: object
) -> Selected:
    selection = Selection(**settings)  # type: ignore[arg-type]
    return choose(table(rows), selection, classes=classes, seed=seed, excluded=excluded)


def uniform(seed: int, id: str) -> float:
    """The draw that an image has: 52 bits of MD5 of the seed and the id, its second half read from the low end."""
    digest = hashlib.md5(f"{seed}\x1f{id}".encode()).digest()
    return (int.from_bytes(digest[8:], "little") & (2**52 - 1)) / 2**52


def exact(rows: list[Row], n: int, threshold: float, seed: int) -> dict[str, int]:
    """The paper's text: the n most confident of each class; a class with fewer gets copies up to n."""
    result = {}
    for label in {row[1] for row in rows}:
        mine = sorted(
            (row for row in rows if row[1] == label and row[2] >= np.float32(threshold)), key=lambda r: (-r[2], r[0])
        )
        top = [row[0] for row in mine[:n]]
        for id in top:
            result[id] = n // len(top)
        for id in sorted(top, key=lambda id: (uniform(seed, id), id))[: n % len(top) if top else 0]:
            result[id] += 1
    return result


def official(rows: list[Row], n: int, threshold: float, seed: int) -> dict[str, int]:
    """The released code: walk the bins of 0.01 down until n are gathered, then floor(r) + Bernoulli(frac(r)) copies."""
    result = {}
    for label in {row[1] for row in rows}:
        bins: dict[int, list[str]] = defaultdict(list)
        for id, _, confidence in (row for row in rows if row[1] == label and row[2] >= np.float32(threshold)):
            edge = 0
            while edge < 100 and np.float32((edge + 1) / 100) <= np.float32(confidence):
                edge += 1
            bins[edge].append(id)
        gathered: list[str] = []
        for edge in range(100, -1, -1):
            gathered += bins[edge]
            if len(gathered) >= n:
                break
        for id in gathered:
            ratio = n / len(gathered)
            count = math.floor(ratio) + (uniform(seed, id) < ratio - math.floor(ratio))
            if count:
                result[id] = count
    return result


@pytest.mark.parametrize("mode", ["exact", "official"])
@pytest.mark.parametrize("n", [1, 7, 30, 64, 200, 1000])
@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.95])
def test_the_rule_is_the_papers_or_the_released_codes(mode: str, n: int, threshold: float) -> None:
    rows = predictions(400)
    reference = (exact if mode == "exact" else official)(rows, n, threshold, 5)
    assert copies(chosen(rows, seed=5, threshold=threshold, per_class=n, mode=mode)) == reference


def test_exact_gives_each_class_that_has_a_candidate_exactly_so_many_rows() -> None:
    rows = predictions(300)
    selected = chosen(rows, threshold=0.5, per_class=60)
    assert [row["rows"] for row in selected.classes] == [60, 60, 60]
    assert sum(copies(selected).values()) == 180


def test_a_class_with_more_candidates_keeps_the_most_confident() -> None:
    rows = [(f"{i:02d}", 0, 0.5 + i / 100) for i in range(20)]
    assert copies(chosen(rows, classes=1, per_class=5)) == {f"{i}": 1 for i in range(15, 20)}


def test_a_class_with_fewer_candidates_is_filled_by_seeded_copies() -> None:
    rows = [(f"{i}", 0, 0.9) for i in range(5)]
    fills = [copies(chosen(rows, classes=1, per_class=13, seed=seed)) for seed in range(8)]
    for fill in fills:
        assert sorted(fill.values()) == [2, 2, 3, 3, 3]
    extra = Counter(id for fill in fills for id, count in fill.items() if count == 3)
    assert len(extra) == 5  # another seed gives the copies to others
    assert max(extra.values()) < 8
    assert copies(chosen(rows, classes=1, per_class=13, seed=4)) == fills[4]


def test_ties_are_broken_by_the_id() -> None:
    rows = [(id, 0, 0.8) for id in "dbace"]
    assert copies(chosen(rows, classes=1, per_class=2)) == {"a": 1, "b": 1}


def test_the_specs_toy_class_of_600_is_filled_to_about_1000() -> None:
    """Spec 2.3: N = 1000 of 600 uniform scores from 0.3 on: about 422 unique images and 990 rows, in expectation."""
    draw = np.random.default_rng(1)
    scores = draw.random(600)
    rows = [(f"{i}", 0, float(score)) for i, score in enumerate(scores)]
    selected = chosen(rows, classes=1, threshold=0.3, per_class=1000, mode="official")
    candidates = int((scores.astype(np.float32) >= np.float32(0.3)).sum())
    assert abs(candidates - 420) < 45
    assert selected.classes[0]["kept"] == candidates  # r = 2.4: nobody has fewer than two copies
    ratio = 1000 / candidates
    spread = math.sqrt(candidates * (ratio % 1) * (1 - ratio % 1))
    assert abs(selected.classes[0]["rows"] - 1000) < 4 * spread


def test_the_specs_toy_class_of_20000_is_cut_at_a_whole_bin() -> None:
    """Spec 2.3: 20,000 uniform scores, N = 1000: threshold 0.95, 1,029 images there, 1,000 rows, each give or take chance."""
    scores = np.random.default_rng(0).random(20_000).astype(np.float32)
    rows = [(f"{i}", 0, float(score)) for i, score in enumerate(scores)]
    selected = chosen(rows, classes=1, threshold=0.3, per_class=1000, mode="official")
    edge = 0.95 if (scores >= np.float32(0.95)).sum() >= 1000 else 0.94
    in_bins = int((scores >= np.float32(edge)).sum())
    assert 1000 <= in_bins < 1300
    assert selected.table["confidence"].to_numpy().min() >= np.float32(edge)
    assert set(selected.table["copies"].to_pylist()) == {1}
    expected = 1000 / in_bins
    assert abs(selected.classes[0]["rows"] - 1000) < 4 * math.sqrt(in_bins * expected * (1 - expected))
    # not an exact top N: some of those above the threshold are left out whatever their confidence
    left_out = {f"{i}" for i in np.flatnonzero(scores >= np.float32(edge))} - set(copies(selected))
    assert max(scores[int(id)] for id in left_out) > selected.table["confidence"].to_numpy().min()


def test_official_draws_have_the_expected_count_over_many_classes() -> None:
    rows = [(f"{label}-{i}", label, 0.995) for label in range(60) for i in range(40)]
    totals = [row["rows"] for row in chosen(rows, classes=60, per_class=65, mode="official").classes]
    # 40 draws of 1 + Bernoulli(0.625): 65 on average, standard deviation 3.06
    assert abs(float(np.mean(totals)) - 65) < 4 * 3.06 / math.sqrt(60)
    assert len(set(totals)) > 3


@pytest.mark.parametrize("threshold", [0.0, 0.07, 0.29, 0.3, 0.57, 0.58, 0.7, 0.9, 1.0])
@pytest.mark.parametrize("settings", [{}, {"per_class": 1}, {"per_class": 1, "mode": "official"}])
def test_thresholds_are_inclusive(threshold: float, settings: dict[str, object]) -> None:
    stored = float(np.float32(threshold))
    rows = [("at", 0, stored), ("below", 0, float(np.nextafter(np.float32(stored), np.float32(-1))))]
    assert set(copies(chosen(rows, classes=1, threshold=threshold, **settings))) == {"at"}


def test_thresholds_are_inclusive_in_double_precision_too() -> None:
    doubles = pa.table({"id": ["a"], "label": [0], "confidence": pa.array([0.3], pa.float64())})
    assert choose(doubles, Selection(threshold=0.3), classes=1, seed=0).table.num_rows == 1


@pytest.mark.parametrize("mode", ["exact", "official"])
def test_without_a_number_a_class_there_is_neither_cap_nor_fill(mode: str) -> None:
    rows = predictions(200)
    assert copies(chosen(rows, threshold=0.4, per_class=0, mode=mode)) == {r[0]: 1 for r in rows if r[2] >= 0.4}


@pytest.mark.parametrize(("share", "of_a_hundred"), [(0.07, 7), (0.5, 50), (0.501, 51)])
def test_a_share_takes_that_part_of_the_mean_the_surest_of_each_class(share: float, of_a_hundred: int) -> None:
    rows = [(f"{label}-{i}", label, i / 300) for label, count in ((0, 150), (1, 50)) for i in range(count)]
    selected = chosen(rows, classes=2, threshold=0.0, per_class=share)
    assert [row["rows"] for row in selected.classes] == [of_a_hundred] * 2
    kept = copies(selected)
    assert {id for id in kept if id.startswith("0-")} == {f"0-{i}" for i in range(150 - of_a_hundred, 150)}


def test_mean_gives_as_many_rows_in_all_as_pass_the_threshold_rounded_up() -> None:
    rows = predictions(200)
    passing = sum(row[2] >= 0.4 for row in rows)
    n = -(-passing // 3)
    selected = chosen(rows, threshold=0.4, per_class="mean")
    assert copies(selected) == exact(rows, n, 0.4, 0)
    assert [row["rows"] for row in selected.classes] == [n] * 3
    assert passing <= 3 * n < passing + 3


def test_a_class_without_a_candidate_stays_empty_and_is_reported() -> None:
    rows = [("a", 0, 0.9), ("b", 2, 0.2), ("c", 0, 0.5)]
    selected = chosen(rows, classes=4, threshold=0.3, per_class=3)
    assert [
        {k: row[k] for k in ("class", "candidates", "above_threshold", "kept", "rows")} for row in selected.classes
    ] == [
        {"class": 0, "candidates": 2, "above_threshold": 2, "kept": 2, "rows": 3},
        {"class": 1, "candidates": 0, "above_threshold": 0, "kept": 0, "rows": 0},
        {"class": 2, "candidates": 1, "above_threshold": 0, "kept": 0, "rows": 0},
        {"class": 3, "candidates": 0, "above_threshold": 0, "kept": 0, "rows": 0},
    ]
    assert [row["threshold"] for row in selected.classes] == [0.5, None, None, None]


def test_the_summary_adds_up() -> None:
    rows = predictions(300)
    selected = chosen(rows, threshold=0.5, per_class=40)
    by_id = {row[0]: row for row in rows}
    for label, summary in enumerate(selected.classes):
        mine = {id: count for id, count in copies(selected).items() if by_id[id][1] == label}
        assert summary["candidates"] == sum(row[1] == label for row in rows)
        assert summary["above_threshold"] == sum(row[1] == label and row[2] >= 0.5 for row in rows)
        assert summary["kept"] == len(mine)
        assert summary["rows"] == sum(mine.values())
        assert summary["threshold"] == min(by_id[id][2] for id in mine)


def test_excluded_images_are_never_selected_and_others_take_their_place() -> None:
    rows = [(f"{i}", 0, 0.9 - i / 100) for i in range(6)]
    selected = chosen(rows, classes=1, per_class=3, excluded=("0", "2", "not there"))
    assert copies(selected) == {"1": 1, "3": 1, "4": 1}
    assert selected.classes[0]["candidates"] == 6
    assert selected.classes[0]["above_threshold"] == 4


@pytest.mark.parametrize("mode", ["exact", "official"])
def test_neither_the_order_of_the_rows_nor_the_files_change_anything(tmp_path: Path, mode: str) -> None:
    rows = predictions(200)
    selection = Selection(threshold=0.2, per_class=50, mode=mode)  # type: ignore[arg-type]
    whole = choose(table(rows), selection, classes=3, seed=1)
    draw = np.random.default_rng(0)
    for parts in (1, 2, 7):
        folder = tmp_path / str(parts)
        folder.mkdir()
        for number, part in enumerate(np.array_split(draw.permutation(len(rows)), parts)):
            pq.write_table(table([rows[i] for i in part]), folder / f"part-{number:05d}.parquet")
        split = choose(parts_glob(folder), selection, classes=3, seed=1)
        assert split.table.equals(whole.table)
        assert split.classes == whole.classes
    assert whole.table.schema.equals(SELECTION_SCHEMA)
    assert whole.table["id"].to_pylist() == sorted(whole.table["id"].to_pylist())


@pytest.mark.parametrize("mode", ["exact", "official"])
def test_another_seed_draws_others(mode: str) -> None:
    rows = predictions(200)
    first, other = (copies(chosen(rows, seed=seed, threshold=0.0, per_class=90, mode=mode)) for seed in (0, 1))
    assert first != other


def test_nothing_above_the_threshold_is_an_empty_table() -> None:
    selected = chosen(predictions(20), threshold=1.0, per_class="mean")
    assert selected.table.num_rows == 0
    assert selected.table.schema.equals(SELECTION_SCHEMA)
    assert chosen([], threshold=0.0).table.num_rows == 0


def test_ids_with_quotes_and_newlines_stay_as_they_are() -> None:
    ids = ["it's", 'a "b"', "x\ny", "<script>", "é", "; DROP TABLE prediction"]
    selected = chosen([(id, 0, 0.9) for id in ids], classes=1, per_class=12, excluded=("it's",))
    assert set(copies(selected)) == set(ids[1:])
    assert sum(copies(selected).values()) == 12


def test_reassigned_labels_are_the_new_teachers_for_the_old_images_and_copies() -> None:
    old = chosen([("a", 0, 0.9), ("b", 0, 0.8), ("c", 1, 0.7), ("d", 1, 0.1)], threshold=0.5, per_class=2)
    new = table([("a", 1, 0.6), ("b", 0, 0.55), ("c", 2, 0.99), ("d", 2, 0.98)])
    selected = relabel(new, old.table, classes=3)
    rows = [(row["id"], row["label"], round(row["confidence"], 3), row["copies"]) for row in selected.table.to_pylist()]
    assert rows == [("a", 1, 0.6, 1), ("b", 0, 0.55, 1), ("c", 2, 0.99, 2)]
    assert selected.table.schema.equals(SELECTION_SCHEMA)
    assert [(row["candidates"], row["kept"], row["rows"]) for row in selected.classes] == [
        (1, 1, 1),
        (1, 1, 1),
        (2, 1, 2),
    ]
    with pytest.raises(UserError, match="1 selected images have no prediction, such as 'c'"):
        relabel(new.slice(0, 2), old.table, classes=3)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(UserError, match="no column label, confidence; there are id, score"):
        choose(pa.table({"id": ["a"], "score": [1.0]}), Selection(), classes=2, seed=0)


def test_a_folder_without_parts_is_the_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"has no predictions \(part-\*.parquet\)"):
        parts_glob(tmp_path)


def test_brackets_in_the_name_of_a_folder_are_no_pattern(tmp_path: Path) -> None:
    folder = tmp_path / "trial [1] *?"
    folder.mkdir()
    pq.write_table(table([("a", 0, 0.9)]), folder / "part-00000.parquet")
    assert choose(parts_glob(folder), Selection(), classes=1, seed=0).table["id"].to_pylist() == ["a"]


ROWS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 40)), min_size=1, max_size=30
)  # label, confidence in fortieths: many ties


@settings(max_examples=12, derandomize=True)
@given(rows=ROWS, n=st.integers(1, 12), threshold=st.sampled_from([0.0, 0.3, 0.5, 0.975]), seed=st.integers(0, 3))
def test_exact_selection_is_the_reference_whatever_the_predictions(
    rows: list[tuple[int, int]], n: int, threshold: float, seed: int
) -> None:
    named = [(f"i{i}", label, float(np.float32(c / 40))) for i, (label, c) in enumerate(rows)]
    selected = chosen(named, classes=4, seed=seed, threshold=threshold, per_class=n)
    assert copies(selected) == exact(named, n, threshold, seed)
    for summary in selected.classes:
        assert summary["rows"] == (n if summary["above_threshold"] else 0)
        assert summary["kept"] == min(n, summary["above_threshold"])


@settings(max_examples=12, derandomize=True)
@given(rows=ROWS, n=st.integers(1, 12), threshold=st.sampled_from([0.0, 0.3, 0.5, 0.975]), seed=st.integers(0, 3))
def test_official_selection_is_the_reference_whatever_the_predictions(
    rows: list[tuple[int, int]], n: int, threshold: float, seed: int
) -> None:
    named = [(f"i{i}", label, float(np.float32(c / 40))) for i, (label, c) in enumerate(rows)]
    assert copies(chosen(named, classes=4, seed=seed, threshold=threshold, per_class=n, mode="official")) == official(
        named, n, threshold, seed
    )


def test_what_does_not_fit_into_the_memory_given_is_chosen_from_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count, spilled = 1_500_000, []
    ids = pa.array([f"a/rather/long/name/of/an/image/{i:09d}.jpg" for i in range(count)])
    draw = np.random.default_rng(0)
    labels, sure = draw.integers(0, 10, count, dtype=np.int32), draw.random(count, dtype=np.float32)
    images = pa.table({"id": ids, "label": labels, "confidence": sure})

    def seen(*arguments: object) -> Selected:
        spilled.append(sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()))
        return _selected(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("noisystudent.pseudo.select._selected", seen)
    selection = Selection(
        threshold=0.0, per_class=200_000
    )  # every class is short, so that a draw of every image is kept
    small = Execution(table_memory_gib=0.1, spill_folder=str(tmp_path))
    from_disk = choose(images, selection, classes=10, seed=0, execution=small)
    assert from_disk.table.equals(choose(images, selection, classes=10, seed=0).table)
    assert spilled[0] > 5_000_000
    assert spilled[1] == 0
    assert {row["rows"] for row in from_disk.classes} == {200_000}
