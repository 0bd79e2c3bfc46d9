"""Folders that stand for buckets: no key leads out of one, and a file is there as a whole or not at all."""

import os
import sys
from pathlib import Path

import pytest

from dynamix import ValidationException
from dynamix.engine import Engine
from dynamix.engine.buckets.bucket import Bucket, BucketError

KEYS = ["../out", "a/../../out", "/etc/passwd", "a//b", "", ".", "a/.", "..", "a\0b", "\ud800", ".dynamix-x", "a/"]


def put(bucket: Bucket, key: str, data: bytes = b"data") -> None:
    with bucket.writing(key) as file:
        file.write(data)


@pytest.mark.parametrize("key", KEYS)
def test_no_key_leads_out_of_the_folder(tmp_path: Path, key: str) -> None:
    """What is no path below the folder can be neither written nor read nor removed."""
    (tmp_path / "out").write_bytes(b"theirs")
    (tmp_path / "in").mkdir()
    bucket = Bucket(tmp_path / "in")
    for use in (bucket.check, bucket.open, bucket.size, bucket.remove, lambda key: put(bucket, key)):
        with pytest.raises(BucketError):
            use(key)
    assert (tmp_path / "out").read_bytes() == b"theirs"
    assert os.listdir(tmp_path / "in") == []


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need a permission there")
def test_no_symbolic_link_is_followed(tmp_path: Path) -> None:
    """A link in the folder, to a file or to a folder, is refused by name; the folder itself may be reached by one."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "file").write_bytes(b"theirs")
    (tmp_path / "in").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "in")
    bucket = Bucket(tmp_path / "link")
    put(bucket, "a/fine")
    assert bucket.keys("a") == ["a/fine"]
    (tmp_path / "in" / "folder").symlink_to(tmp_path / "out")
    (tmp_path / "in" / "file").symlink_to(tmp_path / "out" / "file")
    for key in ("folder/file", "folder/new", "file"):
        with pytest.raises(BucketError, match="symbolic link"):
            put(bucket, key)
        with pytest.raises(BucketError, match="symbolic link"):
            bucket.open(key)
    for prefix in ("", "f", "folder", "folder/"):
        with pytest.raises(BucketError, match="symbolic link"):
            bucket.keys(prefix)
    assert bucket.keys("a/") == ["a/fine"]
    assert (tmp_path / "out" / "file").read_bytes() == b"theirs"
    assert os.listdir(tmp_path / "out") == ["file"]


def test_a_file_is_there_when_it_is_complete(tmp_path: Path) -> None:
    """What fails half-way leaves nothing, and what was there before stays until then."""
    bucket = Bucket(tmp_path)
    put(bucket, "a/b/c")

    def write_half() -> None:
        with bucket.writing("a/b/c") as file:
            file.write(b"other")
            assert bucket.keys("") == ["a/b/c"]
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()
    with bucket.open("a/b/c") as file:
        assert file.read() == b"data"
    assert os.listdir(tmp_path / "a" / "b") == ["c"]


def test_a_prefix_need_not_be_a_folder(tmp_path: Path) -> None:
    """Keys are found by how they begin, as in a bucket; a folder that is not there has none."""
    bucket = Bucket(tmp_path)
    for key in ("x/one", "x/other", "xy", "z/x/one"):
        put(bucket, key)
    for prefix, keys in (
        ("", ["x/one", "x/other", "xy", "z/x/one"]),
        ("x", ["x/one", "x/other", "xy"]),
        ("x/", ["x/one", "x/other"]),
        ("x/on", ["x/one"]),
        ("none/", []),
        ("x/one/two", []),
    ):
        assert bucket.keys(prefix) == keys, prefix
    for prefix in ("../", "/x/", "x/../x"):
        with pytest.raises(BucketError):
            bucket.keys(prefix)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """An engine is not made with a bucket whose folder is missing: its name and the folder are said."""
    with pytest.raises(ValidationException, match=r"'mine'.*there is no folder .*missing"):
        Engine(buckets={"mine": tmp_path / "missing"})
