"""What a person sees on stdout when a command is done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.filesize import decimal
from rich.table import Table

from noisystudent.evaluation.next_steps import next_steps
from noisystudent.evaluation.spent import whole_cost
from noisystudent.progress import duration
from noisystudent.stage_profile import worth_saying

Row = dict[str, Any]
MOST_CLASSES = 20  # in a table


def show_run(results: Row, *, out: str | Path) -> None:
    """The run's answer, the table of its networks, and what to do next; `out` is its folder or its address."""
    console, answer = _console(), results["answer"]
    console.print(answer["sentence"])
    for sentence in answer["more"]:
        console.print(sentence)
    console.print(networks_table(results))
    console.print(whole_cost(results["cost"]))
    if "profile" in results:
        console.print(_profile_table(results["profile"]))
    console.print("What to do next")
    for what, line in next_steps(out, measured=answer["split"] is not None, best=results["best"]):
        console.print(f"- {what}:")
        console.print(f"  {line}", soft_wrap=True)
    for advice in answer["advice"]:
        console.print(f"- {advice}")
    if (report := Path(out) / "report.html").exists():
        console.print(f"- More is in the report: {report}", soft_wrap=True)


def _profile_table(profile: Row) -> Table:
    """Where the time of each stage went."""
    table = Table(title="where the time went")
    for column in ("stage", "seconds", "of it"):
        table.add_column(column, justify="right" if column == "seconds" else "left")
    for stage, seconds, parts in worth_saying(profile):
        table.add_row(stage, f"{seconds:.1f}", parts)
    return table


def networks_table(results: Row) -> Table:
    """The networks of a run; columns that would be empty are left out."""
    answer = results["answer"]
    table = Table(
        title=f"accuracy on {answer['measured']}" if answer["measured"] else "what was trained",
        caption="* handed on" if len(results["rows"]) > 1 else None,
        caption_justify="left",
    )
    # Eighty columns hold balanced accuracy or the parameters.
    columns = ["top-1 %", "95 % interval"] if answer["measured"] else []
    columns += ["balanced %"] if answer["balanced"] else ["parameters"]
    for column in ("network", "model", *columns, "seconds"):
        table.add_column(
            column, justify="left" if column in ("network", "model") else "right", no_wrap=column != "model"
        )
    for row in results["rows"]:
        chosen = row["provenance"]["folder"] == results["best"] and len(results["rows"]) > 1
        measured = _measured(row, "top1") if answer["measured"] else []
        last = _measured(row, "balanced_accuracy")[0] if answer["balanced"] else f"{row['metrics']['params']:,}"
        table.add_row(row["name"] + (" *" if chosen else ""), row["model"], *measured, last, f"{row['seconds']:.0f}")
    return table


def _measured(row: Row, metric: str) -> list[str]:
    value, interval = row["metrics"].get(metric), row["ci95"].get(metric)
    return [
        "" if value is None else f"{value:.1f}",
        "" if interval is None else f"{interval[0]:.1f} to {interval[1]:.1f}",
    ]


