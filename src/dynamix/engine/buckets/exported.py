"""The files of one export: data in gzip, a list of these files, and a summary that comes last.

Source: DynamoDB Developer Guide, "DynamoDB table export output format".
"""

import base64
import hashlib
import secrets
import zlib
from collections.abc import Iterator
from itertools import chain
from typing import Any

import msgspec

from dynamix.engine.buckets.bucket import Bucket

_FILE_BYTES = 64 * 1024 * 1024
"""How much data, before it is compressed, makes a file."""

_QUICKEST = 1
_GZIP_WINDOW = 31


class Exported:
    """The files of the export `label` below a prefix. `shared` says that data lies where that of others does.

    Raises BucketError for a prefix that no key can have.
    """

    def __init__(self, bucket: Bucket, prefix: str, label: str, *, shared: bool) -> None:
        above = f"{prefix.rstrip('/')}/AWSDynamoDB" if prefix else "AWSDynamoDB"
        self._bucket = bucket
        self._folder = f"{above}/{label}"
        self._data = f"{above}/data" if shared else f"{self._folder}/data"
        self._written: list[str] = []
        self.summary_key = f"{self._folder}/manifest-summary.json"
        self.list_key = f"{self._folder}/manifest-files.json"
        bucket.check(self._folder)

    def write(self, batches: Iterator[list[bytes]]) -> int:
        """Write the data, batches of lines, and the list of its files. Returns how many lines there are.

        What is there is removed again where that fails. Raises BucketError, OSError, and what the batches raise.
        """
        listed: list[dict[str, Any]] = []
        filled = (batch for batch in batches if batch)
        try:
            self._put(f"{self._folder}/_started", b"")
            while (first := next(filled, None)) is not None:
                listed.append(self._write_file(chain((first,), filled)))
            self._put_with_checksum(self.list_key, b"".join(msgspec.json.encode(each) + b"\n" for each in listed))
        except BaseException:
            self.remove()
            raise
        return sum(each["itemCount"] for each in listed)

    def conclude(self, summary: dict[str, Any]) -> None:
        """Write the summary, which says that all is there. Raises BucketError and OSError."""
        try:
            self._put_with_checksum(self.summary_key, msgspec.json.encode(summary))
        except BaseException:
            self.remove()
            raise

    def remove(self) -> None:
        """Remove what was written."""
        while self._written:
            self._bucket.remove(self._written.pop())

    def _write_file(self, batches: Iterator[list[bytes]]) -> dict[str, Any]:
        """Write one file, and tell what the list says of it."""
        key = f"{self._data}/{secrets.token_hex(13)}.json.gz"
        packing = zlib.compressobj(_QUICKEST, wbits=_GZIP_WINDOW)
        digest = hashlib.md5(usedforsecurity=False)
        count = size = 0
        with self._bucket.writing(key) as file:
            for batch in batches:
                data = b"".join(batch)
                packed = packing.compress(data)
                digest.update(packed)
                file.write(packed)
                count += len(batch)
                size += len(data)
                if size >= _FILE_BYTES:
                    break
            packed = packing.flush()
            digest.update(packed)
            file.write(packed)
        self._written.append(key)
        return {
            "itemCount": count,
            "md5Checksum": base64.b64encode(digest.digest()).decode(),
            "etag": f"{digest.hexdigest()}-1",
            "dataFileS3Key": key,
        }

    def _put_with_checksum(self, key: str, data: bytes) -> None:
        digest = hashlib.md5(data, usedforsecurity=False).digest()
        self._put(key, data)
        self._put(f"{key.removesuffix('.json')}.checksum", base64.b64encode(digest))

    def _put(self, key: str, data: bytes) -> None:
        with self._bucket.writing(key) as file:
            file.write(data)
        self._written.append(key)
