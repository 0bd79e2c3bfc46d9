"""A folder that stands for a bucket: its files are the objects, their paths below it the keys.

A key never leads out of the folder: it has no part such as `..`, and no symbolic link is followed on the way. A file
appears under its name when it is complete.
"""

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import BinaryIO

_UNFINISHED = ".dynamix-"
"""How the names of files begin that are being written."""


class BucketError(Exception):
    """What is asked for cannot be an object of the bucket; the message says why."""


class Bucket:
    """The folder at `path`, which must be there. Raises ValueError where it is not."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._root = os.path.realpath(path)
        if not os.path.isdir(self._root):
            raise ValueError(f"there is no folder {os.fspath(path)!r}; make it first")

    def keys(self, prefix: str) -> list[str]:
        """The keys that begin with a prefix, in order. Raises BucketError and OSError."""
        folder = prefix.rpartition("/")[0]
        found: list[str] = []
        for path, folders, files in os.walk(self._path(folder) if folder else self._root, onerror=_raise):
            for name in (*folders, *files):
                full = os.path.join(path, name)
                key = os.path.relpath(full, self._root).replace(os.sep, "/")
                if name.startswith(_UNFINISHED) or not key.startswith(prefix):
                    continue
                if os.path.islink(full):
                    raise BucketError(f"{key!r} is a symbolic link; copy the file to where it belongs")
                if name not in folders:
                    found.append(key)
        return sorted(found)

    def size(self, key: str) -> int:
        """The bytes of an object. Raises BucketError and OSError."""
        return os.stat(self._path(key)).st_size

    def open(self, key: str) -> BinaryIO:
        """An object, to be read. Raises BucketError and OSError."""
        return open(self._path(key), "rb")

    @contextmanager
    def writing(self, key: str) -> Iterator[BinaryIO]:
        """A file that becomes the object when it has been written. Raises BucketError and OSError."""
        path = self._path(key)
        folder = os.path.dirname(path)
        os.makedirs(folder, exist_ok=True)
        unfinished = os.path.join(folder, _UNFINISHED + secrets.token_hex(8))
        try:
            with open(unfinished, "xb") as file:
                yield file
            os.replace(unfinished, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(unfinished)
            raise

    def remove(self, key: str) -> None:
        """Remove an object, if it is there."""
        with suppress(FileNotFoundError):
            os.unlink(self._path(key))

    def check(self, key: str) -> None:
        """Raises BucketError where a key is none that an object here can have."""
        self._path(key)

    def _path(self, key: str) -> str:
        parts = key.split("/")
        for part in parts:
            if part in ("", ".", "..") or "\0" in part or part.startswith(_UNFINISHED) or not _is_name(part):
                raise BucketError(f"{key!r} cannot be a path below the folder of a bucket: it has the part {part!r}")
        path = os.path.join(self._root, *parts)
        if os.path.realpath(path) != path:
            raise BucketError(f"{key!r} leads over a symbolic link in the folder of the bucket, which is not followed")
        return path


def _is_name(part: str) -> bool:
    """Whether a part of a key names one file, on this system."""
    try:
        part.encode()
    except UnicodeEncodeError:
        return False
    return os.name != "nt" or not set(part) & set('\\:*?"<>|')


def _raise(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError | NotADirectoryError):  # then there are no objects
        raise error


NO_BUCKETS: Mapping[str, Bucket] = {}
