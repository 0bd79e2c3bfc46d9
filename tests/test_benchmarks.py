"""The benchmarks measure what works: their own check of dynamix, without the timing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


def test_dynamix_does_all_the_work_that_is_measured(monkeypatch):
    """The contestant of the benchmarks reads and sends what is meant, so that `make bench` has something to time."""
    pytest.importorskip("uvloop", reason="the benchmarks' responder runs on uvloop")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    pipes = {"cwd": BENCHMARKS, "stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "responder.py"], **pipes) as responder:
        url = f"http://127.0.0.1:{int(responder.stdout.readline())}"
        command = [sys.executable, "worker.py", "rounds", "dynamix_model", url]
        with subprocess.Popen(command, **pipes) as worker:
            answers, _ = worker.communicate(json.dumps({"command": "verify"}), timeout=60)
        responder.communicate(timeout=60)
    assert [json.loads(line) for line in answers.splitlines()] == [{}, {"gives": "model objects"}]
