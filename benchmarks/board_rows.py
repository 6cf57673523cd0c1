"""How long the page of one leaderboard of 100,000 claims takes, and how large it is.

    python benchmarks/board_rows.py --work FOLDER

The claims have two metrics, papers with abstracts, days, tags and, a third of them, a number of parameters. Each page is asked for five
times, none of them kept; the least processor time counts.
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path

from board_archive import RESULTS, about
from board_load import UNLIMITED
from starlette.testclient import TestClient

from noisystudent.board.app import create_app
from noisystudent.board.catalogue.change import Change
from noisystudent.board.catalogue.store import Store
from noisystudent.board.web.kept import Kept
from noisystudent.board.web.site import Site

CLAIMS, TIMES = 100_000, 5
PAGE, RESULTS_OF_API = (
    "/sota/image-classification-on-large",
    "/api/v1/evaluations/image-classification-on-large/results/",
)
QUERIES = ("", "?metric=GFLOPs", "?extra=without", "?code=yes", "?tag=CNN", "?parameters=100M", "?as_of=2999-01-01")
PATHS = (*(f"{PAGE}{json}{query}" for query in QUERIES for json in ("", ".json")), f"{PAGE}?page=2", RESULTS_OF_API)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path(__file__).parent / "work" / "board")
    parser.add_argument("--trial", action="store_true", help="do not keep the table")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    path = options.work / "board-rows.db"
    for part in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        part.unlink(missing_ok=True)
    with Store(path, create=True).changing("benchmark", "add") as change:
        fill(change, random.Random(0))
    lines = ["| page | processor time, ms | kB |", "|---|---|---|"]
    lines += [f"| `{page}` | {milliseconds:.0f} | {size / 1_000:.0f} |" for page, milliseconds, size in measured(path)]
    text = "\n".join([about("python benchmarks/board_rows.py"), "", *lines])
    print(text)
    if not options.trial:
        (RESULTS / "board_rows.md").write_text(text + "\n", encoding="utf-8")


def fill(change: Change, draw: random.Random) -> None:
    """One leaderboard of `CLAIMS` claims."""
    board = change.leaderboard(change.task("Image Classification"), change.dataset("Large"))
    accuracy = change.metric(board, "Accuracy", higher_is_better=True)
    flops = change.metric(board, "GFLOPs", higher_is_better=False)
    code = [change.repository(f"https://github.com/o/r{number}") for number in range(1_000)]
    papers = []
    for number in range(CLAIMS // 4):
        day = f"{draw.randint(2012, 2026)}-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}"
        about_it = {"title": f"Paper {number}", "abstract": f"{number} words and more. " * 50, "published": day}
        papers.append(change.insert("paper", slug=f"paper-{number}", **about_it))
        if draw.random() < 0.3:
            change.insert("paper_repository", paper_id=papers[-1], repository_id=draw.choice(code))
    for number in range(CLAIMS):
        paper, tags = draw.choice(papers), draw.choice(("[]", '["CNN"]', '["CNN", "ViT"]'))
        known = 10 ** draw.uniform(6, 9) if draw.random() < 1 / 3 else None
        model = change.insert("model", name=f"Model {number}", paper_id=paper, parameters=known)
        columns = {"leaderboard_id": board, "model_id": model, "paper_id": paper, "position": number, "tags": tags}
        result = change.insert("result", extra_data=draw.choice((None, 0, 1)), added_by=change.event, **columns)
        for metric, value in ((accuracy, min(draw.gauss(70, 8), 100)), (flops, 10 ** draw.uniform(-1, 3))):
            number_of_value = round(value, draw.randint(1, 3))
            about_it = {"raw": str(number_of_value), "number": number_of_value}
            change.insert("value", result_id=result, metric_id=metric, **about_it)


def measured(store: Path) -> list[tuple[str, float, int]]:
    """Of each path, milliseconds and bytes."""
    app = create_app(Site(store, limits=UNLIMITED))
    client, found = TestClient(app), []
    for path in PATHS:
        times = []
        for _ in range(TIMES):
            app.state.pages, app.state.counts = Kept(1), Kept(1)  # nothing is kept from before
            start = time.process_time()
            answer = client.get(path)
            times.append(1_000 * (time.process_time() - start))
            answer.raise_for_status()
        found.append((path, min(times), len(answer.content)))
    return found


if __name__ == "__main__":
    main()
