"""Filter the pseudo-labels by confidence and balance their classes (paper section 3.1, spec section 2).

`exact` is the paper's text: of each class the most confident `per_class` images; a class with fewer gets duplicates up to `per_class`.
`official` is the released code's rule: thresholds in steps of 0.01, then copies = floor(r) + Bernoulli(r - floor(r)) with
r = per_class / (images above the threshold), so that a class has `per_class` rows only in expectation.

Draws come from a hash of the seed and the image's id: the answer is the same whatever the order of the rows, the files or the workers.
"""

from __future__ import annotations

import glob
import math
import os
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa

from noisystudent.config import Execution, Selection
from noisystudent.data.duckdb_connections import connected, spilling
from noisystudent.errors import UserError

SELECTION_SCHEMA = pa.schema(
    [("id", pa.string()), ("label", pa.int32()), ("confidence", pa.float32()), ("copies", pa.int32())]
)

# A number in [0, 1) from the seed and an id: 52 bits of MD5, the same in every version of DuckDB.
UNIFORM = "((md5_number_lower($seed || chr(31) || id) & 4503599627370495) / 4503599627370496.0)"


class Selected(NamedTuple):
    """A selection and its summary.

    `table` has SELECTION_SCHEMA, ordered by id; `classes` one dict a class: class, candidates, above_threshold, kept (unique images),
    rows (with copies), threshold (the lowest confidence kept).
    """

    table: pa.Table
    classes: list[dict[str, Any]]


def choose(
    predictions: str | pa.Table,
    selection: Selection,
    *,
    classes: int,
    seed: int,
    excluded: Sequence[str] = (),
    execution: Execution | None = None,
) -> Selected:
    """Choose the rows that a student learns from.

    Args:
        predictions: a table with `id`, `label`, `confidence`, or a glob of Parquet files with them.
        selection: threshold, rows a class, mode.
        classes: how many there are; one without a candidate is reported with zeros, and stays empty.
        seed: of duplicates and, in official mode, of all draws.
        excluded: ids that must not be used (found in validation or test data).
        execution: memory, and the folder for what needs more.

    Raises:
        UserError: a column is missing, or memory and folder are too small.

    Example:
        >>> table = pa.table({"id": ["a", "b", "c"], "label": [0, 0, 1], "confidence": [0.9, 0.2, 0.8]})
        >>> selected = choose(table, Selection(threshold=0.3, per_class=2), classes=2, seed=0)
        >>> selected.table.select(["id", "copies"]).to_pylist()
        [{'id': 'a', 'copies': 2}, {'id': 'c', 'copies': 2}]
    """
    with spilling(execution or Execution()) as database:
        database.register("excluded", pa.table({"id": pa.array(excluded, pa.string())}))
        # As float32, like the column: 0.7 is at least 0.7.
        sure = f"CAST(confidence AS FLOAT) >= CAST({float(selection.threshold)!r} AS FLOAT)"
        _load(database, predictions, f"{sure} AND id NOT IN (FROM excluded)" if excluded else sure)
        per_class = _rows_per_class(database, selection, classes)
        parameters: dict[str, Any]
        if not per_class:
            query, parameters = "SELECT id, label, confidence, 1 AS copies FROM candidate", {}
        elif selection.mode == "exact":
            query, parameters = _exact(database, per_class, seed), {}
        else:
            query, parameters = OFFICIAL, {"n": per_class, "seed": str(seed)}
        return _selected(database, query, parameters, classes)


