"""The event log as readers see it."""

from noisystudent.board.catalogue import events
from noisystudent.board.catalogue.store import Store


def test_the_news_tell_of_an_import_once(store: Store) -> None:
    def add(name: str, note: str = "", of_import: int | None = None) -> None:
        with store.changing("carla" if of_import else "anna", "add", note) as change:
            change.task(name)
            if of_import:
                change.report["import"] = of_import

    add("Old")
    for part in (1, 2, 3):
        add(f"Of a file {part}", f"tasks.json, part {part} of 3", of_import=2)
        add(f"Of another {part}")
    with store.reading() as connection:
        news = [(event["id"], event["notes"], event["summary"]) for event in events.newest(connection, 3)]
        everything = [event["id"] for event in events.newest(connection, 9)]
    assert news == [(7, [], "1 task"), (6, ["tasks.json, part 3 of 3"], "3 tasks"), (5, [], "3 tasks")]
    assert everything == [7, 6, 5]  # what one does in a row is one change