def show_dry_run(plan: Row) -> None:
    """What there is, and what each network would take."""
    console = _console()
    for split, count in plan["images"].items():
        unread = plan["unreadable"][split]
        console.print(
            f"{split}: {count:,} images" + (f"; of the sample {len(unread)} cannot be read" if unread else "")
        )
        for one in unread[:5]:
            console.print(f"  {one['id']!r}: {one['reason']}", soft_wrap=True, markup=False)
    console.print(_classes_table(plan["classes"]))
    for row in plan["networks"]:
        console.print(
            f"{row['name']}: {row['model']}, {row['parameters']:,} parameters, {row['image_size']} pixels",
            soft_wrap=True,
        )
        if row["weights"]:
            console.print(f"  weights {row['weights']}", soft_wrap=True)
        if not row["steps"]:
            console.print(
                "  the network stays as it is, and a linear classifier is fitted on its features", soft_wrap=True
            )
            console.print(f"  about {_duration(row['seconds'])}")
            continue
        console.print(
            f"  {row['steps']:,} steps of {row['labeled_batch']} labeled and {row['unlabeled_batch']} pseudo-labeled images: "
            f"{row['images']:,} in all, {row['label_epochs']:,.1f} epochs of the labels",
            soft_wrap=True,
        )
        console.print(
            f"  learning rate {row['highest_rate']:.3g} at its highest, {row['last_rate']:.2g} in the last step"
        )
        console.print(f"  about {decimal(row['memory'])} of memory and {_duration(row['seconds'])}")
    if plan["known_classes"] is not None:
        console.print(
            f"none of these is trained where frozen features are right on {plan['known_classes']:g} % of the labels or more, which the run "
            "finds out first: it then takes as long as it takes to look at every image once",
            soft_wrap=True,
        )
    by = "by a trial step of each network; nothing was trained"
    console.print(f"in all about {_duration(plan['seconds'])} on {plan['device']}, {by}", soft_wrap=True)


def show_plan(plan: Row) -> None:
    """Hours and storage of a run that is too large for this machine, and where its time goes."""
    console = _console()
    images = " and ".join(f"{count:,} {split}" for split, count in plan["images"].items())
    table = Table(title=f"{plan['recipe']}: {images} images, {plan['classes']:,} classes")
    for column in ("stage", "images", "images/s", plan["unit"], "share %"):
        table.add_column(column, justify="left" if column == "stage" else "right")
    for row in plan["stages"]:
        if row["seconds"] is None:
            table.add_row(row["name"], f"{row['images']:,}", "", "does not fit", "")
        else:
            rate = f"{row['images'] / row['seconds']:,.1f}"
            hours, share = _hours(row["seconds"]), f"{100 * row['share']:.1f}"
            table.add_row(row["name"], f"{row['images']:,}", rate, hours, share)
    console.print(table)
    each = f"a worker is {plan['worker']}"
    if plan["seconds"] is None:
        console.print(f"in all {_duration(None)}; {each}", soft_wrap=True)
    else:
        whole = f"{_hours(plan['seconds'])} {plan['unit']}"
        took = duration(plan["seconds"] / plan["workers"])
        console.print(f"in all {whole}: {took} with {plan['workers']:,} of them; {each}", soft_wrap=True)
    stored = plan["storage"]
    console.print(
        f"labels of {stored['images']:,} images: {decimal(stored['written'])} as the configuration has it, "
        f"{decimal(stored['float16'])} with all probabilities in float16, {decimal(stored['top_10'])} with the ten highest (top_k=10); "
        f"while a student learns from soft labels, {decimal(stored['while_training'])} more at most",
        soft_wrap=True,
    )
    for assumption in plan["assumptions"]:
        console.print(f"- {assumption}", soft_wrap=True)


def _hours(seconds: float) -> str:
    hours = seconds / 3600
    return f"{hours:,.0f}" if hours >= 100 else f"{hours:.2g}"


CLASSES_SHOWN = 20


def _classes_table(classes: list[Row]) -> Table:
    """The classes with their images by split; of many the smallest."""
    shown = (
        classes if len(classes) <= CLASSES_SHOWN else sorted(classes, key=lambda row: row["labeled"])[:CLASSES_SHOWN]
    )
    more = f", the {CLASSES_SHOWN} smallest of them" if len(classes) > CLASSES_SHOWN else ""
    table = Table(title=f"{len(classes):,} classes{more}")
    for column in shown[0]:
        table.add_column("class" if column == "name" else column, justify="left" if column == "name" else "right")
    for row in shown:
        table.add_row(*(str(value) for value in row.values()))
    return table


def _duration(seconds: float | None) -> str:
    return "a time that cannot be tried: it does not fit into the memory here" if seconds is None else duration(seconds)


