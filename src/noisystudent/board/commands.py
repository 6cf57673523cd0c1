"""The command line of the board: parse, call, print."""

from __future__ import annotations

import functools
import getpass
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from noisystudent.board.trouble import told
from noisystudent.cli_command import Json, Quiet, commands_of

board = typer.Typer(
    name="board",
    help="A self-hosted Papers with Code: `demo` shows a filled one, `init` makes your own, `serve` shows it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
token = typer.Typer(
    name="token", help="Who may submit and approve through the API.", no_args_is_help=True, rich_markup_mode=None
)
board.add_typer(token)

StoreFile = Annotated[Path, typer.Option("--store", help="The catalogue's file.")]
Actor = Annotated[str, typer.Option(help="Who does it, for the history; without it your login name.")]
STORE = Path("board.db")

command = commands_of(board, around=told)
token_command = commands_of(token, around=told)


def _actor(given: str) -> str:
    if given:
        return given
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return "operator"


@command(example="noisystudent board init --store board.db")
def init(
    store: StoreFile = STORE,
    empty: Annotated[bool, typer.Option("--empty", help="Without the papers that a board begins with.")] = False,
    actor: Actor = "",
    as_json: Json = False,
    quiet: Quiet = False,
) -> Any:
    """Make a catalogue; in one that exists, bring what a board begins with up to date."""
    from noisystudent.board import screen, seed
    from noisystudent.board.catalogue.store import Store
    from noisystudent.board.curating import number_papers, rank_anew

    made = Store(store, create=True)
    new = {} if empty else seed.load(made, actor=_actor(actor))
    older = {"numbered": number_papers(made, actor=_actor(actor)), "ranked_anew": rank_anew(made, actor=_actor(actor))}
    return {"store": str(store), "new": new} | {what: count for what, count in older.items() if count}, screen.show_init


@command(example="noisystudent board demo --port 0")
def demo(
    store: Annotated[Path, typer.Option("--store", help="A new file; one that exists is shown as it is.")] = Path(
        "demo-board.db"
    ),
    host: Annotated[str, typer.Option(help="0.0.0.0 to be reached from other machines.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")] = 8000,
    actor: Actor = "",
    as_json: Json = False,
    quiet: Quiet = False,
) -> Any:
    """Fill a board with what this package brings, and show it: papers, leaderboards, runs of ours, what waits for a curator."""
    from noisystudent.board import demo as demonstration
    from noisystudent.board import screen
    from noisystudent.board.curating import made_or_opened
    from noisystudent.board.serve import Settings
    from noisystudent.board.serve import serve as run_server

    with made_or_opened(store) as (opened, is_new):
        token = demonstration.fill(opened, actor=_actor(actor)) if is_new else ""
    announce = functools.partial(screen.show_demo, store=store, token=token, as_json=as_json)
    run_server(Settings(store=store, host=host, port=port), announce=announce)
    return None, None


@command("import", example='noisystudent board import model-index.yml --layer "Our zoo" --licence CC-BY-4.0')
def import_(
    files: Annotated[
        list[Path],
        typer.Argument(help="Files or folders; `docs/board.md` says of what formats."),
    ],
    store: StoreFile = STORE,
    layer: Annotated[str, typer.Option(help="Name of the source, where it is not the archive.")] = "",
    licence: Annotated[str, typer.Option(help="Of that source, as pages show it.")] = "",
    task: Annotated[str, typer.Option(help="Of a CSV file that names none.")] = "",
    dataset: Annotated[str, typer.Option(help="Of a CSV file that names none.")] = "",
    column: Annotated[
        list[str] | None,
        typer.Option(help="Of a CSV file: ROLE=NAME, such as model=Network or metrics=F1; several times."),
    ] = None,
    actor: Actor = "",
    as_json: Json = False,
    quiet: Quiet = False,
) -> Any:
    """Bring in files of others; of a broken one, nothing. The format is found out, and a store made where there is none."""
    from noisystudent.board import screen
    from noisystudent.board.curating import made_or_opened
    from noisystudent.board.importing import Layer, import_file
    from noisystudent.board.importing.csv_tables import columns_of
    from noisystudent.errors import UserError

    if licence and not layer:
        raise UserError("--licence goes with --layer, the name of the source whose licence it is")
    of = Layer(layer, licence) if layer else None
    columns = columns_of(column or [], task=task, dataset=dataset)
    with made_or_opened(store) as (opened, _):
        reports = [import_file(opened, file, actor=_actor(actor), layer=of, columns=columns) for file in files]
    return reports, screen.show_imports


@command(example="noisystudent board export --format csv --of image-classification-on-imagenet --out imagenet.csv")
def export(
    format: Annotated[
        str,
        typer.Option(
            help="evaluation-tables, papers-with-abstracts, links-between-papers-and-code, methods, datasets, runs, csv, "
            "bibtex, every-eval-ever, hugging-face."
        ),
    ],
    out: Annotated[
        Path, typer.Option(help="A file; one that ends in .gz is compressed. Of the last two, a new folder.")
    ],
    store: StoreFile = STORE,
    of: Annotated[str, typer.Option(help="The leaderboard (csv) or paper (bibtex), by its slug.")] = "",
    as_json: Json = False,
    quiet: Quiet = False,
) -> Any:
    """Write the catalogue in a format of others: the same bytes as long as it is the same."""
    from noisystudent.board import screen
    from noisystudent.board.catalogue.store import Store
    from noisystudent.board.exporting.export_file import export_file

    return export_file(Store(store, read_only=True), format, out, of=of), screen.show_export


@command(example="noisystudent board serve --workers 4 --address https://board.example.org")
def serve(
    store: StoreFile = STORE,
    host: Annotated[str, typer.Option(help="0.0.0.0 to be reached from other machines.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    read_only: Annotated[bool, typer.Option("--read-only", help="Nothing can be submitted or changed.")] = False,
    trusted_proxy: Annotated[
        str, typer.Option(help="Address of the proxy in front, whose word on who asks is taken.")
    ] = "",
    address: Annotated[str, typer.Option(help="Where readers find the site: https://board.example.org.")] = "",
    name: Annotated[str, typer.Option(help="Of the site.")] = "Papers With Code",
    as_json: Json = False,
    quiet: Quiet = False,
) -> Any:
    """Show the board: pages, feeds, API. Ctrl-C or SIGTERM ends it when what is under way is answered."""
    from noisystudent.board import screen
    from noisystudent.board.serve import Settings
    from noisystudent.board.serve import serve as run_server

    settings = Settings(
        store=store,
        host=host,
        port=port,
        workers=workers,
        read_only=read_only,
        trusted_proxy=trusted_proxy,
        address=address,
        name=name,
    )
    run_server(settings, announce=functools.partial(screen.show_address, as_json=as_json))
    return None, None


@command(example='noisystudent board submit run-0/ run-1/ --task "Image Classification" --dataset Flowers --new')
def submit(
    runs: Annotated[list[Path], typer.Argument(help="Folders of runs, one a seed, or files of `evaluate --out`.")],
    task: Annotated[str, typer.Option(help="Its name or slug.")],
    dataset: Annotated[str, typer.Option(help="Its name or slug.")],
    paper: Annotated[
        str, typer.Option(help="Whose claim it stands beside: slug, address, arXiv number or title.")
    ] = "",
    claim: Annotated[str, typer.Option(help="The model's name in that claim, where the paper has several.")] = "",
    new: Annotated[bool, typer.Option("--new", help="Make the leaderboard where there is none.")] = False,
    protocol: Annotated[
        Literal["exact", "partial", "proxy"] | None,
        typer.Option(help="How it was measured beside the claim, where its data set, classes and images do not tell."),
    ] = None,
    store: StoreFile = STORE,
    actor: Actor = "",
    as_json: Json = False,
    quiet: Quiet = False,
) -> Any:
    """Put a run on a leaderboard, with where it comes from, beside what a paper claims."""
    from noisystudent.board import screen
    from noisystudent.board.catalogue.store import Store
    from noisystudent.board.runs.submit import submit_run

    return submit_run(
        Store(store),
        runs,
        task=task,
        dataset=dataset,
        paper=paper,
        claim_model=claim,
        new=new,
        protocol=protocol,
        actor=_actor(actor),
    ), screen.show_submitted


@command(example="noisystudent board check")
def check(store: StoreFile = STORE, as_json: Json = False, quiet: Quiet = False) -> Any:
    """Look for damage and for what a curator should see to. Exit status 1 when there is damage."""
    from noisystudent.board import screen
    from noisystudent.board.catalogue.check import check as look
    from noisystudent.board.catalogue.store import Store

    found = look(Store(store))
    return found, screen.show_check, 0 if found["ok"] else 1


@command(example="noisystudent board backup board-copy.db")
def backup(
    to: Annotated[Path, typer.Argument(help="A new file.")],
    store: StoreFile = STORE,
    as_json: Json = False,
    quiet: Quiet = False,
) -> Any:
    """A whole copy, while others read and write."""
    from noisystudent.board import screen
    from noisystudent.board.catalogue.store import Store, copy

    copy(Store(store, read_only=True).path, to)
    return {"backup": str(to), "bytes": to.stat().st_size}, screen.show_backup


@command(example='noisystudent board restore 12 --note "the wrong file"')
def restore(
    event: Annotated[int, typer.Argument(help="Its number, as the history shows it.")],
    store: StoreFile = STORE,
    note: Annotated[str, typer.Option(help="Why.")] = "",
    whole: Annotated[
        bool, typer.Option("--whole", help="Of an import: all that it made goes for good, if nothing else uses it.")
    ] = False,
    actor: Actor = "",
    as_json: Json = False,
    quiet: Quiet = False,
) -> Any:
    """Take back what one change did; what others did since stays."""
    from noisystudent.board import screen
    from noisystudent.board.catalogue import history
    from noisystudent.board.catalogue.store import Store

    restored = history.restore(Store(store), event, actor=_actor(actor), note=note, whole=whole)
    return {"event": restored}, screen.show_event


@command(example='noisystudent board direction image-classification-on-imagenet "Top 1 Accuracy" higher')
def direction(
    leaderboard: Annotated[str, typer.Argument(help="Its slug: image-classification-on-imagenet.")],
    metric: Annotated[str, typer.Argument(help="Its name.")],
    better: Annotated[Literal["higher", "lower"], typer.Argument(help="Which is better.")],
    store: StoreFile = STORE,
    actor: Actor = "",
    as_json: Json = False,
    quiet: Quiet = False,
) -> Any:
    """Say which direction of a metric is better; no import undoes it."""
    from noisystudent.board import screen
    from noisystudent.board.catalogue.store import Store
    from noisystudent.board.curating import set_direction

    event = set_direction(Store(store), leaderboard, metric, higher_is_better=better == "higher", actor=_actor(actor))
    return {"event": event}, screen.show_event


@command(example="noisystudent board merge task amr-parsing-1 amr-parsing")
def merge(
    kind: Annotated[Literal["task", "dataset", "paper", "method", "author"], typer.Argument(help="Of both.")],
    gone: Annotated[str, typer.Argument(help="The one that becomes the other: slug, address or name.")],
    kept: Annotated[str, typer.Argument(help="The one that stays.")],
    store: StoreFile = STORE,
    note: Annotated[str, typer.Option(help="Why.")] = "",
    actor: Actor = "",
    as_json: Json = False,
    quiet: Quiet = False,
) -> Any:
    """Make one entry of two that are one thing; old addresses lead to it, and `check` names such pairs."""
    from noisystudent.board import screen
    from noisystudent.board.catalogue.merging import merge_entries
    from noisystudent.board.catalogue.store import Store

    event = merge_entries(Store(store), kind, gone, kept, actor=_actor(actor), note=note)
    return {"event": event}, screen.show_event


HiddenKind = Annotated[Literal["paper", "task", "dataset", "method", "result"], typer.Argument(help="Of the entry.")]
HiddenEntry = Annotated[str, typer.Argument(help="Its slug, address, name or title; of a result its number.")]


@command(example='noisystudent board hide paper cheap-flights --reason "an advertisement"')
def hide(
    kind: HiddenKind,
    entry: HiddenEntry,
    store: StoreFile = STORE,
    reason: Annotated[str, typer.Option(help="Why; curators see it.")] = "",
    actor: Actor = "",
    as_json: Json = False,
    quiet: Quiet = False,
) -> Any:
    """Take an entry from all that readers see, with what hangs on it; no import brings it back."""
    from noisystudent.board import screen
    from noisystudent.board.catalogue import hiding
    from noisystudent.board.catalogue.store import Store

    event = hiding.hide(Store(store), kind, entry, reason=reason, actor=_actor(actor))
    return {"event": event}, screen.show_event


@command(example="noisystudent board show paper cheap-flights")
def show(
    kind: HiddenKind,
    entry: HiddenEntry,
    store: StoreFile = STORE,
    actor: Actor = "",
    as_json: Json = False,
    quiet: Quiet = False,
) -> Any:
    """Show a hidden entry to readers again."""
    from noisystudent.board import screen
    from noisystudent.board.catalogue import hiding
    from noisystudent.board.catalogue.store import Store

    event = hiding.show(Store(store), kind, entry, actor=_actor(actor))
    return {"event": event}, screen.show_event


@command(example="noisystudent board hidden --json")
def hidden(store: StoreFile = STORE, as_json: Json = False, quiet: Quiet = False) -> Any:
    """What curators hid, and why."""
    from noisystudent.board import screen
    from noisystudent.board.catalogue import hiding
    from noisystudent.board.catalogue.store import Store

    return {"hidden": [entry._asdict() for entry in hiding.hidden(Store(store))]}, screen.show_hidden


VerifiedResult = Annotated[str, typer.Argument(help="Its number: what stands behind #r in its link.")]


@command(example='noisystudent board verify 1204 --author "Anna Lee" --where https://example.org/anna/letter')
def verify(
    result: VerifiedResult,
    author: Annotated[str, typer.Option(help="Who verified it: one of the paper's authors.")],
    where: Annotated[str, typer.Option(help="Where it can be seen: an address, or a note.")],
    store: StoreFile = STORE,
    actor: Actor = "",
    as_json: Json = False,
    quiet: Quiet = False,
) -> Any:
    """Record that an author of its paper verified a result; pages show the mark."""
    from noisystudent.board import screen
    from noisystudent.board.catalogue import verifying
    from noisystudent.board.catalogue.store import Store

    event = verifying.verify(Store(store), result, author, where, actor=_actor(actor))
    return {"event": event}, screen.show_event


@command(example="noisystudent board unverify 1204")
def unverify(
    result: VerifiedResult,
    store: StoreFile = STORE,
    actor: Actor = "",
    as_json: Json = False,
    quiet: Quiet = False,
) -> Any:
    """Take that mark away."""
    from noisystudent.board import screen
    from noisystudent.board.catalogue import verifying
    from noisystudent.board.catalogue.store import Store

    event = verifying.unverify(Store(store), result, actor=_actor(actor))
    return {"event": event}, screen.show_event


@command(example="noisystudent board pending")
def pending(store: StoreFile = STORE, as_json: Json = False, quiet: Quiet = False) -> Any:
    """What waits for approval, and what it would change."""
    from noisystudent.board import screen
    from noisystudent.board.catalogue.store import Store
    from noisystudent.board.curating import pending as waiting

    return waiting(Store(store, read_only=True)), screen.show_pending


@command(example="noisystudent board approve 7")
def approve(
    submission: Annotated[int, typer.Argument(help="Its number, as `pending` shows it.")],
    store: StoreFile = STORE,
    actor: Actor = "",
    as_json: Json = False,
    quiet: Quiet = False,
) -> Any:
    """Make a submission part of the catalogue."""
    from noisystudent.board import screen
    from noisystudent.board.catalogue.store import Store
    from noisystudent.board.submitting import submissions

    return {"event": submissions.approve(Store(store), submission, actor=_actor(actor))}, screen.show_event


@command(example='noisystudent board reject 8 --reason "the table it names has no such number"')
def reject(
    submission: Annotated[int, typer.Argument(help="Its number, as `pending` shows it.")],
    reason: Annotated[str, typer.Option(help="Why; the submitter reads it.")],
    store: StoreFile = STORE,
    actor: Actor = "",
    as_json: Json = False,
    quiet: Quiet = False,
) -> Any:
    """Turn a submission down."""
    from noisystudent.board import screen
    from noisystudent.board.catalogue.store import Store
    from noisystudent.board.submitting import submissions

    submissions.reject(Store(store), submission, actor=_actor(actor), reason=reason)
    return {"rejected": submission}, screen.show_done


@token_command(example="noisystudent board token make anna --scope submit --scope curate --days 365")
def make(
    name: Annotated[str, typer.Argument(help="Whose it is, or what it is for.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help="submit (without it), curate; sure with curate: doubtful values are not questioned. May be repeated."
        ),
    ] = None,
    days: Annotated[int | None, typer.Option(help="How long it holds; until it is revoked, without it.")] = None,
    store: StoreFile = STORE,
    actor: Actor = "",
    as_json: Json = False,
    quiet: Quiet = False,
) -> Any:
    """Make a token. It is shown once."""
    from noisystudent.board import screen
    from noisystudent.board.catalogue.store import Store
    from noisystudent.board.submitting import tokens

    made = tokens.make(Store(store), name, scope or ["submit"], days=days, actor=_actor(actor))
    return {"token": made}, screen.show_token


@token_command("list", example="noisystudent board token list")
def list_(store: StoreFile = STORE, as_json: Json = False, quiet: Quiet = False) -> Any:
    """All tokens, the revoked ones included."""
    from noisystudent.board import screen
    from noisystudent.board.catalogue.store import Store
    from noisystudent.board.curating import token_rows

    return token_rows(Store(store, read_only=True)), screen.show_tokens


@token_command(example="noisystudent board token revoke anna")
def revoke(
    name: Annotated[str, typer.Argument(help="Of the token.")],
    store: StoreFile = STORE,
    actor: Actor = "",
    as_json: Json = False,
    quiet: Quiet = False,
) -> Any:
    """Make a token useless. What was done with it stays."""
    from noisystudent.board import screen
    from noisystudent.board.catalogue.store import Store
    from noisystudent.board.submitting import tokens

    tokens.revoke(Store(store), name, actor=_actor(actor))
    return {"revoked": name}, screen.show_done
