"""A run followed in experiment trackers while it goes on: TensorBoard, Weights & Biases, MLflow, Trackio. None, unless asked for.

Each network is a run of the tracker's own, so that teacher and students are curves over the same steps. It is told what `metrics.jsonl`
is, and in the end what was measured; a training that goes on does so in the same run of the tracker's. Where things go is said to a tracker
as always, by its own variables (WANDB_MODE, MLFLOW_TRACKING_URI, TRACKIO_DIR); TensorBoard's files lie in the run's folder.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import util
from pathlib import Path
from typing import Any, NamedTuple

from noisystudent.config import Config, Tracker, Training
from noisystudent.errors import UserError
from noisystudent.extras import pip
from noisystudent.processes import is_first
from noisystudent.progress import logger

PROJECT = "noisystudent"  # where a tracker keeps runs together, unless its own variable names another place
Values = Mapping[str, float]


class Followed(NamedTuple):
    """A network as trackers are told of it.

    Attributes:
        run: the run's folder.
        name: of the network's folder in it, such as "gen-1".
        identity: the same when a training goes on, another for another run.
        settings: of the training, by dotted name.
        step: the first that is told of; a tracker may forget what it was told of later ones.
    """

    run: Path
    name: str
    identity: str
    settings: dict[str, Any]
    step: int

    @property
    def title(self) -> str:
        """For who looks at many runs."""
        return f"{self.run.name}/{self.name}"


class Tracked(NamedTuple):
    """A network in one tracker: how it is told of values at a step, how it ends, and what a user is told of where to look."""

    log: Callable[[Values, int], object]
    finish: Callable[[], object]
    where: str


def check_trackers(trackers: Sequence[Tracker]) -> None:
    """Find out before any work is done whether all that is asked for is installed and can begin.

    Raises:
        UserError: naming what cannot, and what helps.
    """
    problems = [problem for tracker in trackers if (problem := _missing(tracker) or _CHECKS.get(tracker, str)())]
    if problems:
        raise UserError(problems)


class Trackers:
    """Tells the trackers of a configuration of a run's networks, one after another. Of several processes the first does.

    A tracker that fails, for lack of a connection or of space, ends no training: a warning says so, and it is told no more.

    Args:
        config: of the run.
        run: its folder.
        training: how the network is trained.
    """

    def __init__(self, config: Config, run: Path, training: Training) -> None:
        self._names = list(config.execution.trackers) if is_first() else []
        self._run = run
        self._settings = {"recipe": config.recipe, "seed": config.seed, **_flat(training.model_dump(mode="json"))}
        self._folder: Path | None = None
        self._open: dict[Tracker, Tracked] = {}

    def log(self, folder: Path, line: Values) -> None:
        """Tell of values of the network in `folder`; one of them is the `step`."""
        step = int(line["step"])
        values = {name: float(value) for name, value in line.items() if name != "step"}
        if folder != self._folder:
            self.finish()
            self._folder = folder
            for tracker in self._names:
                self._guarded(tracker, functools.partial(self._begin, tracker, folder, step))
        for tracker, tracked in list(self._open.items()):
            self._guarded(tracker, functools.partial(tracked.log, values, step))

    def finish(self) -> None:
        """The network is done; or its training was stopped, and may go on."""
        for tracker, tracked in list(self._open.items()):
            self._guarded(tracker, tracked.finish)
        self._open, self._folder = {}, None

    def _begin(self, tracker: Tracker, folder: Path, step: int) -> None:
        name = folder.relative_to(self._run).as_posix()
        begun = (self._run / "environment.json").read_bytes()
        identity = hashlib.sha256(begun + name.encode()).hexdigest()[:16]
        followed = Followed(self._run.resolve(), name, identity, self._settings, step)
        self._open[tracker] = _OPENERS[tracker](followed)
        logger.info("%s is followed: %s", name, self._open[tracker].where)

    def _guarded(self, tracker: Tracker, work: Callable[[], object]) -> None:
        try:
            with contextlib.redirect_stdout(io.StringIO()):  # standard output is the command's answer
                work()
        except Exception as error:  # whatever ails a tracker, hours of training are worth more
            self._open.pop(tracker, None)
            name = self._folder.relative_to(self._run).as_posix() if self._folder else ""
            logger.warning("%s is told no more of %s: %s", tracker, name, _first_line(error))


@contextmanager
def followed(config: Config, run: Path, training: Training) -> Iterator[Trackers]:
    """The trackers of a network, for as long as the block lasts; arguments as for `Trackers`."""
    trackers = Trackers(config, run, training)
    try:
        yield trackers
    finally:
        trackers.finish()


def _tensorboard(network: Followed) -> Tracked:
    from torch.utils.tensorboard import SummaryWriter

    folder = network.run / "tensorboard" / network.name  # not beside the model, where `best` would show it once more
    begun = folder.exists()
    writer: Any = SummaryWriter(os.fspath(folder), purge_step=network.step)
    if not begun:
        writer.add_text("settings", "\n".join(f"    {name} = {value}" for name, value in network.settings.items()))

    def log(values: Values, step: int) -> None:
        for name, value in values.items():
            writer.add_scalar(name, value, step)
        writer.flush()

    return Tracked(log, writer.close, f"tensorboard --logdir {network.run / 'tensorboard'}")


def _wandb(network: Followed) -> Tracked:
    import wandb

    run: Any = wandb.init(
        project=os.environ.get("WANDB_PROJECT", PROJECT),
        group=network.run.name,
        name=network.title,
        id=network.identity,
        resume="allow",
        config=network.settings,
        settings=wandb.Settings(silent=True, console="off"),
    )
    where = run.url or f"wandb sync {Path(run.dir).parent}"
    return Tracked(lambda values, step: run.log(dict(values), step=step), run.finish, where)


def _mlflow(network: Followed) -> Tracked:
    from mlflow import MlflowClient

    client: Any = MlflowClient()
    experiment = os.environ.get("MLFLOW_EXPERIMENT_NAME", PROJECT)
    known = client.get_experiment_by_name(experiment)
    place = known.experiment_id if known else client.create_experiment(experiment)
    tag = "noisystudent.identity"
    begun = client.search_runs([place], filter_string=f"tags.`{tag}` = '{network.identity}'")
    if begun:
        run = begun[0].info.run_id
        client.update_run(run, status="RUNNING")
    else:
        run = client.create_run(place, run_name=network.title, tags={tag: network.identity}).info.run_id
        for name, value in network.settings.items():
            client.log_param(run, name, str(value)[:MLFLOW_LONGEST_VALUE])

    def log(values: Values, step: int) -> None:
        for name, value in values.items():
            client.log_metric(run, name, value, step=step)

    where = f"{client.tracking_uri}, experiment {experiment}"
    return Tracked(log, lambda: client.set_terminated(run), where)


MLFLOW_LONGEST_VALUE = 6000  # https://mlflow.org/docs/latest/api_reference/rest-api.html#log-param


def _trackio(network: Followed) -> Tracked:
    import trackio

    project = os.environ.get("TRACKIO_PROJECT", PROJECT)
    run: Any = trackio.init(
        project=project,
        group=network.run.name,
        name=f"{network.title} {network.identity[:6]}",  # by its name alone a run is known
        config=network.settings,
        resume="allow",
        embed=False,
        auto_log_cpu=False,
        auto_log_gpu=False,
    )
    where = f"trackio show --project {project}"
    return Tracked(lambda values, step: run.log(dict(values), step=step), run.finish, where)


def _wandb_can_begin() -> str:
    """What is wrong with the account; W&B would ask at its terminal, hours later."""
    import wandb

    with contextlib.redirect_stderr(io.StringIO()):
        offline = wandb.setup().settings.mode in ("offline", "disabled")
        known = offline or wandb.login(prompt=False)
    return "" if known else "execution.trackers: wandb knows no account here: `wandb login`, or WANDB_MODE=offline"


def _mlflow_can_begin() -> str:
    from mlflow import MlflowClient

    try:
        MlflowClient()
    except Exception as error:  # of a store there are many kinds, each with its own
        return f"execution.trackers: mlflow cannot begin: {_first_line(error)}"
    return ""


def _missing(tracker: Tracker) -> str:
    if util.find_spec(tracker) is not None:
        return ""
    return f"execution.trackers: {tracker} is not installed: {pip()} install {tracker}"


def _flat(settings: Mapping[str, Any], where: str = "") -> dict[str, Any]:
    """By dotted names, as `--set` takes them; lists in words."""
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{where}{name}.")
        else:
            flat[f"{where}{name}"] = value if isinstance(value, str | int | float | bool) else str(value)
    return flat


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


_OPENERS: dict[Tracker, Callable[[Followed], Tracked]] = {
    "tensorboard": _tensorboard,
    "wandb": _wandb,
    "mlflow": _mlflow,
    "trackio": _trackio,
}
_CHECKS: dict[Tracker, Callable[[], str]] = {"wandb": _wandb_can_begin, "mlflow": _mlflow_can_begin}
