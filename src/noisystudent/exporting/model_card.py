"""The model card of a network: what it is, what it learned from, how good it is, and where it should not be believed."""

from __future__ import annotations

import os
import re

from huggingface_hub import EvalResult, ModelCardData

from noisystudent.config import Config
from noisystudent.data.uris import hf_source
from noisystudent.models.classifier import Classifier
from noisystudent.report.run_reader import Network, Run
from noisystudent.report.visible import number, visible

PAPER = "[Noisy Student Training](https://arxiv.org/abs/1911.04252)"
OWN_IMAGES = "images of the run's own"
SETTINGS = "settings.toml"
AGAIN = f"`noisystudent run --config {SETTINGS}` with images of yours trains such a network."
_MARKS = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~&$])")


def model_card(name: str, classifier: Classifier, run: Run | None, network: Network | None) -> str:
    """The text of the card, its figures at the top in the form that the hub reads.

    Args:
        name: of the model.
        classifier: what is described.
        run: where it was trained; None: not known.
        network: which of the run's it is; None: not known.
    """
    parts = [f"# {as_text(name)}", _is(classifier, run), _opens(name), *(_run_says(run, network) if run else [])]
    parts += ["## Classes", ", ".join(map(as_text, classifier.class_names)) + ".", "## Limits", _limits(run)]
    return f"---\n{_data(name, run, network).to_yaml()}\n---\n\n" + "\n\n".join(parts) + "\n"


def hub_data_set(run: Run, split: str) -> str | None:
    """The name on the hub of the data set that a split is from; None where it is from elsewhere."""
    source = {"test": run.config.data.test, "val": run.config.data.val}.get(split, "")
    if not source.startswith("hf:"):
        return None
    name, _ = hf_source(source)
    return None if os.path.isabs(name) else name


def as_text(text: str) -> str:
    r"""Foreign text for Markdown: what cannot be seen as an escape, and no mark that means something there.

    Example:
        >>> as_text("<b>a|b</b>")
        '\\<b\\>a\\|b\\</b\\>'
    """
    return _MARKS.sub(r"\\\1", visible(text))


def _data(name: str, run: Run | None, network: Network | None) -> ModelCardData:
    results = network.results if network else None
    split = results["split"] if results else None
    evaluated = []
    if run and results and split:
        data_set = hub_data_set(run, split)
        evaluated = [
            EvalResult(
                task_type="image-classification",
                dataset_type=data_set or "custom",
                dataset_name=data_set or OWN_IMAGES,
                dataset_split=split,
                metric_type="accuracy",
                metric_name="top-1 accuracy",
                metric_value=round(results["metrics"]["top1"] / 100, 4),
            )
        ]
    return ModelCardData(
        library_name="timm",
        pipeline_tag="image-classification",
        tags=["image-classification", "timm", "noisy-student", "noisystudent"],
        model_name=name,
        metrics=["accuracy"] if evaluated else None,
        eval_results=evaluated or None,
    )


def _is(classifier: Classifier, run: Run | None) -> str:
    view = classifier.preprocessing
    shown = f"{view.image_size} x {view.image_size} {'color' if view.channels == 3 else 'grey'} pixels"
    said = f"A network ({as_text(classifier.architecture)}) that tells {len(classifier.class_names)} classes of pictures apart, at {shown}"
    if run is None:
        return f"{said}."
    counts = run.images
    learned = f", trained by {PAPER} from {number(counts['labeled'])} labeled images" if "labeled" in counts else ""
    if "unlabeled" in counts:
        learned += f" and {number(counts['unlabeled'])} without labels"
    return f"{said}{learned}."


def _opens(name: str) -> str:
    return f"""## How to use it

```python
import timm

model = timm.create_model("hf-hub:OWNER/{re.sub(r"[^A-Za-z0-9._-]", "-", name)}", pretrained=True).eval()
view = timm.data.create_transform(**timm.data.resolve_model_data_config(model))
scores = model(view(picture).unsqueeze(0)).softmax(dim=1)  # picture: a Pillow image; class names: model.pretrained_cfg["label_names"]
```

A network of this project's own (`resnet9_16`, `whitened_...`, `efficientnet_lite...` at the paper's sizes) is known to timm after
`import noisystudent.models`."""


def _run_says(run: Run, network: Network | None) -> list[str]:
    parts = []
    if run.measured and run.split:
        rows = ["| network | top-1, % | 95 % interval | images |", "|---|---|---|---|"]
        for other in run.measured:
            results = other.results or {}
            low, high = results["ci95"]["top1"]
            this = " (this one)" if network and other.folder == network.folder else ""
            rows.append(f"| {other.name}{this} | {other.top1:.1f} | {low:.1f} to {high:.1f} | {number(results['n'])} |")
        parts += ["## Results", "\n".join(rows)]
    if run.answer:
        parts += [" ".join([run.answer["sentence"], *run.answer["more"]])]
    config = run.config
    how = f"Recipe {as_text(config.recipe)}, seed" if config.recipe else "Seed"
    return [*parts, "## How it was trained", f"{how} {config.seed}. All settings are in `{SETTINGS}`: {AGAIN}"]


def settings(config: Config) -> str:
    """All settings as a configuration that `run --config` takes, without what says where things lay on somebody's machine."""
    whole = config.model_dump()
    whole["data"] |= dict.fromkeys(("labeled", "unlabeled", "val", "test"), "")
    whole["execution"] = {}
    for training in (whole["teacher"], *(generation["student"] for generation in whole["generations"])):
        training["weights"] = os.path.basename(training["weights"])
    for generation in whole["generations"]:
        generation["teachers"] = [os.path.basename(teacher) for teacher in generation["teachers"]]
    return Config.model_validate(whole).to_toml()


def _limits(run: Run | None) -> str:
    known = [
        "It names one of its classes for any picture, also for one that shows none of them.",
        "How good it is on pictures taken in another way than those it was measured on is not known.",
    ]
    if run is None or run.split is None:
        known.append("Its accuracy was not measured.")
    elif run.answer:
        known += run.answer["advice"]
    return "\n".join(f"- {line}" for line in known)