def relabel(
    predictions: str | pa.Table, selection: pa.Table, *, classes: int, execution: Execution | None = None
) -> Selected:
    """Keep the images and copies of a selection, with the labels and confidences of another teacher's predictions (spec 2.2, step 4).

    Args:
        predictions: as for `choose`.
        selection: SELECTION_SCHEMA.
        classes: how many there are.
        execution: as for `choose`.

    Raises:
        UserError: a selected image has no prediction, a column is missing, or memory and folder are too small.

    Example:
        >>> old = pa.Table.from_pylist([{"id": "a", "label": 0, "confidence": 0.9, "copies": 2}], schema=SELECTION_SCHEMA)
        >>> new = pa.table({"id": ["a", "b"], "label": [1, 0], "confidence": [0.75, 0.5]})
        >>> relabel(new, old, classes=2).table.to_pylist()
        [{'id': 'a', 'label': 1, 'confidence': 0.75, 'copies': 2}]
    """
    with spilling(execution or Execution()) as database:
        database.register("selection", selection)
        _load(database, predictions, "id IN (SELECT id FROM selection)")
        missing = database.execute(
            "SELECT id FROM selection WHERE id NOT IN (SELECT id FROM prediction) ORDER BY id"
        ).fetchall()
        if missing:
            raise UserError(
                f"{len(missing)} selected images have no prediction, such as {missing[0][0]!r}: label the same images"
            )
        query = "SELECT id, p.label, p.confidence, s.copies FROM prediction p JOIN selection s USING (id)"
        return _selected(database, query, {}, classes)


def count_classes(predictions: str | pa.Table) -> int:
    """One more than the highest label among predictions, a table or a glob of Parquet files; 0 where there are none.

    Raises:
        UserError: a column is missing.

    Example:
        >>> count_classes(pa.table({"id": ["a", "b"], "label": [4, 1], "confidence": [0.9, 0.2]}))
        5
    """
    with connected() as database:
        [(highest,)] = _complete(relation(database, predictions)).max("label").fetchall()
    return 0 if highest is None else int(highest) + 1


