"""The command line: parse, call, print."""

from __future__ import annotations

import functools
import os
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from noisystudent import __version__, screen
from noisystudent.board.commands import board
from noisystudent.cli_checks import (
    check_answerable,
    check_results,
    check_sources,
    check_there,
    execution_of,
    named_images,
    tables_of,
)
from noisystudent.cli_command import Json, Quiet, commands_of
from noisystudent.cli_options import (
    MODEL,
    SRC,
    ConfigFile,
    Device,
    Images,
    Labeled,
    Model,
    Out,
    Precision,
    Recipe,
    RowFile,
    RowFormat,
    Settings,
    Sources,
    SpillFolder,
    TableMemory,
    Test,
    Unlabeled,
    Val,
    WeightsOption,
)
from noisystudent.config import Selection
from noisystudent.config.reading import validate
from noisystudent.config.settings import parse_value
from noisystudent.errors import UserError
from noisystudent.extras import needing
from noisystudent.inference.wanted import Wanted
from noisystudent.processes import is_first

app = typer.Typer(
    name="noisystudent",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

command = commands_of(app, around=functools.partial(needing, "train"))
command_without_torch = commands_of(app)
app.add_typer(board)


def _version(asked: bool) -> None:
    if asked:
        print(f"noisystudent {__version__}")  # noqa: T201
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Noisy Student Training: a few labeled images and many without labels, one better classifier."""


@command(example="noisystudent demo --out demo/")
def demo(
    out: Annotated[Path, typer.Option(help="Where the images and the runs go.")] = Path("demo"),
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds; each is a run of its own.")] = 1,
    as_json: Json = False,
    quiet: Quiet = False,
) -> Any:
    """The whole loop on scikit-learn's digits: 20 labels, 1,277 images without. No download."""
    from noisystudent.demo import demo as run_demo

    return run_demo(out, seeds=seeds), screen.show_demo


@command(example="noisystudent run --labeled labeled/ --unlabeled unlabeled/ --out run/")
def run(
    labeled: Labeled = "",
    unlabeled: Unlabeled = "",
    out: Annotated[  # no path: of an address it would lose slashes
        str,
        typer.Option(help="A new folder, an empty one, or one to go on with; or its address, such as s3://bucket/run."),
    ] = "",
    val: Val = "",
    test: Test = "",
    recipe: Recipe = "photos-fast",
    weights: WeightsOption = "",
    corrections: Annotated[
        str,
        typer.Option(
            help="A table that `review` wrote, filled in: that run anew with the answers, in a new --out, from what is still valid."
        ),
    ] = "",
    config: ConfigFile = None,
    settings: Settings = None,
    engine: Annotated[
        str,
        typer.Option(
            help="local, or ray: workers of a cluster (docs/several-processes.md); as --set execution.engine=ray."
        ),
    ] = "",
    profile: Annotated[
        bool, typer.Option("--profile", help="Say where the time of each stage went; as --set execution.profile=true.")
    ] = False,
    tracker: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Follow the run in tensorboard, wandb, mlflow or trackio; may be repeated; as --set execution.trackers.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check the data and try each network for a step; train and write nothing.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> Any:
    """The whole loop: teacher, pseudo-labels, students, baseline, report. Given again on the same folder, it goes on."""
    from noisystudent.configuration import configure

    chosen = configure(
        recipe,
        config=config,
        settings=[
            *(settings or ()),
            *([f"execution.engine={engine}"] if engine else []),
            *(["execution.profile=true"] if profile else []),
            *([f"execution.trackers={tracker}"] if tracker else []),
        ],
        labeled=labeled,
        unlabeled=unlabeled,
        val=val,
        test=test,
        weights=weights,
        corrections=corrections,
    )
    check_sources(chosen, Path(out) if out else None, missing_out=not out and not dry_run)
    if dry_run:
        from noisystudent.dry_run import dry_run as try_everything

        return try_everything(chosen), screen.show_dry_run
    if chosen.execution.engine == "ray":
        from noisystudent.ray_cluster import run_on_ray as run_everything
    else:
        from noisystudent.pipeline import run as run_everything

    return run_everything(chosen, out), functools.partial(screen.show_run, out=out)


@command(example="noisystudent plan --labeled 5000 --unlabeled 1000000 --classes 100 --workers 8")
def plan(
    labeled: Annotated[int, typer.Option(min=1, help="How many labeled images.")] = ...,  # type: ignore[assignment]
    unlabeled: Annotated[int, typer.Option(min=0, help="How many images without labels.")] = ...,  # type: ignore[assignment]
    classes: Annotated[int, typer.Option(min=2, help="How many classes.")] = ...,  # type: ignore[assignment]
    workers: Annotated[int, typer.Option(min=1, help="How many machines or GPUs like the one measured.")] = 1,
    long_side: Annotated[int, typer.Option(min=8, help="Of the pictures in their files, in pixels.")] = 500,
    rates: Annotated[
        Path | None,
        typer.Option(help="Images a second measured elsewhere: what `plan --json` printed there, or such a file."),
    ] = None,
    recipe: Recipe = "photos-fast",
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> Any:
    """What a run would take, with more images and machines than there are here: hours, storage, where the time goes."""
    from noisystudent.configuration import configure

    chosen = configure(recipe, config=config, settings=settings or ())
    from noisystudent.planner import plan as plan_run

    sizes = {"labeled": labeled, "unlabeled": unlabeled, "classes": classes, "workers": workers}
    return plan_run(chosen, **sizes, long_side=long_side, rates=rates or ""), screen.show_plan


@command(example="noisystudent train --labeled labeled/ --out teacher/")
def train(
    labeled: Labeled = "",
    out: Out = ...,  # type: ignore[assignment]
    val: Val = "",
    test: Test = "",
    recipe: Recipe = "photos-fast",
    weights: WeightsOption = "",
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> Any:
    """A teacher, or a supervised baseline: labels only."""
    from noisystudent.configuration import configure

    chosen = configure(
        recipe, config=config, settings=settings or (), labeled=labeled, val=val, test=test, weights=weights
    )
    check_sources(chosen.model_copy(update={"generations": ()}), out)
    from noisystudent import commands

    return commands.train(chosen, out), functools.partial(screen.show_run, out=out)


@command(example="noisystudent label --model teacher/ --images unlabeled/ --out predictions/")
def label(
    model: Model = ...,  # type: ignore[assignment]
    images: Images = ...,  # type: ignore[assignment]
    out: Out = ...,  # type: ignore[assignment]
    top_k: Annotated[
        int, typer.Option("--top-k", min=0, help="Keep the probabilities of so many most probable classes; 0: of all.")
    ] = 0,
    device: Device = "auto",
    precision: Precision = "auto",
    as_json: Json = False,
    quiet: Quiet = False,
) -> Any:
    """Have a teacher predict images: a predictions table."""
    execution = execution_of(device, precision)
    check_there(model, images=images)
    from noisystudent import commands

    return commands.label(model, images, out, execution=execution, top_k=top_k), screen.show_labeled


@command(example="noisystudent select --predictions predictions/ --out selection/ --threshold 0.5")
def select(
    predictions: Annotated[Path, typer.Option(help="A folder that `label` wrote.")],
    out: Out,
    threshold: Annotated[float, typer.Option(min=0, max=1, help="The least confidence.")] = 0.3,
    per_class: Annotated[
        str,
        typer.Option(
            help="Rows a class after balancing; 0: neither cap nor fill; mean: as many in all as pass; 0.25: that share of mean."
        ),
    ] = "130000",
    mode: Annotated[
        Literal["exact", "official"], typer.Option(help="The paper's text, or the released code's rule.")
    ] = "exact",
    seed: Annotated[int, typer.Option(min=0)] = 0,
    memory: TableMemory = 1.0,
    spill_folder: SpillFolder = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> Any:
    """Filter predictions by confidence and balance their classes: a selection table."""
    from noisystudent.pseudo import selecting

    values = {"threshold": threshold, "per_class": parse_value(per_class), "mode": mode}
    selection = validate(values, Selection, where="select")
    return selecting.select(
        predictions, out, selection, seed=seed, execution=tables_of(memory, spill_folder)
    ), screen.show_selection


@command(example="noisystudent reassign --predictions new/ --selection selection/ --out selection-2/")
def reassign(
    predictions: Annotated[Path, typer.Option(help="A folder that `label` wrote with the new teacher.")],
    selection: Annotated[Path, typer.Option(help="A folder that `select` wrote.")],
    out: Out,
    memory: TableMemory = 1.0,
    spill_folder: SpillFolder = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> Any:
    """A new teacher's labels for the images of an old selection."""
    from noisystudent.pseudo import selecting

    return selecting.reassign(
        predictions, selection, out, execution=tables_of(memory, spill_folder)
    ), screen.show_selection


@command(example="noisystudent student --labeled labeled/ --unlabeled unlabeled/ --selection selection/ --out student/")
def student(
    labeled: Labeled = "",
    unlabeled: Unlabeled = "",
    selection: Annotated[Path, typer.Option(help="A folder that `select` wrote.")] = ...,  # type: ignore[assignment]
    out: Out = ...,  # type: ignore[assignment]
    val: Val = "",
    test: Test = "",
    recipe: Recipe = "photos-fast",
    weights: WeightsOption = "",
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> Any:
    """A student: labels and selected pseudo-labels, under noise."""
    from noisystudent.configuration import configure

    chosen = configure(
        recipe,
        config=config,
        settings=settings or (),
        labeled=labeled,
        unlabeled=unlabeled,
        val=val,
        test=test,
        weights=weights,
    )
    check_sources(chosen, out)
    from noisystudent import commands

    return commands.student(chosen, selection, out), functools.partial(screen.show_run, out=out)


@command(example="noisystudent evaluate --model run/ --data test/ --suite clean,calibration")
def evaluate(
    model: Model = ...,  # type: ignore[assignment]
    data: Annotated[str, typer.Option(help=f"Labeled images: {SRC}.")] = ...,  # type: ignore[assignment]
    suite: Annotated[
        str,
        typer.Option(
            help="What to measure, separated by commas: clean, a, r, v2, sketch, real, c, p, adversarial, calibration."
        ),
    ] = "clean",
    val: Annotated[str, typer.Option(help="Validation images, for the temperature of --suite calibration.")] = "",
    normalizers: Annotated[
        str,
        typer.Option(
            help="What corruption errors are divided by: alexnet, none, or a .json file. Without it AlexNet's; none below 64 px."
        ),
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option(help="Write the metrics to this .json file as well; a long evaluation goes on beside it."),
    ] = None,
    reference: Annotated[
        bool,
        typer.Option(
            "--reference", help="Beside it, what timm's tables have of this timm name, and whether it agrees."
        ),
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of the bootstrap, and of what is drawn.")] = 0,
    device: Device = "auto",
    as_json: Json = False,
    quiet: Quiet = False,
) -> Any:
    """Measure a model on labeled images: accuracy, robustness, calibration, with 95 % intervals."""
    execution = execution_of(device)
    check_there(model, data=data, val=val)
    from noisystudent import atomic, commands
    from noisystudent.evaluation.suites import suite_names

    if out:
        check_results(out, model, data)
    suites = suite_names(suite)
    long = {"c", "p", "adversarial"} & set(suites)
    results = commands.evaluate(
        model,
        data,
        suites=suites,
        val=val,
        normalizers=normalizers,
        seed=seed,
        cells=out.with_suffix(".cells") if out and long else None,
        reference=reference,
        execution=execution,
    )
    if out and is_first():
        atomic.write_json(out, results)
    return results, screen.show_evaluation


@command(example="noisystudent profile resnet50 --size 224")
def profile(
    model: Annotated[str, typer.Argument(help=f"{MODEL}.")],
    size: Annotated[
        int | None, typer.Option(min=1, help="Side of an image in pixels; without it the model's own.")
    ] = None,
    batch: Annotated[int, typer.Option(min=1, help="Images at a time.")] = 32,
    device: Device = "auto",
    as_json: Json = False,
    quiet: Quiet = False,
) -> Any:
    """What an image costs: parameters, multiply-adds, images a second, memory."""
    execution = execution_of(device)
    from noisystudent import commands

    return commands.profile(model, size=size, batch=batch, execution=execution), screen.show_profile


@command(example="noisystudent predict --model run/ photos/*.jpg --top-k 3")
def predict(
    sources: Sources = None,
    model: Model = ...,  # type: ignore[assignment]
    images: Images = "",
    out: RowFile = "",
    format: RowFormat = None,
    top_k: Annotated[
        int, typer.Option("--top-k", min=0, help="The most probable classes with their probabilities, so many.")
    ] = 0,
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="The probability of each class; a .parquet file has them anyway.")
    ] = False,
    abstain_below: Annotated[float, typer.Option(min=0, max=1, help="No class where the confidence is less.")] = 0.0,
    min_precision: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="No class below the confidence from which on this share of the answers, such as 0.95, is right on validation images.",
        ),
    ] = 0.0,
    val: Annotated[
        str, typer.Option(help="Validation images for --min-precision; without them those of the run.")
    ] = "",
    device: Device = "auto",
    precision: Precision = "auto",
    as_json: Json = False,
    quiet: Quiet = False,
) -> Any:
    """The class of each image, with its confidence: a table that, corrected by hand, is a labeled source."""
    execution, named = execution_of(device, precision), named_images(images, sources)
    wanted = Wanted(top_k, probabilities, abstain_below, min_precision, val)
    wanted.check()
    check_answerable(model, named, out, val=val, format=format if out or as_json else None)
    from noisystudent.inference.predict import predicting

    answers = predicting(model, named, wanted, ending=os.path.splitext(out)[1], execution=execution)
    return answers.deliver(out, format or "csv", as_json=as_json), screen.show_labeled


@command(example="noisystudent embed --model run/ photos/ --out features.parquet")
def embed(
    sources: Sources = None,
    model: Model = ...,  # type: ignore[assignment]
    images: Images = "",
    out: RowFile = "",
    format: RowFormat = None,
    device: Device = "auto",
    precision: Precision = "auto",
    as_json: Json = False,
    quiet: Quiet = False,
) -> Any:
    """What a network sees in each image: the features that its last layer is given, a row each."""
    execution, named = execution_of(device, precision), named_images(images, sources)
    check_answerable(model, named, out, format=format if out or as_json else None)
    from noisystudent.inference.embed import embedding

    answers = embedding(model, named, execution=execution)
    return answers.deliver(out, format or "csv", as_json=as_json), screen.show_labeled


@command(example="noisystudent export --model run/ --format onnx --out model.onnx")
def export(
    model: Model = ...,  # type: ignore[assignment]
    form: Annotated[
        str,
        typer.Option(
            "--format", help="timm or hub, a folder; onnx, onnx-int8 or pt2, a file from pixels to probabilities."
        ),
    ] = "hub",
    out: Annotated[Path, typer.Option(help="A new folder or file.")] = ...,  # type: ignore[assignment]
    data: Annotated[
        str, typer.Option(help="Images on which a file is compared with the network; without it the run's own.")
    ] = "",
    push: Annotated[
        str, typer.Option(metavar="OWNER/NAME", help="Put a folder for the hub there, with your own token.")
    ] = "",
    as_json: Json = False,
    quiet: Quiet = False,
) -> Any:
    """The network in a form for other programs; a file is kept only if it answers as the network does."""
    if push and form != "hub":
        raise UserError(f"--push is for --format hub, not {form}")
    check_there(model, data=data)
    from noisystudent.exporting.forms import export as exported
    from noisystudent.exporting.hub_folder import push as pushed

    found = exported(model, form, out, data=data)
    return found | ({"pushed": pushed(out, push)} if push else {}), screen.show_exported


@command(example="noisystudent review run/ --out review.csv")
def review(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    out: Annotated[
        Path,
        typer.Option(
            help="A new .csv file, the table to fill in; the page with pictures is written beside it, as .html."
        ),
    ] = ...,  # type: ignore[assignment]
    most: Annotated[int, typer.Option(min=1, max=1000, help="Images.")] = 200,
    label_studio: Annotated[
        str, typer.Option("--label-studio", help="A new .json file with tasks for Label Studio as well.")
    ] = "",
    fiftyone: Annotated[str, typer.Option(help="A new .json file with a data set for FiftyOne as well.")] = "",
    device: Device = "auto",
    as_json: Json = False,
    quiet: Quiet = False,
) -> Any:
    """Which images of a run are worth a look: doubtful ones, wrong labels, copies, pictures of no class."""
    from noisystudent.review.commands import review as find_images

    execution = execution_of(device, "auto")
    forms = {"label_studio": label_studio, "fiftyone": fiftyone}
    return find_images(run, out, most=most, **forms, execution=execution), screen.show_review


@command(example="noisystudent report run/")
def report(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    as_json: Json = False,
    quiet: Quiet = False,
) -> Any:
    """Write the run's HTML report anew."""
    from noisystudent.report.html import write_report

    return {"report": str(write_report(run))}, screen.show_report


@command_without_torch(example="noisystudent recipes photos-fast")
def recipes(
    name: Annotated[str | None, typer.Argument(help="Print this recipe's whole configuration.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> Any:
    """What recipes there are, and what one expands to."""
    from noisystudent.recipes import RECIPES, recipe, sources, summary

    if name:
        config, origins = recipe(name), sources(name)
        return config.model_dump(mode="json"), lambda _: screen.show_configuration(config.to_toml(), origins)
    return {name: summary(name) for name in RECIPES}, screen.show_recipes


@command(example="noisystudent doctor --json")
def doctor(as_json: Json = False, quiet: Quiet = False) -> Any:
    """What this machine has, and what that means for a run."""
    from noisystudent.doctor import examine

    return examine(), screen.show_doctor


def main() -> None:
    """The entry point of the `noisystudent` command."""
    for argument in sys.argv[1:]:
        if not argument.isprintable() and "\\udc" in ascii(argument):  # a byte that is not UTF-8, as Python keeps it
            print(f"noisystudent: {argument!a} is not UTF-8: rename the file or folder", file=sys.stderr)  # noqa: T201
            raise SystemExit(2)
    app()


if __name__ == "__main__":
    main()
