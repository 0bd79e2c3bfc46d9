"""The page of known differences, made from differences.toml. As a program this file writes the page."""

import tomllib
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "engine-differences.md"
TABLE = Path(__file__).with_name("differences.toml")
HEAD = """\
# Where the engine and DynamoDB Local differ

dynamix's embedded engine is checked against Amazon's DynamoDB Local: random programs run on both, and the answers must
be equal. DynamoDB Local is not the service, and where it is known to depart from the service, the engine does as the
service does. This is the whole list of the places that are known; the test reads the same list, lets nothing else pass,
and shows by requests of their own those that the programs do not reach.
The page is made from `tests/engine/differences.toml`.

What has no defined order in the service (scans, entries of an index with equal keys, the members of a batch) is
compared without one; the items of a segment are compared over all segments. DynamoDB Local knows nothing of several
features that the engine has: multi-attribute index keys, tags, endpoints, warm throughput. These are not compared.

| Subject | DynamoDB Local | The service, and the engine | Source |
|---|---|---|---|
"""


def page() -> str:
    """The text of the page."""
    known = tomllib.loads(TABLE.read_text())["difference"]
    parts = ("name", "local", "service", "source")
    rows = (" | ".join(each[part].replace("|", "\\|") for part in parts) for each in known)
    return HEAD + "".join(f"| {row} |\n" for row in rows)


if __name__ == "__main__":
    PAGE.write_text(page())
