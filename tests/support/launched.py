"""Start several processes as a cluster's launcher does."""

import os
import socket
import subprocess
import sys
from pathlib import Path


def launched(count: int, *command: object, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script, or `-m module`, in so many processes on this machine, by `torchrun`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    launcher = ["-m", "torch.distributed.run", "--nproc-per-node", str(count), "--master-port", str(port)]
    return subprocess.run(
        [sys.executable, *launcher, *map(str, command)],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "COLUMNS": "200", "OMP_NUM_THREADS": "1"},
        check=False,
    )
