"""A session bus with a Secret Service on one unix socket: the real client stack talks to it, faults on demand.

It speaks as much of D-Bus and of https://specifications.freedesktop.org/secret-service as keyring, SecretStorage and
jeepney use, with the plain algorithm; the encrypted one is covered by the tests against the real GNOME Keyring.
"""

from __future__ import annotations

import contextlib
import socket
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from jeepney import DBusAddress, HeaderFields, Message, new_error, new_method_return, new_signal
from jeepney.low_level import Parser

SECRETS = "org.freedesktop.Secret"
ROOT = "/org/freedesktop/secrets"
LOGIN = f"{ROOT}/collection/login"
PROMPT = f"{ROOT}/prompt/p1"
NO_SUCH_OBJECT = f"{SECRETS}.Error.NoSuchObject"
IS_LOCKED = f"{SECRETS}.Error.IsLocked"
SERVICE_UNKNOWN = "org.freedesktop.DBus.Error.ServiceUnknown"
NOT_SUPPORTED = "org.freedesktop.DBus.Error.NotSupported"
NO_REPLY = "org.freedesktop.DBus.Error.NoReply"


@dataclass
class Faults:
    """What is wrong with the service. `silent`, `dropping` and `failing` hold names of D-Bus methods."""

    locked: bool = False
    prompt: Literal["never", "dismissed", "accepted"] = "never"
    no_collection: bool = False
    no_service: bool = False
    mute: bool = False
    silent: set[str] = field(default_factory=set)
    dropping: set[str] = field(default_factory=set)
    failing: dict[str, str] = field(default_factory=dict)
    forgetful: bool = False
    locked_items: bool = False
    delete_asks: bool = False


@dataclass
class StoredItem:
    label: str
    attributes: dict[str, str]
    secret: bytes


