"""What a program does at its very end, over HTTP: there, the interpreter may start no threads any more."""

import subprocess
import sys

import pytest

PROGRAM = """
import asyncio, atexit, sys
import dynamix

class Note(dynamix.Model):
    __table_name__ = sys.argv[2]
    name = dynamix.CharField(hash_key=True)

dynamix.set_connection(is_local_endpoint=("localhost", int(sys.argv[1])))
dynamix.create_table(Note)

def at_the_end():
    Note.batch_write([{"name": str(n)} for n in range(70)])
    print(len(Note.batch_get(*({"name": str(n)} for n in range(250)))))

def at_the_end_of_asyncio():
    async def main():
        await Note.abatch_write([{"name": str(n)} for n in range(80)])
        print(len(await Note.abatch_get(*({"name": str(n)} for n in range(250)))))
    asyncio.run(main())

atexit.register(at_the_end_of_asyncio)
atexit.register(at_the_end)
"""


@pytest.mark.parametrize("connected", [False, True])
def test_batches_in_an_atexit_handler(connected: bool, engine_http: tuple[str, int]) -> None:
    """Batches are written and read in atexit handlers, blocking and in asyncio, by names that must be looked up."""
    name = f"at-the-end-{connected}"
    program = (
        PROGRAM
        if connected
        else PROGRAM.replace("dynamix.create_table(Note)\n", "").replace(
            "def at_the_end():\n", "def at_the_end():\n    dynamix.create_table(Note)\n"
        )
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(engine_http[1]), name], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.stdout.split() == ["70", "80"]