def _complete(predictions: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    missing = [column for column in ("id", "label", "confidence") if column not in predictions.columns]
    if missing:
        there = ", ".join(predictions.columns)
        raise UserError(f"the predictions have no column {', '.join(missing)}; there are {there}")
    return predictions


def _load(database: duckdb.DuckDBPyConnection, predictions: str | pa.Table, condition: str) -> None:
    """The first scan: views of the predictions and, where they fulfill a condition, the candidates; how many there are of each class."""
    _complete(relation(database, predictions)).create_view("prediction")
    database.execute(f"CREATE VIEW candidate AS FROM prediction WHERE {condition}")
    database.execute(
        "CREATE TABLE counted AS SELECT label, count(*) AS predicted, count(*) FILTER (chosen) AS candidates "
        f"FROM (SELECT label, {condition} AS chosen FROM prediction) GROUP BY label"
    )


def relation(database: duckdb.DuckDBPyConnection, predictions: str | pa.Table) -> duckdb.DuckDBPyRelation:
    """Predictions as DuckDB reads them: a table, or a glob of Parquet files."""
    return database.read_parquet(predictions) if isinstance(predictions, str) else database.from_arrow(predictions)


def _selected(database: duckdb.DuckDBPyConnection, query: str, parameters: Mapping[str, Any], classes: int) -> Selected:
    chosen = database.sql(f"{query} ORDER BY id", params=parameters).to_arrow_table().cast(SELECTION_SCHEMA)
    database.register("selected", chosen)
    summary = database.sql(SUMMARY, params={"classes": classes}).to_arrow_table().to_pylist()
    return Selected(chosen, summary)


def _rows_per_class(database: duckdb.DuckDBPyConnection, selection: Selection, classes: int) -> int:
    wanted = selection.per_class
    if isinstance(wanted, int):
        return wanted
    [(candidates,)] = database.execute("SELECT coalesce(sum(candidates), 0) FROM counted").fetchall()
    share = Fraction(1) if wanted == "mean" else Fraction(str(wanted))  # 0.07 is 7 / 100, which a float is not
    return math.ceil(share * int(candidates) / classes)


def _exact(database: duckdb.DuckDBPyConnection, per_class: int, seed: int) -> str:
    """The paper's text: of a class with enough candidates the surest; of one with fewer all, each as often as it goes round evenly, and
    the copies that do not by the seeded draw.
    """
    n = {"n": per_class}
    database.execute("CREATE TABLE enough AS SELECT label, $n AS place FROM counted WHERE candidates >= $n", n)
    database.execute(FEW, n)
    database.execute(DRAWN, {"seed": str(seed)})
    database.execute(CUT.format(name="surest", classes="enough", images="candidate", value="confidence"))
    database.execute(CUT.format(name="luckiest", classes="few", images="drawn", value="draw"))
    return EXACT


FEW = """
    CREATE TABLE few AS SELECT label, $n // candidates AS rounds, $n % candidates AS place
    FROM counted WHERE candidates > 0 AND candidates < $n
"""

DRAWN = f"""
    CREATE TABLE drawn AS SELECT id, label, confidence, rounds, 1 - {UNIFORM} AS draw FROM candidate JOIN few USING (label)
"""

# Where each class is cut: the value and the id of the image at `place`, the highest values first, then by id. It is counted how many
# lie in each hundredth, and only the one with the cut is ranked: sorting all takes most of the time otherwise.
CUT = """
    CREATE TABLE {name} AS
    WITH binned AS NOT MATERIALIZED (
        SELECT label, id, place, {value} AS value, least(floor({value} * 100), 100) AS bin FROM {images} JOIN {classes} USING (label)
    ), histogram AS (
        SELECT label, bin, place, count(*) AS images FROM binned GROUP BY ALL
    ), gathering AS (
        SELECT *, sum(images) OVER (PARTITION BY label ORDER BY bin DESC) AS gathered FROM histogram
    ), edge AS (
        SELECT label, bin, place - (gathered - images) AS rank FROM gathering
        WHERE gathered >= place AND gathered - images < place
    )
    SELECT label, value, id FROM (
        SELECT *, row_number() OVER (PARTITION BY label ORDER BY value DESC, id) AS row
        FROM binned JOIN edge USING (label, bin)
    ) WHERE row = rank
"""

EXACT = """
    SELECT candidate.id, label, confidence, 1 AS copies FROM candidate JOIN surest USING (label)
    WHERE confidence > value OR (confidence = value AND candidate.id <= surest.id)
    UNION ALL
    SELECT drawn.id, label, confidence,
        rounds + CAST(coalesce(draw > value OR (draw = value AND drawn.id <= luckiest.id), false) AS INTEGER) AS copies
    FROM drawn LEFT JOIN luckiest USING (label)
"""

# The released code. Bins of 0.01 are walked from the top until $n images are gathered; all images of those bins draw.
OFFICIAL = f"""
    WITH binned AS NOT MATERIALIZED (
        SELECT *, least(floor(confidence * 100 + 1e-6), 100) AS bin FROM candidate
    ), histogram AS (
        SELECT label, bin, count(*) AS images FROM binned GROUP BY label, bin
    ), gathering AS (
        SELECT *, sum(images) OVER (PARTITION BY label ORDER BY bin DESC) AS gathered FROM histogram
    ), cut AS (
        SELECT label, coalesce(max(bin) FILTER (gathered >= $n), min(bin)) AS lowest FROM gathering GROUP BY label
    ), share AS (
        SELECT label, any_value(lowest) AS lowest, $n / sum(images) AS expected
        FROM histogram JOIN cut USING (label) WHERE bin >= lowest GROUP BY label
    ), drawn AS MATERIALIZED (  -- a condition on copies would have every draw made twice
        SELECT id, label, confidence,
            CAST(floor(expected) + CAST({UNIFORM} < expected - floor(expected) AS INTEGER) AS INTEGER) AS copies
        FROM binned JOIN share USING (label) WHERE bin >= lowest
    )
    SELECT id, label, confidence, copies FROM drawn WHERE copies > 0
"""

SUMMARY = """
    SELECT class,
        coalesce(any_value(predicted), 0) AS candidates,
        coalesce(any_value(counted.candidates), 0) AS above_threshold,
        count(selected.id) AS kept,
        CAST(coalesce(sum(copies), 0) AS BIGINT) AS rows,
        CAST(min(confidence) AS DOUBLE) AS threshold
    FROM range($classes) AS classes(class) LEFT JOIN counted ON counted.label = class LEFT JOIN selected ON selected.label = class
    GROUP BY class ORDER BY class
"""


def parts_glob(folder: Path) -> str:
    """The glob of a predictions folder's parts.

    Raises:
        UserError: the folder has none.
    """
    if not any(folder.glob("part-*.parquet")):
        raise UserError(f"{folder} has no predictions (part-*.parquet): `noisystudent label` makes them")
    return os.path.join(glob.escape(str(folder)), "part-*.parquet")
