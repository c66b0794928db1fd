"""A metadata service on loopback that hands out what it is told to, or anything else but that."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

ROLE = "search-bastion"
ROLES = "/latest/meta-data/iam/security-credentials/"


def document(access_key: str, secret_key: str, ends: float, **more: object) -> dict[str, object]:
    """What is handed out for a role; `ends` in epoch seconds."""
    expiration = datetime.fromtimestamp(ends, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    keys = {"AccessKeyId": access_key, "SecretAccessKey": secret_key, "Expiration": expiration}
    return {**keys, "Code": "Success", "Message": "", **more}


class MetadataServer:
    """Serves from a thread of its own, so that programs under test may be processes or run in this event loop."""

    def __init__(self, keys: dict[str, object] | None = None, *, role: str = ROLE) -> None:
        self.roles = f"{role}\n"
        """The list of roles."""
        self.keys = keys
        """What is handed out; None as without a role."""
        self.raw: bytes | None = None
        """The bytes to answer everything with."""
        self.is_silent = False
        """Whether requests are taken and not answered until `release`."""
        self.clock: Callable[[], float] | None = None
        """What the `Date` header says; None leaves it out."""
        self.paths: list[str] = []
        """What was asked for, in this order."""
        self.headers: list[dict[str, str]] = []
        self._released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def environ(self) -> dict[str, str]:
        """The variable that leads to it."""
        return {"NCLOUD_METADATA_API_ENDPOINT": self.url}

    @property
    def questions(self) -> int:
        """How often it was asked for the roles, which is how a question begins."""
        return self.paths.count(ROLES)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.raw = b""
        self.release()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer_to(self, path: str) -> tuple[int, bytes]:
        """Status and body."""
        if self.keys is None:
            return 404, b"Not Found"
        if path == ROLES:
            return 200, self.roles.encode()
        role = (self.roles.splitlines() or [""])[0]
        return (200, json.dumps(self.keys).encode()) if path == ROLES + role else (404, b"Not Found")

    def release(self) -> None:
        """Answer now whoever waits, and everybody from now on."""
        self.is_silent = False
        self._released.set()


def _handler_of(server: MetadataServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.paths.append(self.path)
            server.headers.append({name.lower(): value for name, value in self.headers.items()})
            if server.is_silent:
                server._released.wait()
            if server.raw is not None:
                self.wfile.write(server.raw)
            else:
                self._answer(*server.answer_to(self.path))

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response_only(status)
            self.send_header("Content-Length", str(len(body)))
            if server.clock is not None:
                self.send_header("Date", formatdate(server.clock(), usegmt=True))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing on stderr."""

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:  # the client had heard enough
                self.close_connection = True

    return Handler
