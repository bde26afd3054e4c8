"""Messages over a stream socket: four bytes of length, then as many bytes."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket

MAX_MESSAGE = 256 * 1024**2


def send(connection: socket.socket, message: bytes) -> None:
    """Send one message."""
    connection.sendall(struct.pack(">I", len(message)) + message)


def receive(connection: socket.socket) -> bytes:
    """Receive one message. Raises ``EOFError`` where the other side ended before."""
    (length,) = struct.unpack(">I", _exactly(connection, 4))
    if length > MAX_MESSAGE:
        raise EOFError
    return _exactly(connection, length)


def _exactly(connection: socket.socket, length: int) -> bytes:
    data = bytearray()
    while len(data) < length:
        piece = connection.recv(min(length - len(data), 1 << 20))
        if not piece:
            raise EOFError
        data += piece
    return bytes(data)
