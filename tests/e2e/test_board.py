"""The board as a user works it: make it, fill it, show it, submit, approve, export, check, back up."""

from __future__ import annotations

import gzip
import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from board_site import serving
from user_inputs import Finished, Result, Server

Command = Callable[..., Result]
PAPER = "self-training-with-noisy-student-improves"
TABLE = [
    {
        "task": "Image Classification",
        "datasets": [
            {
                "dataset": "Photos of ours",
                "sota": {
                    "metrics": ["Top 1 Accuracy"],
                    "rows": [
                        {
                            "model_name": f"M{number}",
                            "paper_title": f"Paper {number}",
                            "paper_url": f"https://arxiv.org/abs/2001.0000{number}",
                            "paper_date": f"2020-01-0{number + 1}",
                            "code_links": [],
                            "model_links": [],
                            "uses_additional_data": False,
                            "metrics": {"Top 1 Accuracy": f"{80 - number}.5%"},
                        }
                        for number in range(3)
                    ],
                },
                "subdatasets": [],
                "dataset_links": [],
                "dataset_citations": [],
                "description": "",
            }
        ],
        "subtasks": [],
        "categories": [],
        "synonyms": [],
        "description": "",
        "source_link": None,
    }
]


def test_two_commands_are_the_whole_way_to_a_site(noisystudent: Command, server: Server, tmp_path: Path) -> None:
    made = noisystudent("board", "init")
    assert made.status == 0, made.stderr
    assert "13 papers, 50 results" in made.stdout
    assert "noisystudent board serve" in made.stdout
    with serving(server, tmp_path) as client:
        assert client.get("/health").json()["status"] == "ok"
        for address in ("/", "/tasks", "/sota", "/datasets", "/papers", "/methods", "/submit", "/about"):
            assert client.get(address).status_code == 200, address
        page = client.get(f"/paper/{PAPER}").text
        for part in (
            "Self-training with Noisy Student improves ImageNet classification",
            *("Qizhe Xie", "Minh-Thang Luong", "Eduard Hovy", "Quoc V. Le"),
            *("2019-11-11", "CVPR 2020"),
            *("Image Classification", "Data Augmentation", "General Classification"),
            *("google-research/noisystudent", "tensorflow/tpu"),
            *("GFLOPs", "NoisyStudent (EfficientNet-B7)", "37"),
            "Natural Adversarial Examples",
        ):
            assert part in page, part
        assert "88.4%" in client.get("/sota/image-classification-on-imagenet").text


def test_import_curate_export_and_take_back(noisystudent: Command, tmp_path: Path) -> None:
    (tmp_path / "tables.json.gz").write_bytes(gzip.compress(json.dumps(TABLE).encode()))
    assert noisystudent("board", "init", "--empty", "--json").json == {"store": "board.db", "new": {}}
    imported = noisystudent("board", "import", "tables.json.gz", "--layer", "Ours", "--licence", "CC0-1.0", "--json")
    assert imported.status == 0, imported.stderr
    assert imported.json[0]["counts"]["result"] == 3
    exported = [noisystudent("board", "export", "--format", "evaluation-tables", "--out", f"{n}.json.gz") for n in "ab"]
    assert [result.status for result in exported] == [0, 0], exported[0].stderr
    assert (tmp_path / "a.json.gz").read_bytes() == (tmp_path / "b.json.gz").read_bytes()
    rows = json.loads(gzip.decompress((tmp_path / "a.json.gz").read_bytes()))[0]["datasets"][0]["sota"]["rows"]
    assert [row["model_name"] for row in rows] == ["M0", "M1", "M2"]
    slug = "image-classification-on-photos-of-ours"
    table = noisystudent("board", "export", "--format", "csv", "--of", slug, "--out", "t.csv")
    assert table.status == 0, table.stderr
    assert "79.5%" in (tmp_path / "t.csv").read_text()
    said = noisystudent("board", "direction", slug, "Top 1 Accuracy", "lower", "--actor", "carla", "--json")
    assert said.json == {"event": 2}
    assert noisystudent("board", "check", "--json").json["counts"] == {}
    taken_back = noisystudent("board", "restore", 1, "--note", "wrong file")
    assert "event 3" in taken_back.stdout
    again = noisystudent("board", "export", "--format", "evaluation-tables", "--out", "c.json.gz")
    assert again.status == 0
    assert "M0" not in gzip.decompress((tmp_path / "c.json.gz").read_bytes()).decode()
    with sqlite3.connect(tmp_path / "board.db") as connection:
        actors = connection.execute("SELECT actor, note FROM event ORDER BY id").fetchall()
    assert actors[1][0] == "carla"
    assert actors[2][1] == "wrong file"