class FakeSecretService:
    """A context manager; `address` is for DBUS_SESSION_BUS_ADDRESS, `calls` lists the methods that were called."""

    def __init__(self, faults: Faults | None = None) -> None:
        self.faults = faults or Faults()
        self.items: dict[str, StoredItem] = {}
        self.calls: list[str] = []
        self.prompted = threading.Event()
        self._created = 0
        self._folder = tempfile.TemporaryDirectory(prefix="fss-")  # short: a socket's path has 108 bytes
        self._listener = socket.socket(socket.AF_UNIX)
        self._clients: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._serial = 0

    @property
    def address(self) -> str:
        return f"unix:path={self._folder.name}/bus"

    def __enter__(self) -> Self:
        self._listener.bind(str(Path(self._folder.name) / "bus"))
        self._listener.listen(16)
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for one in (self._listener, *self._clients):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join(10)
        self._folder.cleanup()

    def _start(self, target: Any, *arguments: Any) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._clients.append(client)
                self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            parser = Parser()
            parser.add_data(self._greet(client))
            while True:
                message = parser.get_next_message()
                if message is not None:
                    self._take(client, message)
                    continue
                data = client.recv(65536)
                if not data:
                    break
                parser.add_data(data)
        client.close()

    def _greet(self, client: socket.socket) -> bytes:
        """The SASL handshake; returns what came after it."""
        received = b""
        while b"BEGIN\r\n" not in received:
            data = client.recv(1024)
            if not data:
                raise ConnectionResetError
            received += data
            if b"AUTH" in data and not self.faults.mute:
                client.sendall(b"OK 0123456789abcdef0123456789abcdef\r\n")
        return received.split(b"BEGIN\r\n", 1)[1]

    def _take(self, client: socket.socket, message: Message) -> None:
        member = message.header.fields.get(HeaderFields.member, "")
        self.calls.append(member)
        if member in self.faults.dropping:
            client.shutdown(socket.SHUT_RDWR)
            raise ConnectionResetError
        if member in self.faults.silent:
            return
        if member in self.faults.failing:
            self._send(client, new_error(message, self.faults.failing[member], "s", ("CANARY in an error",)))
            return
        try:
            self._send(client, self._answer(message, member))
        except KeyError:
            self._send(client, new_error(message, NO_SUCH_OBJECT, "s", ("no such object",)))
        if member == "Prompt" and self.faults.prompt != "never":
            self._end_prompt(client)

    def _send(self, client: socket.socket, message: Message) -> None:
        self._serial += 1
        client.sendall(message.serialise(serial=self._serial))

    def _end_prompt(self, client: socket.socket) -> None:
        accepted = self.faults.prompt == "accepted"
        self.faults.locked = not accepted
        address = DBusAddress(PROMPT, interface=f"{SECRETS}.Prompt")
        self._send(client, new_signal(address, "Completed", "bv", (not accepted, ("ao", []))))

    def _answer(self, message: Message, member: str) -> Message:
        path = message.header.fields.get(HeaderFields.path, "")
        if message.header.fields.get(HeaderFields.interface) == "org.freedesktop.DBus":
            return new_method_return(message, "s", (":1.1",)) if member == "Hello" else new_method_return(message)
        if self.faults.no_service:
            return new_error(message, SERVICE_UNKNOWN, "s", ("no provider",))
        if self.faults.no_collection and (path.endswith("/default") or path == LOGIN):
            raise KeyError(path)
        if member == "OpenSession" and message.body[0] != "plain":
            return new_error(message, NOT_SUPPORTED, "s", ("plain only",))
        signature, body = getattr(self, f"_on_{member}")(path, message.body)
        return new_method_return(message, signature, body)

    def _on_Get(self, path: str, body: Any) -> tuple[str, Any]:  # noqa: N802 - named as the D-Bus method
        name = body[1]
        if path in self.items:
            values = {
                "Label": ("s", self.items[path].label),
                "Locked": ("b", self.faults.locked or self.faults.locked_items),
            }
        else:
            values = {"Label": ("s", "Login"), "Locked": ("b", self.faults.locked)}
        return "v", (values[name],)

    def _on_OpenSession(self, _path: str, _body: Any) -> tuple[str, Any]:  # noqa: N802
        return "vo", (("s", ""), f"{ROOT}/session/1")

    def _on_SearchItems(self, _path: str, body: Any) -> tuple[str, Any]:  # noqa: N802
        wanted = body[0].items()
        return "ao", ([path for path, item in self.items.items() if wanted <= item.attributes.items()],)

    def _on_CreateItem(self, _path: str, body: Any) -> tuple[str, Any]:  # noqa: N802
        properties, secret, replace = body
        attributes = properties[f"{SECRETS}.Item.Attributes"][1]
        same = [path for path, item in self.items.items() if replace and item.attributes == attributes]
        self._created += 1
        path = same[0] if same else f"{LOGIN}/{self._created}"
        kept = b"something else" if self.faults.forgetful else bytes(secret[2])
        self.items[path] = StoredItem(properties[f"{SECRETS}.Item.Label"][1], attributes, kept)
        return "oo", (path, "/")

    def _on_GetSecret(self, path: str, body: Any) -> tuple[str, Any]:  # noqa: N802
        return "(oayays)", ((body[0], b"", self.items[path].secret, "text/plain"),)

    def _on_Delete(self, path: str, _body: Any) -> tuple[str, Any]:  # noqa: N802
        if self.faults.delete_asks:
            return "o", (PROMPT,)
        del self.items[path]
        return "o", ("/",)

    def _on_Unlock(self, _path: str, body: Any) -> tuple[str, Any]:  # noqa: N802
        return ("aoo", ([], PROMPT)) if self.faults.locked else ("aoo", (body[0], "/"))

    def _on_CreateCollection(self, _path: str, _body: Any) -> tuple[str, Any]:  # noqa: N802
        return "oo", ("/", PROMPT)

    def _on_Prompt(self, _path: str, _body: Any) -> tuple[str | None, Any]:  # noqa: N802
        self.prompted.set()
        return None, ()
