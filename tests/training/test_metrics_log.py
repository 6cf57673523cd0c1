from pathlib import Path

from noisystudent.training.metrics_log import MetricsLog, read_metrics


def test_what_was_logged_after_the_checkpoint_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "gen-0" / "metrics.jsonl"
    log = MetricsLog(path, done=0)
    for step in (10, 20, 20, 30):
        log.append({"step": step, "loss": step / 100})
    log = MetricsLog(path, done=20)
    assert [line["step"] for line in read_metrics(path)] == [10, 20, 20]
    log.append({"step": 25, "loss": 0.5})
    assert read_metrics(path)[-1] == {"step": 25, "loss": 0.5}
    MetricsLog(path, done=0)
    assert read_metrics(path) == []


def test_half_a_last_line_is_ignored_and_then_removed(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    MetricsLog(path, done=0).append({"step": 1, "loss": 2.0})
    with path.open("a") as file:
        file.write('{"step": 2, "lo')
    assert read_metrics(path) == [{"step": 1, "loss": 2.0}]
    MetricsLog(path, done=5).append({"step": 6, "loss": 1.0})
    assert [line["step"] for line in read_metrics(path)] == [1, 6]


def test_a_log_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert read_metrics(tmp_path / "metrics.jsonl") == []