def test_a_submission_with_a_token_waits_and_is_approved_while_the_site_runs(
    noisystudent: Command, server: Server, tmp_path: Path
) -> None:
    noisystudent("board", "init")
    token = noisystudent("board", "token", "make", "continuous integration", "--json").json["token"]
    submission = {
        "kind": "result",
        "payload": {
            "leaderboard": "image-classification-on-imagenet",
            "model": "Ours",
            "metrics": {"Top 1 Accuracy": "90.1%"},
        },
    }
    with serving(server, tmp_path) as client:
        refused = client.post("/api/v1/submissions/", json=submission)
        assert refused.status_code == 401
        sent = client.post("/api/v1/submissions/", json=submission, headers={"Authorization": f"Token {token}"})
        assert sent.status_code == 201, sent.text
        assert "90.1%" not in client.get("/sota/image-classification-on-imagenet").text
        waiting = noisystudent("board", "pending")
        assert "1 wait" in waiting.stdout
        assert "Ours" in waiting.stdout
        approved = noisystudent("board", "approve", sent.json()["id"], "--actor", "carla", "--json")
        assert approved.status == 0, approved.stderr
        assert "90.1%" in client.get("/sota/image-classification-on-imagenet").text
        other = submission | {"payload": submission["payload"] | {"model": "Worse"}}  # type: ignore[operator]
        number = client.post("/api/v1/submissions/", json=other, headers={"Authorization": f"Bearer {token}"}).json()[
            "id"
        ]
        assert noisystudent("board", "reject", number, "--reason", "no source").status == 0
        assert noisystudent("board", "token", "revoke", "continuous integration").status == 0
        late = client.post("/api/v1/submissions/", json=submission, headers={"Authorization": f"Token {token}"})
        assert late.status_code == 401
    assert "continuous integration" in noisystudent("board", "token", "list").stdout
    assert noisystudent("board", "token", "list", "--json").json[0]["revoked_at"]


def test_several_workers_read_only(noisystudent: Command, tmp_path: Path) -> None:
    noisystudent("board", "init")
    before = (tmp_path / "board.db").read_bytes()
    command = [sys.executable, "-m", "noisystudent.cli", "board", "serve", "--port", "0", "--json"]
    options = ["--workers", "2", "--read-only", "--name", "Our board"]
    with subprocess.Popen(
        [*command, *options], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        with httpx.Client(base_url=json.loads(process.stdout.readline())["address"], timeout=60) as client:
            assert client.get("/health").json()["writable"] is False
            assert "Our board" in client.get("/").text
        process.terminate()
        _, log = process.communicate(timeout=60)
    assert process.returncode == 0, log
    assert "Started parent process" in log
    assert (tmp_path / "board.db").read_bytes() == before


def test_a_run_stands_beside_a_claim(noisystudent: Command, finished: Finished, tmp_path: Path) -> None:
    noisystudent("board", "init")
    command = ("board", "submit", finished.folder, "--task", "Image Classification", "--dataset", "Bars and disks")
    assert noisystudent(*command).status == 2  # no such leaderboard
    told = noisystudent(*command, "--new", "--json")
    assert told.status == 0, told.stderr
    assert told.json["new"] is True
    assert told.json["leaderboard"] == "image-classification-on-bars-and-disks"
    assert "Top 1 Accuracy" in told.json["values"]
    assert noisystudent(*command, "--json").json["new"] is False
    beside = noisystudent(
        *("board", "submit", finished.folder, "--task", "image-classification", "--dataset", "imagenet"),
        *("--paper", "1911.04252", "--claim", "NoisyStudent (EfficientNet-B0)"),
    )
    assert beside.status == 0, beside.stderr
    assert "not comparable" in beside.stdout  # two classes beside a thousand
    with sqlite3.connect(tmp_path / "board.db") as connection:
        (config, command_line, environment) = connection.execute(
            "SELECT config, command, environment FROM run ORDER BY result_id LIMIT 1"
        ).fetchone()
    assert "[data]" in config
    assert command_line.startswith("noisystudent run --labeled labeled")
    assert str(tmp_path.parent) not in config + command_line + environment


def test_a_backup_is_taken_while_the_site_runs(noisystudent: Command, server: Server, tmp_path: Path) -> None:
    noisystudent("board", "init")
    with serving(server, tmp_path) as client:
        assert client.get("/").status_code == 200
        assert noisystudent("board", "backup", "saved.db").status == 0
    assert noisystudent("board", "check", "--store", "saved.db").status == 0
    again = noisystudent("board", "backup", "saved.db")
    assert again.status == 2
    assert "nothing is overwritten" in again.message


def test_damage_ends_with_status_1(noisystudent: Command, tmp_path: Path) -> None:
    noisystudent("board", "init")
    with sqlite3.connect(tmp_path / "board.db") as connection:
        connection.execute("INSERT INTO paper_search (paper_search) VALUES ('delete-all')")
    found = noisystudent("board", "check", "--json")
    assert found.status == 1
    assert found.json["ok"] is False
    assert "damaged" in noisystudent("board", "check").stdout


def test_a_full_disk_is_told_and_loses_nothing(server: Server, noisystudent: Command, tmp_path: Path) -> None:
    (tmp_path / "tables.json").write_text(json.dumps(TABLE))
    noisystudent("board", "init")
    before = noisystudent("board", "export", "--format", "evaluation-tables", "--out", "a.json")
    assert before.status == 0
    pid = server.start("board", "import", "tables.json", folder=tmp_path, largest_file=60_000)
    result = server.wait(pid)
    assert result.status == 1, result
    assert "nothing has changed" in result.message
    assert "Traceback" not in result.stderr
    noisystudent("board", "export", "--format", "evaluation-tables", "--out", "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert noisystudent("board", "import", "tables.json").status == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["serve"], "board init"),
        (["import", "none.json"], "none.json"),
        (["submit", "run", "--task", "a", "--dataset", "b"], "board init"),
        (["approve", "1"], "board init"),
    ],
)
def test_without_a_catalogue_every_command_says_how_to_make_one(
    refused: Callable[..., str], words: list[str], message: str
) -> None:
    assert message in refused("board", *words)


