"""A run on a Ray cluster, or on a Ray started on the spot: workers do it together as processes that `torchrun` starts do.

Nothing of Ray's is in the run folder, which all workers must see under the same name: they label by parts and train by the checkpoints
that every run has. When a worker is lost, Ray starts all anew, and the run goes on from what is there.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from noisystudent import processes, progress
from noisystudent.config import Config, Execution
from noisystudent.errors import RunError, UserError
from noisystudent.extras import needing
from noisystudent.pipeline import check, run
from noisystudent.rundir import check_here

LOSSES = 100  # of workers, before the run is given up: machines that are lent come and go
HERE = 200 * 2**20  # bytes for Ray's objects on this machine, of which we have none


def run_on_ray(config: Config, out: str | Path) -> dict[str, Any]:
    """What `pipeline.run` does, by `execution.ray_workers` workers.

    Args:
        config: its paths, like `out`, are the same on all machines.
        out: the run folder.

    Returns:
        What `results.json` of the run holds.

    Raises:
        UserError: as `pipeline.run`; Ray is not installed, or not at the address.
        RunError: as `pipeline.run`; too many workers were lost.
    """
    check_here(Path(out))
    with needing("ray"):
        check(config, out)
    with contextlib.redirect_stdout(sys.stderr):  # what workers and Ray print is not the answer
        answer = _answer(config, Path(out).absolute())
    if "problems" in answer:
        raise (UserError if answer["user"] else RunError)(answer["problems"])
    return answer


def _answer(config: Config, out: Path) -> dict[str, Any]:
    import ray
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchConfig, TorchTrainer
    from ray.train.v2.api.exceptions import TrainingFailedError

    execution = config.execution
    _join(execution)
    notes = out.parent / f".{out.name}.ray-{uuid.uuid4().hex}"  # Ray's own, of which nothing is needed afterwards
    job = {"config": config.to_toml(), "out": str(out), "folder": os.getcwd(), "command": sys.argv}
    there: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    gpus = execution.device != "cpu" and there.get("GPU", 0) >= execution.ray_workers
    share = {"CPU": max(there["CPU"] // execution.ray_workers, 1.0)} | ({"GPU": 1.0} if gpus else {})
    trainer = TorchTrainer(
        _work,  # type: ignore[arg-type]  # what it returns has a place in Ray's second version alone
        train_loop_config=job,
        torch_config=TorchConfig(timeout_s=int(processes.LONGEST_WAIT.total_seconds())),
        scaling_config=ScalingConfig(num_workers=execution.ray_workers, use_gpu=gpus, resources_per_worker=share),
        run_config=RunConfig(storage_path=str(notes), failure_config=FailureConfig(max_failures=LOSSES)),
    )
    try:
        answer: dict[str, Any] = trainer.fit().return_value  # type: ignore[attr-defined]
        return answer
    except TrainingFailedError as error:
        raise RunError(f"the workers failed: {error}. The same command goes on from what is there") from error
    finally:
        shutil.rmtree(notes, ignore_errors=True)
        ray.shutdown()


def _join(execution: Execution) -> None:
    """Connect with the cluster, or start a Ray on this machine."""
    import ray

    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    quietly: dict[str, Any] = {"logging_config": ray.LoggingConfig(log_level="ERROR"), "ignore_reinit_error": True}
    quietly["runtime_env"] = {"worker_process_setup_hook": _telling_its_cluster()}
    if not execution.ray_address:
        cores = max(os.cpu_count() or 1, execution.ray_workers)
        try:
            ray.init("local", num_cpus=cores, include_dashboard=False, object_store_memory=HERE, **quietly)
        except Exception as error:  # Ray raises a bare one when its processes are not there after 30 seconds
            raise RunError(
                f"Ray did not start on this machine ({str(error).rstrip('.')}); where it is busy, the same command may do later"
            ) from error
        return
    try:
        ray.init(execution.ray_address, **quietly)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise UserError(
            f"execution.ray_address {execution.ray_address}: no Ray answers there ({error}); "
            "`ray start --head` starts one, and an empty address one for this run alone"
        ) from None


def _telling_its_cluster() -> Callable[[], None]:
    """What every process of the cluster does first: it says to Ray Train which cluster it is of.

    Ray Train asks for the state of its actors at the one cluster that it finds among the processes of the machine, and fails where
    there are two.
    """

    def tell() -> None:  # within, so that it travels by value: to import this module would load PyTorch everywhere
        import os

        import ray

        os.environ["RAY_ADDRESS"] = ray.get_runtime_context().gcs_address

    return tell


def _work(job: dict[str, Any]) -> dict[str, Any]:
    """In a worker: the whole run, as one of several processes. A mistake of the user is no reason to start anew."""
    os.chdir(job["folder"])
    sys.argv = job["command"]
    progress.configure(quiet=False, silent=not processes.is_first())
    try:
        return run(Config.from_toml(job["config"]), job["out"])
    except (UserError, RunError) as error:
        problems = error.problems if isinstance(error, UserError) else str(error)
        return {"problems": problems, "user": isinstance(error, UserError)}
    except SystemExit:  # the first tells why
        return {}
