"""What a person sees on stdout when a command of the board is done."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.filesize import decimal
from rich.table import Table

Row = dict[str, Any]
DOUBTFUL = 5  # values of a file that are named


def show_init(result: Row) -> None:
    rows = result["new"]
    new = f"{rows.get('paper', 0)} papers, {rows.get('result', 0)} results" if rows else "nothing new"
    anew = f", {result['ranked_anew']} leaderboards ranked anew" if "ranked_anew" in result else ""
    numbered = f", {result['numbered']} papers called by their arXiv number" if "numbered" in result else ""
    _say(f"{result['store']}: {new}{numbered}{anew}")
    _say(f"noisystudent board serve --store {result['store']} shows it")


def show_address(address: str, *, as_json: bool) -> None:
    """At the start of `serve`, for a person or a program that waits for it."""
    text = json.dumps({"address": address}) if as_json else f"{address} (Ctrl-C ends it)"
    print(text, flush=True)  # noqa: T201


def show_demo(address: str, *, store: Path, token: str, as_json: bool) -> None:
    """The same of a demonstration, with what its curator signs in with."""
    if as_json:
        print(json.dumps({"address": address, "store": str(store), "token": token}), flush=True)  # noqa: T201
        return
    lines = [
        f"{address} (Ctrl-C ends it; {store} stays, and `noisystudent board serve --store {store}` shows it again)"
    ]
    if token:
        lines.append(f"{address}/curate decides about what waits; sign in with {token}")
    else:
        lines.append(f"to sign in at /curate: noisystudent board token make NAME --scope curate --store {store}")
    print("\n".join(lines), flush=True)  # noqa: T201


def show_done(result: Row) -> None:
    _say(", ".join(f"{word}: {value}" for word, value in result.items()))


def show_imports(reports: list[Row]) -> None:
    for report in reports:
        rows = ", ".join(f"{count:,} {table}" for table, count in report["counts"].items()) or "nothing new"
        _say(f"{report['file']} ({report['format'] or 'empty'}): {rows}")
        for kind, lost in report["lost"].items():
            example = lost["examples"][0]
            _say(f"  not kept: {lost['count']:,} {kind}, such as {example['where']}: {example['reason']}")
        odd = report["doubtful"]
        if odd["count"]:
            values = "1 value" if odd["count"] == 1 else f"{odd['count']:,} values"
            _say(f"  doubtful: {values}, kept as the file has it; `board check` says the same")
        for example in odd["examples"][:DOUBTFUL]:
            _say(f"    {example['where']}: {example['reason']}")


def show_export(result: Row) -> None:
    files = f"{result['files']:,} files, " if "files" in result else ""
    _say(f"{result['format']}: {result['out']}, {files}{decimal(result['bytes'])}")
    for kind, count in result.get("left_out", {}).items():
        _say(f"  left out: {count:,} {kind}")


def show_backup(result: Row) -> None:
    _say(f"{result['backup']}, {decimal(result['bytes'])}")


def show_event(result: Row) -> None:
    _say(f"done: event {result['event']}; `noisystudent board restore {result['event']}` takes it back")


def show_hidden(result: Row) -> None:
    for entry in result["hidden"]:
        why = f": {entry['reason']}" if entry["reason"] else ""
        _say(f"{entry['kind']} {entry['slug']} ({entry['name']}){why}")
    if not result["hidden"]:
        _say("nothing is hidden")


def show_submitted(result: Row) -> None:
    """The run's values beside the claim's, with what is made of them."""
    claim = result["claim"]
    beside = f", beside {claim['model']} of {claim['paper'] or 'no paper'}" if claim else ""
    _say(f"/sota/{result['leaderboard']}: {'new' if result['new'] else 'there already'}{beside}")
    verdicts = {row["metric"]: row for row in result["verdicts"]}
    table = Table()
    for column in ("metric", "claim", "run", "95 % interval", "tolerance", "verdict"):
        table.add_column(column, justify="left" if column in ("metric", "verdict") else "right")
    for metric, raw in result["values"].items():
        row = verdicts.get(metric)
        if row is None:
            table.add_row(metric, "", raw, "", "", "")
            continue
        interval = "" if row["interval"] is None else f"{row['interval'][0]:.4g} to {row['interval'][1]:.4g}"
        tolerance = "" if row["tolerance"] is None else f"{row['tolerance']:g}"
        table.add_row(metric, row["claim"], raw, interval, tolerance, row["verdict"])
    _console().print(table)
    for metric, row in verdicts.items():
        _say(f"{metric}: {row['basis']}")
    if result["replaced"]:
        _say(f"it takes the place of {result['replaced']} results of some of these runs alone")
    if result["left_out"]:
        _say(f"the leaderboard has no column for {', '.join(result['left_out'])}")


def show_check(result: Row) -> None:
    for finding in result["findings"]:
        _say(f"{finding['severity']}: {finding['where']}: {finding['message']}")
        _say(f"  {finding['remedy']}")
    for kind, count in result["counts"].items():
        shown = sum(finding["kind"] == kind for finding in result["findings"])
        if count > shown:
            _say(f"{kind}: {count - shown:,} more")
    _say("no damage" if result["ok"] else "damaged")


def show_pending(waiting: list[Row]) -> None:
    for one in waiting:
        difference = one["difference"]
        _say(f"{one['id']}: {difference['summary']} (by {one['submitter']}, {one['at'][:16]})")
        for change in difference["changes"]:
            _say(
                f"  {', '.join(f'{name} {value}' for name, value in change.items() if value not in (None, '', [], ()))}"
            )
        for note in difference["notes"]:
            _say(f"  {note}")
        for doubt in difference["doubts"]:
            _say(f"  look up: {doubt}")
        for field, problems in difference["problems"].items():
            _say(f"  cannot be approved: {field}: {'; '.join(problems)}")
    _say(f"{len(waiting)} wait")


def show_token(result: Row) -> None:
    _say(result["token"])
    _say("Keep it: it is shown this once.")


def show_tokens(tokens: list[Row]) -> None:
    table = Table()
    for column in ("name", "may", "made", "last used", "holds until", "revoked"):
        table.add_column(column)
    for token in tokens:
        dates = (token[key] or "" for key in ("created_at", "used_at", "expires_at", "revoked_at"))
        table.add_row(token["name"], ", ".join(token["scopes"]), *(date[:16] for date in dates))
    _console().print(table)


def _console() -> Console:
    """Names may hold brackets, which Rich would take for markup."""
    return Console(markup=False, highlight=False)


def _say(text: str) -> None:
    _console().print(text, soft_wrap=True)
