"""strongSwan's control protocol, vici: for the lab to ask and to listen, independent of the daemon's own client.

A frame is its length (32 bits) and a packet; a packet a type, for most types a name, and a message; a message a sequence
of elements, each a type and what belongs to it. Messages are dictionaries here: of texts, lists of texts, dictionaries.
"""

import socket
import struct

REQUEST, RESPONSE, UNKNOWN_COMMAND, REGISTER, UNREGISTER, CONFIRM, UNKNOWN_EVENT, EVENT = range(8)
SECTION, SECTION_END, VALUE, LIST, ITEM, LIST_END = range(1, 7)


def short_text(text):
    return struct.pack("B", len(text.encode())) + text.encode()


def long_text(text):
    return struct.pack(">H", len(text.encode())) + text.encode()


def encode(message):
    out = b""
    for name, value in message.items():
        if isinstance(value, dict):
            out += struct.pack("B", SECTION) + short_text(name) + encode(value) + struct.pack("B", SECTION_END)
        elif isinstance(value, (list, tuple)):
            items = b"".join(struct.pack("B", ITEM) + long_text(str(item)) for item in value)
            out += struct.pack("B", LIST) + short_text(name) + items + struct.pack("B", LIST_END)
        else:
            out += struct.pack("B", VALUE) + short_text(name) + long_text(str(value))
    return out


class Reader:
    def __init__(self, octets):
        self.octets, self.at = octets, 0

    def take(self, n):
        self.at += n
        if self.at > len(self.octets):
            raise ValueError("a vici message ends early")
        return self.octets[self.at - n:self.at]

    def text(self, form):
        length, = struct.unpack(form, self.take(struct.calcsize(form)))
        return self.take(length).decode(errors="replace")

    def section(self):
        found = {}
        while self.at < len(self.octets):
            kind = self.take(1)[0]
            if kind == SECTION_END:
                break
            name = self.text("B")
            if kind == SECTION:
                found[name] = self.section()
            elif kind == VALUE:
                found[name] = self.text(">H")
            elif kind == LIST:
                found[name] = []
                while self.take(1)[0] == ITEM:
                    found[name].append(self.text(">H"))
            else:
                raise ValueError(f"a vici element of type {kind}")
        return found


class Vici:
    """A connection. Use as a context manager."""

    def __init__(self, path, timeout_s=30):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout_s)
        self.events = []
        try:
            self.socket.connect(path)
        except OSError:
            self.socket.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.socket.close()

    def send(self, kind, name, message=None):
        packet = struct.pack("B", kind) + short_text(name) + encode(message or {})
        self.socket.sendall(struct.pack(">I", len(packet)) + packet)

    def octets(self, n):
        got = b""
        while len(got) < n:
            more = self.socket.recv(n - len(got))
            if not more:
                raise ConnectionResetError("the vici socket was closed")
            got += more
        return got

    def packet(self):
        """(type, name or None, message)"""
        reader = Reader(self.octets(struct.unpack(">I", self.octets(4))[0]))
        kind = reader.take(1)[0]
        name = reader.text("B") if kind == EVENT else None
        return kind, name, reader.section()

    def answer(self, *kinds):
        """The next packet that is none but an event; events wait in self.events."""
        while True:
            kind, name, message = self.packet()
            if kind == EVENT:
                self.events.append((name, message))
            elif kind in kinds:
                return message
            else:
                raise ValueError(f"vici answers with a packet of type {kind}")

    def register(self, *names):
        for name in names:
            self.send(REGISTER, name)
            self.answer(CONFIRM)

    def command(self, name, message=None):
        self.send(REQUEST, name, message)
        return self.answer(RESPONSE)

    def stream(self, name, event, message=None):
        """The messages of the events that a listing command sends."""
        self.register(event)
        self.command(name, message)
        found = [m for n, m in self.events if n == event]
        self.events = [(n, m) for n, m in self.events if n != event]
        return found

    def event(self, timeout_s=None):
        """The next event, (name, message)."""
        if self.events:
            return self.events.pop(0)
        if timeout_s is not None:
            self.socket.settimeout(timeout_s)
        kind, name, message = self.packet()
        return name, message
