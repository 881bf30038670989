"""A real etcd of its own: fresh, on loopback, gone when the test is."""

from __future__ import annotations

import http.client
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START_SECONDS = 30


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody uses at the moment."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


@contextmanager
def running_etcd(progress_notify_ms: int = 600_000) -> Iterator[int]:
    """Starts an etcd and gives the port of its clients; stops it by its own process. Watchers who
    ask for it are told their progress when nothing else was told for so long."""
    program = shutil.which("etcd")
    if program is None:
        raise RuntimeError("there is no etcd: tests/tools/ensure-etcd.sh installs it")
    client, peer = free_ports(2)
    with tempfile.TemporaryDirectory(prefix="revwatch-etcd-") as folder:
        urls = {
            "--listen-client-urls": f"http://127.0.0.1:{client}",
            "--advertise-client-urls": f"http://127.0.0.1:{client}",
            "--listen-peer-urls": f"http://127.0.0.1:{peer}",
            "--initial-advertise-peer-urls": f"http://127.0.0.1:{peer}",
            "--initial-cluster": f"default=http://127.0.0.1:{peer}",
            "--data-dir": folder,
            "--log-level": "error",
            "--experimental-watch-progress-notify-interval": f"{progress_notify_ms}ms",
            # The histories are about what is answered, not about the disk.
            "--unsafe-no-fsync": "",
        }
        arguments = [argument for pair in urls.items() for argument in pair if argument]
        with (Path(folder) / "log").open("wb") as log:
            process = subprocess.Popen([program, *arguments], stdout=log, stderr=log)
            try:
                wait_until_healthy(process, client, Path(folder) / "log")
                yield client
            finally:
                process.terminate()
                process.wait(timeout=START_SECONDS)


def wait_until_healthy(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"etcd ended at once: {log.read_text()}")
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/health")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise RuntimeError(f"etcd is not healthy after {START_SECONDS} s: {log.read_text()}")
