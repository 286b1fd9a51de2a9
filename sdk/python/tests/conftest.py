"""A street of a test's own: a process, free ports, a folder."""

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

PROGRAM = os.environ.get("HIGHSTREET", "../../target/debug/highstreet")
"""`highstreet`, as it was built; `cargo xtask sdk` says where."""

Serve = Callable[..., str]
"""Starts `highstreet serve` with more arguments, and returns its address."""


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    with ExitStack() as streets:
        yield lambda *more: streets.enter_context(served(tmp_path / "data", *more))


@contextmanager
def served(folder: Path, *more: str) -> Iterator[str]:
    listen, admin = free_address(), free_address()
    words = [PROGRAM, "serve", "--listen", listen, "--admin", admin, "--data", str(folder), *more]
    server = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env={**os.environ, "HIGHSTREET_LOG": "error"}
    )
    try:
        wait_until_ready(server, f"http://{admin}/readyz")
        yield f"http://{listen}"
    finally:
        # This very process.
        server.terminate()
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def wait_until_ready(server: "subprocess.Popen[bytes]", probe: str) -> None:
    over = time.monotonic() + 30
    while time.monotonic() < over:
        assert server.poll() is None, f"it ended with {server.returncode}"
        try:
            with urllib.request.urlopen(probe, timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
    raise AssertionError("the street is not ready within half a minute")


def free_address() -> str:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{listener.getsockname()[1]}"


def token(folder: Path, *words: str) -> str:
    """A token made by `highstreet token` with the key in `folder`."""
    made = subprocess.run(
        [PROGRAM, "token", "--key", str(folder / "key.pem"), *words], check=True, stdout=subprocess.PIPE, text=True
    )
    return made.stdout.strip()
