"""The keys by which requests may be signed, from a file or the environment: never from the command line."""

import configparser
import os

_ACCESS, _SECRET = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"


def read_keys(source: str) -> dict[str, str]:
    """Secret keys by access keys: of the file named, or of the environment for "env".

    Raises ValueError, which says nothing of what it read.
    """
    if source == "env":
        pairs = [(os.environ.get(_ACCESS, ""), os.environ.get(_SECRET, ""))]
        where = f"the variables {_ACCESS} and {_SECRET}"
    else:
        where = f"the file {source!r}"
        pairs = _in_file(source, where)
    keys = {access: secret for access, secret in pairs if access and secret}
    if not keys:
        raise ValueError(f"{where}: no access key with its secret key is there; nobody could sign a request")
    return keys


def _in_file(path: str, where: str) -> list[tuple[str, str]]:
    parser = configparser.RawConfigParser()
    try:
        with open(path) as file:
            parser.read_file(file)
    except OSError as error:
        raise ValueError(f"cannot read {where}: {error.strerror}; name one like ~/.aws/credentials") from None
    except (configparser.Error, UnicodeDecodeError):
        raise ValueError(f"{where} is not like ~/.aws/credentials; give a section with the two keys") from None
    return [
        (parser[name].get(_ACCESS.lower(), ""), parser[name].get(_SECRET.lower(), "")) for name in parser.sections()
    ]