def show_demo(results: Row) -> None:
    for one in results["runs"]:
        show_run(one["results"], out=Path(one["out"]))
    if len(results["runs"]) > 1:
        table = Table(title=f"top-1 % over {len(results['runs'])} seeds")
        for column in ("network", "mean", "standard deviation", "lowest", "highest"):
            table.add_column(column, justify="left" if column == "network" else "right")
        for row in results["spread"]:
            values = (row["mean"], row["sd"], row["lowest"], row["highest"])
            table.add_row(row["name"], *(f"{value:.1f}" for value in values))
        _console().print(table)
        _console().print(_gain_over_seeds(results["gain"]))


def _gain_over_seeds(gain: Row) -> str:
    """The interval of two seeds would say more than they know."""
    sure = (
        "" if gain["ci95"] is None else f"95 % interval of the mean {gain['ci95'][0]:+.1f} to {gain['ci95'][1]:+.1f}, "
    )
    return (
        f"The last student over the better of the two networks that saw labels only, seed by seed: {gain['mean']:+.1f} points "
        f"({sure}{gain['lowest']:+.1f} to {gain['highest']:+.1f}, n = {gain['n']} seeds)"
    )


def show_labeled(results: Row) -> None:
    skipped = f", {len(results['skipped'])} skipped" if results["skipped"] else ""
    skipped += f", {results['abstained']} without an answer" if "abstained" in results else ""
    _say(f"{results['images']} images{skipped}: {results['out']}")


def show_selection(summary: Row) -> None:
    table = Table(title=f"selection: threshold {summary['threshold']:g}, mode {summary['mode']}")
    for column in ("class", "candidates", "above threshold", "kept", "rows", "lowest confidence"):
        table.add_column(column, justify="left" if column == "class" else "right")
    for row in summary["classes"]:
        lowest = "" if row["threshold"] is None else f"{row['threshold']:.3f}"
        counts = (str(row[key]) for key in ("candidates", "above_threshold", "kept", "rows"))
        table.add_row(row["name"], *counts, lowest)
    _console().print(table)


def show_evaluation(results: Row) -> None:
    table = Table(title=f"{results['model']} on {results['n']} images")
    for column in ("metric", "value", "95 % interval"):
        table.add_column(column, justify="left" if column == "metric" else "right")
    for name, value in results["metrics"].items():
        interval = results["ci95"].get(name)
        shown = f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
        table.add_row(name, shown, "" if interval is None else f"{interval[0]:.4g} to {interval[1]:.4g}")
    _console().print(table)
    _show_recall(results["suites"].get("clean", {}).get("per_class", []))
    if "reference" in results:
        _show_reference(results["reference"])


def _show_recall(classes: list[Row]) -> None:
    """How often each class is recognized, the worst first; classes without images are counted."""
    measured = sorted((row for row in classes if row["n"]), key=lambda row: (row["recall"], -row["n"]))
    if not measured:
        return
    which = f"the worst {MOST_CLASSES} of {len(measured)} classes" if len(measured) > MOST_CLASSES else "each class"
    table = Table(title=f"recall of {which}")
    for column in ("class", "images", "recognized %"):
        table.add_column(column, justify="left" if column == "class" else "right")
    for row in measured[:MOST_CLASSES]:
        table.add_row(row["name"], f"{row['n']:,}", f"{row['recall']:.1f}")
    _console().print(table)
    if len(measured) < len(classes):
        _say(f"{len(classes) - len(measured)} of the {len(classes)} classes have no image here, and are not measured")


def _show_reference(rows: list[Row]) -> None:
    table = Table(title="beside timm's tables")
    for column in ("metric", "measured", "95 % interval", "published", ""):
        table.add_column(column, justify="left" if column in ("metric", "") else "right")
    for row in rows:
        low, high = row["ci95"]
        verdict = "agrees" if row["agrees"] else "differs by more than the sample explains"
        table.add_row(
            row["metric"], f"{row['measured']:.2f}", f"{low:.2f} to {high:.2f}", f"{row['published']:.2f}", verdict
        )
    _console().print(table)


