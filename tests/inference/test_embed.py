"""The features of any network, in every form."""

import json
from pathlib import Path

import numpy as np
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from noisystudent.config import Execution
from noisystudent.data.images import image_set
from noisystudent.data.sources import read_source
from noisystudent.errors import UserError
from noisystudent.features.embedding import all_features, features_table, take, write_features
from noisystudent.inference.embed import embed
from noisystudent.models.loading import load_classifier

EXECUTION = Execution(device="cpu", labeling_precision="fp32", workers=1, label_batch_size=4, part_rows=3)


@pytest.mark.parametrize("name", ["model", "resnet10t", "test_vit", "test_efficientnet", "test_convnext"])
def test_the_features_are_what_the_last_layer_is_given(name: str, model: Path, pictures: Path, tmp_path: Path) -> None:
    classifier = load_classifier(model if name == "model" else name, weights=False)
    (pictures / "broken.png").write_bytes(b"")
    manifest = read_source(pictures, split="x", labels="ignored")
    pixels, unread = image_set(manifest, classifier.preprocessing, EXECUTION).try_fetch(np.arange(len(manifest)))
    there = [row for row in range(len(manifest)) if row not in unread]
    wanted = classifier.features(pixels[there]).numpy()

    record = embed(classifier, pictures, tmp_path / "f.parquet", execution=EXECUTION)
    assert (record["images"], record["skipped"][0]["id"]) == (7, "broken.png")
    table = pq.read_table(tmp_path / "f.parquet")
    assert table.column_names == ["path", "id", "features"]
    assert table["id"].to_pylist() == [manifest.ids[row] for row in there]
    assert table["path"].to_pylist() == [str(pictures / id) for id in table["id"].to_pylist()]
    found = np.array(table["features"].to_pylist(), np.float32)
    assert found == pytest.approx(wanted, rel=2e-3, abs=1e-3)

    embed(classifier, pictures, tmp_path / "f.csv", execution=EXECUTION)
    flat = pyarrow.csv.read_csv(tmp_path / "f.csv", parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True))
    assert np.stack([flat[f"features.{k}"].to_numpy() for k in range(found.shape[1])], axis=1) == pytest.approx(found)
    embed(classifier, pictures, tmp_path / "f.jsonl", execution=EXECUTION)
    lines = [json.loads(line) for line in (tmp_path / "f.jsonl").read_text().splitlines()]
    assert np.array([line["features"] for line in lines]) == pytest.approx(found)
    if name == "model":
        layer = classifier.network.get_classifier()
        logits = wanted @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
        assert logits == pytest.approx(classifier.logits(pixels[there]).numpy(), abs=1e-5)


def test_the_features_that_come_batch_after_batch_are_those_of_the_parts(
    model: Path, pictures: Path, tmp_path: Path
) -> None:
    classifier = load_classifier(model)
    images = image_set(read_source(pictures, split="x", labels="ignored"), classifier.preprocessing, EXECUTION)
    told: list[int] = []
    batches = list(all_features(classifier, images, EXECUTION, advance=lambda n, _: told.append(n)))
    assert sum(told) == 7
    write_features(classifier, images, tmp_path / "parts", execution=EXECUTION, description="")
    values, _ = take(features_table(tmp_path / "parts"), np.arange(7))
    flat = np.concatenate([table["features"].combine_chunks().flatten().to_numpy() for table, _ in batches])
    assert flat.reshape(7, -1) == pytest.approx(values, rel=2e-3, abs=1e-3)


def test_no_file_is_replaced(model: Path, pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("mine")
    with pytest.raises(UserError, match="is there already"):
        embed(model, pictures, tmp_path / "f.csv", execution=EXECUTION)
