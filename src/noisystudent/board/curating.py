"""What a curator sees and says on the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from noisystudent.board.catalogue.names import meant, metric_meant
from noisystudent.board.catalogue.near import near, near_slugs
from noisystudent.board.catalogue.ranking import out_of_date
from noisystudent.board.catalogue.slugs import arxiv_month
from noisystudent.board.catalogue.store import Store
from noisystudent.board.queries.leaderboards import metrics_of
from noisystudent.board.submitting import submissions, tokens
from noisystudent.errors import UserError


@contextmanager
def made_or_opened(path: Path) -> Iterator[tuple[Store, bool]]:
    """A store, and whether it was made now; one into which nothing came, since the block failed, is not left behind.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "board.db"
        >>> with made_or_opened(path) as (store, is_new):
        ...     is_new, path.exists()
        (True, True)
    """
    is_new = not path.exists()
    store = Store(path, create=is_new)
    try:
        yield store, is_new
    except BaseException:
        with store.reading() as connection:
            untouched = is_new and connection.execute("SELECT 1 FROM event LIMIT 1").fetchone() is None
        if untouched:
            for end in ("", "-wal", "-shm"):
                path.with_name(path.name + end).unlink(missing_ok=True)
        raise


def set_direction(store: Store, leaderboard: str, metric: str, *, higher_is_better: bool, actor: str) -> int:
    """Say which direction of a metric is better, and rank anew; no import undoes it.

    Args:
        leaderboard: its slug.
        metric: its name there.
        higher_is_better: which.
        actor: who says it.

    Returns:
        The number of the event.

    Raises:
        UserError: there is no such leaderboard or metric.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> store = Store(Path(tempfile.mkdtemp()) / "board.db", create=True)
        >>> with store.changing("anna", "add") as change:
        ...     board = change.leaderboard(change.task("Chess"), change.dataset("Games"))
        ...     _ = change.metric(board, "Elo")
        >>> set_direction(store, "chess-on-games", "Elo", higher_is_better=True, actor="anna")
        2
    """
    with store.changing(actor, "set direction", f"{leaderboard}: {metric}") as change:
        board = meant(change.connection, "leaderboard", leaderboard)
        if board is None:
            hint = near_slugs(change.connection, "leaderboard", leaderboard)
            raise UserError(f"there is no leaderboard {leaderboard!r}{hint}")
        metrics = metrics_of(change.connection, board)
        chosen = metric_meant(metrics, metric)
        if chosen is None:
            raise UserError(f"there is no metric {metric!r}{near(metric, [known['name'] for known in metrics])}")
        change.direct(chosen["id"], higher_is_better)
        return change.event


def rank_anew(store: Store, *, actor: str) -> int:
    """Rank the leaderboards anew that an older version ranked by its rules.

    Returns:
        How many there were; where there are none, nothing changes.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> rank_anew(Store(Path(tempfile.mkdtemp()) / "board.db", create=True), actor="anna")
        0
    """
    with store.reading() as connection:
        leaderboards = out_of_date(connection)
    if leaderboards:
        with store.changing(actor, "rank anew", "by the rules of this version") as change:
            change.touched.update(leaderboards)
    return len(leaderboards)


def number_papers(store: Store, *, actor: str) -> int:
    """Papers that an older version called by their arXiv address are called by their number, and get its month; old addresses lead there.

    Returns:
        How many there were; where there are none, nothing changes.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> number_papers(Store(Path(tempfile.mkdtemp()) / "board.db", create=True), actor="anna")
        0
    """
    query = "SELECT * FROM paper WHERE arxiv_id IS NOT NULL AND (title LIKE 'http://%' OR title LIKE 'https://%')"
    with store.reading() as connection:
        papers = connection.execute(query).fetchall()
    if not papers:
        return 0
    with store.changing(actor, "number papers", "an address is no title") as change:
        for paper in papers:
            number = paper["arxiv_id"]
            slug = change.free_slug("paper", f"arxiv-{number}".replace(".", "-"))
            published = paper["published"] or arxiv_month(number)
            change.edit("paper", paper["id"], title=f"arXiv:{number}", slug=slug, published=published)
            owner: dict[str, Any] = {"kind": "paper", "old": paper["slug"]}
            change.replace_rows("alias", owner, [{"id": paper["id"]}])
    return len(papers)


def pending(store: Store) -> list[dict[str, Any]]:
    """The submissions that wait, the oldest first: what they would change, and what stands against it."""
    with store.reading() as connection:
        found, page = [], 1
        while batch := submissions.waiting(connection, page)[0]:
            for one in batch:
                difference = submissions.difference(connection, one.id)
                known = {"id": one.id, "at": one.at, "kind": one.kind, "submitter": one.submitter}
                found.append(known | {"difference": asdict(difference)})
            page += 1
        return found


def token_rows(store: Store) -> list[dict[str, Any]]:
    """All tokens without their secrets, the newest first."""
    with store.reading() as connection:
        return [asdict(token) | {"scopes": sorted(token.scopes)} for token in tokens.listed(connection)]
