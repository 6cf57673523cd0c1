"""A folder as Hugging Face's hub keeps models: timm's files, and a model card that says what the network is and how good."""

from __future__ import annotations

import json
from pathlib import Path

from huggingface_hub import EvalResultEntry, HfApi, eval_result_entries_to_yaml
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalTokenNotFoundError

from noisystudent import atomic
from noisystudent.errors import RunError, UserError
from noisystudent.exporting.model_card import SETTINGS, hub_data_set, model_card, settings
from noisystudent.models.classifier import Classifier
from noisystudent.report.run_reader import Network, Run, read_run
from noisystudent.rundir import folder_called, run_of

RESULTS = ".eval_results/noisystudent.yaml"


def write_hub_folder(classifier: Classifier, out: Path, model: str | Path) -> None:
    """Write timm's files, `README.md`, a run's `settings.toml` and, of held-out images that are a data set of the hub, `.eval_results/`.

    Args:
        classifier: what is written.
        out: a new folder, whose name is the model's.
        model: what the classifier was opened from, perhaps of a run.
    """
    of = run_of(model)
    run = read_run(of.path) if of else None
    network = _network_of(run, folder_called(model)) if run else None
    with atomic.replacing_folder(out) as temporary:
        classifier.save(temporary)
        (temporary / "README.md").write_text(model_card(out.name, classifier, run, network), encoding="utf-8")
        if run:
            (temporary / SETTINGS).write_text(settings(run.config), encoding="utf-8")
        if run and network and (entry := _result(run, network)):
            (temporary / RESULTS).parent.mkdir()
            # JSON is YAML too, and escapes what has to be.
            (temporary / RESULTS).write_text(
                json.dumps(eval_result_entries_to_yaml([entry]), indent=1), encoding="utf-8"
            )


def _network_of(run: Run, model: Path | None) -> Network | None:
    """Which of the run's networks is in that model folder."""
    return next((its for its in run.networks if model and (its.folder / "model").resolve() == model.resolve()), None)


def _result(run: Run, network: Network) -> EvalResultEntry | None:
    results = network.results or {}
    split = results.get("split")
    data_set = hub_data_set(run, split) if split else None
    if data_set is None:
        return None
    low, high = results["ci95"]["top1"]
    return EvalResultEntry(
        dataset_id=data_set,
        task_id="default",
        value=results["metrics"]["top1"],
        notes=f"top-1 accuracy in percent, split {split}, {results['n']} images, 95 % interval {low:.2f} to {high:.2f}",
    )


def push(folder: Path, repository: str) -> str:
    """Put a folder on the hub, with the token of who is logged in there (`hf auth login`, or HF_TOKEN).

    Args:
        folder: what `write_hub_folder` wrote.
        repository: `owner/name`; a new one is private.

    Returns:
        Its address.

    Raises:
        UserError: there is no token, or it may not write there.
        RunError: the hub cannot be reached.
    """
    hub = HfApi()
    try:
        made = hub.create_repo(repository, private=True, exist_ok=True)
        hub.upload_folder(repo_id=repository, folder_path=folder, commit_message="Written by noisystudent")
    except (HFValidationError, LocalTokenNotFoundError, HfHubHTTPError) as problem:
        raise UserError(f"--push {repository}: {' '.join(str(problem).split())}. {folder} is written") from None
    except (
        Exception
    ) as problem:  # no network, a broken connection: each version of the hub's package has errors of its own
        raise RunError(f"--push {repository}: the hub cannot be reached ({problem}); {folder} is written") from None
    return str(made)
