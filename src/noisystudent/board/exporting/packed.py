"""The program that makes a file of the catalogue for readers: `python -m noisystudent.board.exporting.packed STORE FORMAT`.

It writes the export, gzipped, to standard output, and to standard error the number of the event that it is of, as soon as there is
something to read; where it fails, a line of JSON with what went wrong.
"""

from __future__ import annotations

import gzip
import json
import os
import sqlite3
import sys
from pathlib import Path
from typing import BinaryIO, cast

from noisystudent.board.catalogue.history import last_event
from noisystudent.board.catalogue.store import Store
from noisystudent.board.exporting import export
from noisystudent.errors import RunError

NICE = 10  # readers of pages come first


def main() -> None:
    os.nice(NICE)
    out = sys.stdout.buffer
    try:
        with Store(Path(sys.argv[1]), read_only=True).reading() as connection:
            event = last_event(connection)
            with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=out, mtime=0) as file:
                out.flush()
                _say(str(event))
                export(connection, sys.argv[2], cast(BinaryIO, file))
        out.flush()
    except (sqlite3.Error, OSError, RunError) as caught:
        error = caught.__cause__ or caught  # of what could not be opened, what SQLite says
        codes = {name: getattr(error, name, None) for name in ("sqlite_errorcode", "errno")}
        _say(json.dumps({"error": getattr(error, "strerror", None) or str(error), **codes}))
        os._exit(1)  # what is left of the file is not written: the disk may be full


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