def show_exported(result: Row) -> None:
    """What was written, and how it compares with the network."""
    console = _console()
    console.print(f"{result['model']}: written as {result['format']} to {result['out']}", soft_wrap=True)
    if "images" in result:
        console.print(
            f"On {result['images']:,} images it says the same class as the network for {result['agreement']:.1f} %; "
            f"probabilities differ by at most {result['largest_difference']:.1g}."
        )
        if result["labeled"]:
            console.print(
                f"It is right on {result['file_top1']:.1f} % of the {result['labeled']:,} that have a label, the network on "
                f"{result['network_top1']:.1f} %."
            )
        console.print(f"{decimal(result['bytes'])}; {result['milliseconds']:.2g} ms for one image on this processor.")
    if "pushed" in result:
        console.print(f"It is at {result['pushed']}, private if it is new there.", soft_wrap=True)


def show_profile(result: Row) -> None:
    table = Table(
        title=f"{result['model']} at {result['size']} px, {result['batch']} images at a time", show_header=False
    )
    found = result["metrics"]
    lines = {
        "parameters": f"{found['params'] / 1e6:,.2f} million",
        "multiply-adds": f"{found['macs'] / 1e9:,.3f} billion ({found['macs_conv_linear'] / 1e9:,.3f} of convolutions and linear layers)",
        "images a second": f"{found['images_per_second']:,.1f}",
        "memory beside the weights": f"{found['peak_memory'] / 2**20:,.0f} MiB"
        if "peak_memory" in found
        else "not known here",
    }
    for name, value in lines.items():
        table.add_row(name, value)
    _console().print(table)


def show_report(result: Row) -> None:
    _say(f"report: {result['report']}")


def show_configuration(toml: str, origins: dict[str, str]) -> None:
    """A configuration that can be given back with `--config`, and as comments where its values come from."""
    print(toml)  # noqa: T201
    for setting, origin in origins.items():
        print(f"# {setting}: {origin}")  # noqa: T201


def show_recipes(summaries: dict[str, str]) -> None:
    table = Table(show_header=False, box=None)
    for name, summary in summaries.items():
        table.add_row(name, summary)
    _console().print(table)
    _say("noisystudent recipes NAME prints one in full")


def show_doctor(findings: Row) -> None:
    """What there is, and what follows of it."""
    table = Table(show_header=False, box=None)
    for name, finding in _in_words(findings).items():
        parts = finding.items() if isinstance(finding, dict) else [("", finding)]
        for part, value in parts:
            table.add_row(name.removesuffix("_gib"), part, str(value))
            name = ""
    console = _console()
    console.print(table)
    console.print("What is slow or missing here" if findings["advice"] else "Nothing is missing here.")
    for sentence in findings["advice"]:
        console.print(f"- {sentence}", soft_wrap=True)


def _in_words(findings: Row) -> Row:
    def free(gib: Row) -> str:
        return f"{gib['free']:.1f} of {gib['total']:.1f} GiB free"

    words = {name: finding for name, finding in findings.items() if name != "advice"}
    allowed = words.pop("cores_allowed")
    return words | {
        "cores": findings["cores"] if allowed == findings["cores"] else f"{allowed} of {findings['cores']}",
        "memory_gib": free(findings["memory_gib"]),
        "disk_gib": f"{free(findings['disk_gib'])} in this folder",
        "gpus": "; ".join(f"{gpu['name']}, {free(gpu['memory_gib'])}" for gpu in findings["gpus"]) or "none",
        "devices": ", ".join(findings["devices"]),
        "bf16": "yes" if findings["bf16"] else "no",
        "weights": {
            name: "; ".join(f"{network} {place['where']}" for network, place in networks.items())
            for name, networks in findings["weights"].items()
        },
        "extras": {extra: "installed" if there else "missing" for extra, there in findings["extras"].items()},
    }


def _console() -> Console:
    """Class names and paths may hold brackets, which Rich would take for markup."""
    return Console(markup=False, highlight=False)


def _say(text: str) -> None:
    _console().print(text, soft_wrap=True)