def test_what_a_user_gets_wrong(refused: Callable[..., str], noisystudent: Command, tmp_path: Path) -> None:
    noisystudent("board", "init")
    wrong: list[tuple[list[Any], str]] = [
        (["import", "none.json"], "none.json"),
        (["export", "--format", "xml", "--out", "x"], "there is no format 'xml'"),
        (["import", "tables.json.gz", "--licence", "MIT"], "--licence goes with --layer"),
        (["export", "--format", "csv", "--of", "image-classification-on-imagnet", "--out", "x"], "near it there are"),
        (["export", "--format", "methods", "--of", "x", "--out", "x"], "--of goes with"),
        (["export", "--format", "methods", "--out", "none/x.json"], "a folder that exists"),
        (["restore", "99"], "no event 99"),
        (["direction", "none", "x", "lower"], "no leaderboard 'none'"),
        (["token", "make", "x", "--scope", "all"], "scope 'all' is unknown"),
        (["token", "revoke", "x"], "no token 'x'"),
        (["approve", "7"], "7"),
        (["reject", "7", "--reason", "x"], "7"),
        (["serve", "--host", "no.such.host.invalid"], "cannot listen"),
        (["serve", "--address", "x"], "write it as"),
    ]
    for words, message in wrong:
        assert message in refused("board", *words), words
    (tmp_path / "broken.json").write_text('[{"task": "A", "datasets": [')
    assert "broken.json" in refused("board", "import", "broken.json")
    assert not (tmp_path / "x").exists()


def test_a_table_of_anyone_goes_in_and_comes_out_in_formats_of_others(noisystudent: Command, tmp_path: Path) -> None:
    assert noisystudent("board", "init", "--empty").status == 0
    (tmp_path / "mine.csv").write_text("Network;Treffer;notes\nA;88.4;x\nB;90.1;y\n")
    asked = noisystudent("board", "import", str(tmp_path / "mine.csv"))
    assert (asked.status, "--task" in asked.stderr, "Traceback" in asked.stderr) == (2, True, False)
    said = ("--task", "T", "--dataset", "D", "--column", "model=Network", "--column", "metrics=Treffer")
    done = noisystudent("board", "import", str(tmp_path / "mine.csv"), *said)
    assert done.status == 0, done.stderr
    assert "2 result" in done.stdout
    assert "notes" in done.stdout  # what was lost
    assert noisystudent("board", "direction", "t-on-d", "Treffer", "higher").status == 0
    for format, files in (("every-eval-ever", 2), ("hugging-face", 2)):
        out = noisystudent("board", "export", "--format", format, "--out", str(tmp_path / format), "--json")
        assert out.status == 0, out.stderr
        assert (
            json.loads(out.stdout)["files"]
            == files
            == len([file for file in (tmp_path / format).rglob("*") if file.is_file()])
        )
    again = json.loads(noisystudent("board", "import", str(tmp_path / "every-eval-ever"), "--json").stdout)
    assert [report["already there"] for report in again] == [{"result": 2}]
