import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from noisystudent.data.manifest import SCHEMA, Manifest
from noisystudent.data.split import split_validation


def manifest(labels: list[int | None]) -> Manifest:
    ids = [f"image {i}" for i in range(len(labels))]
    columns = {"id": ids, "uri": ids, "label": labels, "split": ["x"] * len(labels)}
    return Manifest(pa.table(columns, schema=SCHEMA), ("a", "b", "c"))


@settings(max_examples=50)
@given(
    labels=st.lists(st.sampled_from([0, 1, 2, None]), max_size=60),
    percent=st.integers(0, 99),
    seed=st.integers(0, 2**32),
)
def test_properties(labels: list[int | None], percent: int, seed: int) -> None:
    whole = manifest(labels)
    train, val = split_validation(whole, fraction=percent / 100, seed=seed)
    assert sorted(train.ids + val.ids) == sorted(whole.ids)
    assert set(train.table["split"].to_pylist()) <= {"train"}
    assert set(val.table["split"].to_pylist()) <= {"val"}
    assert val.class_names == whole.class_names
    for label in (0, 1, 2):
        count = labels.count(label)
        assert (val.labels == label).sum() == count * percent // 100
        assert (train.labels == label).any() == (count > 0)
    assert not (val.labels == -1).any()
    shuffled = whole.take(np.random.default_rng(seed).permutation(len(whole)))
    assert set(split_validation(shuffled, fraction=percent / 100, seed=seed)[1].ids) == set(val.ids)


def test_one_image_always_stays_in_training() -> None:
    train, val = split_validation(manifest([0, 0, 1]), fraction=1.0, seed=0)
    assert sorted(train.labels.tolist()) == [0, 1]
    assert val.labels.tolist() == [0]


def test_seeds_differ() -> None:
    whole = manifest([0] * 100)
    chosen = [set(split_validation(whole, fraction=0.2, seed=seed)[1].ids) for seed in (0, 0, 1)]
    assert len(chosen[0]) == 20
    assert chosen[0] == chosen[1]
    assert chosen[0] != chosen[2]


def test_copies_stay_on_one_side_and_the_share_is_kept() -> None:
    whole = manifest([0] * 100)
    groups = np.arange(100) // 2  # every picture is there twice
    train, val = split_validation(whole, fraction=0.2, seed=0, groups=groups)
    rows = {id: row for row, id in enumerate(whole.ids)}
    sides = [{int(groups[rows[id]]) for id in part.ids} for part in (train, val)]
    assert not sides[0] & sides[1]
    assert len(val) == 20


def test_without_copies_the_split_is_the_same_as_ever() -> None:
    whole = manifest([0, 1] * 30)
    alone = split_validation(whole, fraction=0.2, seed=3)
    grouped = split_validation(whole, fraction=0.2, seed=3, groups=np.arange(60)[::-1])
    assert alone[1].ids == grouped[1].ids
