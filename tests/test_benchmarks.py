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


ASK_THE_SERVER = """
import sys
from emulators import Program, Served
from servers import WORK, fill, rate, refusal
served = Served("here", Program(lambda port: [sys.executable, "-m", "dynamix", "serve", "--port", str(port)], ""))
fill(served)
for kind in WORK:
    print(refusal(served, kind) or round(rate(served, kind, 3, 0.01)["rate"]) > 0)
served.end()
"""


def test_the_server_does_all_the_work_that_is_measured():
    """What servers are asked for is answered by `dynamix serve`, over several connections, with what is expected."""
    command = [sys.executable, "-c", ASK_THE_SERVER]
    done = subprocess.run(command, cwd=BENCHMARKS, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["True"] * 6
