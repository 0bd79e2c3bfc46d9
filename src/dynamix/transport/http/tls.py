"""TLS: what to trust, and sockets that speak it. Imported for https alone, since `ssl` takes long to load."""

import os
import ssl
from importlib.util import find_spec
from socket import socket

from dynamix.errors import ValidationException
from dynamix.transport.hidden import Variables
from dynamix.transport.http.sockets import Watch


class TlsWatch(Watch):
    """The watch of a socket with TLS, which says in errors of its own that it has to wait."""

    __slots__ = ()

    wants_read = (BlockingIOError, ssl.SSLWantReadError)
    wants_write = (BlockingIOError, ssl.SSLWantWriteError)


def tls_context(environ: Variables) -> ssl.SSLContext:
    """What to trust: AWS_CA_BUNDLE where set, else the system's authorities, else those that come with botocore."""
    bundle = environ.get("AWS_CA_BUNDLE")
    if not bundle and os.name == "posix" and not _has_authorities():
        package = find_spec("botocore")
        bundle = os.path.join(os.path.dirname(package.origin), "cacert.pem") if package and package.origin else None
    try:
        if not bundle:
            context = ssl.create_default_context()
        elif os.path.isdir(bundle):
            context = ssl.create_default_context(capath=bundle)
        else:
            context = ssl.create_default_context(cafile=bundle)
    except OSError as error:
        raise ValidationException(f"the certificates of AWS_CA_BUNDLE={bundle!r} cannot be read: {error}") from error
    context.set_alpn_protocols(["http/1.1"])
    return context


def wrapped(connected: socket, context: ssl.SSLContext, host: str) -> ssl.SSLSocket:
    """A connected socket with TLS in place of the plain one, which is of no use any more. No hands are shaken yet."""
    return context.wrap_socket(connected, server_hostname=host, do_handshake_on_connect=False)


def shake_hands(secured: ssl.SSLSocket, until: float) -> TlsWatch:
    """The handshake, and what watches the socket from then on. Raises TimeUpError or OSError."""
    watch = TlsWatch(secured.fileno())
    while True:
        try:
            secured.do_handshake()
            return watch
        except ssl.SSLWantReadError:
            watch.until_readable(until)
        except ssl.SSLWantWriteError:
            watch.until_writable(until)


def _has_authorities() -> bool:
    """Whether the system has certificates of authorities; small containers have none, or an empty folder."""
    paths = ssl.get_default_verify_paths()
    return paths.cafile is not None or (paths.capath is not None and bool(os.listdir(paths.capath)))
