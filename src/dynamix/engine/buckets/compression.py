"""Objects as they are read: as they lie there, or unpacked.

Zstandard is in Python from 3.14 on; for older ones there is the same module as a package.
"""

import gzip
import importlib
import zlib
from types import ModuleType
from typing import BinaryIO, cast

INSTALL = "pip install dynamix-orm[zstd]"


class BrokenError(Exception):
    """What was read is not compressed as it was said to be, or not completely there."""


def zstd() -> ModuleType | None:
    """The module that reads Zstandard, if there is one."""
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None


def unpacked(file: BinaryIO, kind: str) -> BinaryIO:
    """A file of the kind GZIP, ZSTD or NONE, to be read unpacked; reading raises what `broken` knows."""
    if kind == "GZIP":
        return cast(BinaryIO, gzip.GzipFile(fileobj=file, mode="rb"))
    if kind == "ZSTD":
        module = zstd()
        assert module is not None  # noqa: S101 - a request that needs it is refused where it is not
        return cast(BinaryIO, module.ZstdFile(file, "rb"))
    return file


def broken() -> tuple[type[Exception], ...]:
    """What is raised where a file is not what it should be."""
    module = zstd()
    return (gzip.BadGzipFile, zlib.error, EOFError, *((module.ZstdError,) if module is not None else ()))
