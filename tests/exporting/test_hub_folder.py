"""The folder that goes to the hub, and its way there."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import HfApi, parse_eval_result_entries
from huggingface_hub.errors import LocalTokenNotFoundError
from run_writer import RunWriter

from noisystudent.errors import RunError, UserError
from noisystudent.exporting.hub_folder import push, write_hub_folder
from noisystudent.models.classifier import Classifier


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """What the hub is asked for."""
    made: list[tuple[str, dict[str, Any]]] = []

    def create(self: HfApi, repository: str, **how: Any) -> str:
        made.append((repository, how))
        return f"https://huggingface.co/{repository}"

    monkeypatch.setattr(HfApi, "create_repo", create)
    monkeypatch.setattr(HfApi, "upload_folder", lambda self, **how: made.append(("upload", how)))
    return made


def test_a_folder_goes_to_a_private_repository(calls: list[Any], tmp_path: Path) -> None:
    assert push(tmp_path, "me/mine") == "https://huggingface.co/me/mine"
    assert calls[0] == ("me/mine", {"private": True, "exist_ok": True})
    assert calls[1][1]["folder_path"] == tmp_path


@pytest.mark.parametrize(
    ("problem", "kind"), [(LocalTokenNotFoundError("no token"), UserError), (ConnectionError("no network"), RunError)]
)
def test_who_may_not_write_there_or_cannot_reach_it_is_told(
    problem: Exception, kind: type[Exception], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fails(self: HfApi, *_: Any, **__: Any) -> None:
        raise problem

    monkeypatch.setattr(HfApi, "create_repo", fails)
    with pytest.raises(kind, match=f"--push me/mine: .*no (token|network).*{tmp_path} is written"):
        push(tmp_path, "me/mine")


def test_a_name_that_is_none_is_the_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--push a name: "):
        push(tmp_path, "a name")


def test_results_on_a_data_set_of_the_hub_are_said_in_its_form(classifier: Classifier, tmp_path: Path) -> None:
    run = RunWriter(tmp_path / "run").write()
    config = run / "config.toml"
    config.write_text(config.read_text().replace('test = ""', 'test = "hf:owner/flowers:test"'))
    classifier.save(run / "gen-2" / "model")
    write_hub_folder(classifier, tmp_path / "out", run / "gen-2")
    [entry] = parse_eval_result_entries(yaml.safe_load((tmp_path / "out/.eval_results/noisystudent.yaml").read_text()))
    assert (entry.dataset_id, entry.task_id, entry.value) == ("owner/flowers", "default", 80.0)
    assert "200 images, 95 % interval 73.91 to 84.95" in entry.notes
