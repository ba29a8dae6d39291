# SPDX-License-Identifier: GPL-2.0-or-later
"""A gateway or a mobile node as vcmd sees them: the messages of vcm-protocol(7), read and written by another hand, and
just enough of epochs and acknowledgements to take part."""
import ipaddress
import os
import select
import socket
import struct
import time

HELLO, ACK, REPORT, PLACE, INVITE, PUBLIC, OFFER, READY, PEER_READY, ACTIVE, END, DOWN, PROBE, PROBE_REPLY = range(1, 15)
PORT, PROBE_PORT = 27960, 27961
OPTIONS = {2: "status", 3: "node", 4: "pair", 5: "correspondent", 6: "session", 7: "peer", 8: "algorithm", 9: "sa", 10: "lifetime",
           11: "kcn", 12: "public", 13: "salt", 14: "reason", 15: "nonce", 16: "counters"}


def packed(address):
    return ipaddress.IPv6Address(address).packed


def option(number, data):
    return bytes([number, len(data)]) + data


def node(internal, home, outside=True):
    return option(3, bytes([0x80 if outside else 0, 0]) + packed(internal) + packed(home))


def pair(a, b, trigger=2):
    return option(4, bytes([trigger, 0]) + packed(a) + packed(b))


def session(identifier, generation):
    return option(6, struct.pack("!QI", identifier, generation))


class Message:
    def __init__(self, data):
        version, self.type, length, self.sequence, self.epoch, self.peer_epoch = struct.unpack_from("!BBHIQQ", data)
        assert version == 1 and length == len(data)
        self.options = []
        at = 24
        while at < len(data):
            number, n = data[at], data[at + 1] if data[at] else 0
            if number > 1:
                self.options.append((OPTIONS[number], data[at + 2:at + 2 + n]))
            at += 2 + n if number else 1
        assert at == len(data)

    def all(self, name):
        return [data for what, data in self.options if what == name]

    def __getitem__(self, name):
        found = self.all(name)
        assert len(found) == 1, (name, self.options)
        return found[0]

    @property
    def session(self):
        return struct.unpack("!QI", self["session"])

    @property
    def sas(self):
        """{1: (SPI, key) inbound, 2: outbound}"""
        return {sa[0]: (struct.unpack("!I", sa[1:5])[0], sa[5:]) for sa in self.all("sa")}


class Peer:
    """Acknowledges what comes and keeps it; handed up once, by sequence number."""

    def __init__(self, address, manager, port=PORT):
        self.address, self.manager = address, (manager, PORT)
        self.socket = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self.socket.bind((address, port))
        self.epoch, self.peer_epoch = int.from_bytes(os.urandom(8), "big") | 1, 0
        self.sequence = 0
        self.seen, self.got, self.acks = set(), [], {}
        self.out = {}  # sequence: (type, options), to be repeated
        self.silent = False

    def put(self, kind, sequence, body=b"", to=None):
        head = struct.pack("!BBHIQQ", 1, kind, 24 + len(body), sequence, self.epoch, self.peer_epoch)
        self.socket.sendto(head + body, to or self.manager)

    def send(self, kind, *options):
        self.sequence += 1
        self.out[self.sequence] = (kind, b"".join(options))
        return self.sequence

    def hello(self):
        self.sequence += 1
        self.put(HELLO, self.sequence)

    def repeat(self):
        if not self.peer_epoch:
            self.hello()
            return
        for sequence, (kind, body) in self.out.items():
            self.put(kind, sequence, body)

    def learn(self, epoch):
        if epoch != self.peer_epoch:
            self.peer_epoch = epoch
            self.seen.clear()

    def read(self):
        m = Message(self.socket.recv(2000))
        if m.type == ACK:
            if m.peer_epoch == self.epoch:
                self.learn(m.epoch)
                self.acks[m.sequence] = m["status"][0]
                self.out.pop(m.sequence, None)
            return
        if m.type == HELLO:
            self.learn(m.epoch)
        elif m.peer_epoch != self.epoch or m.epoch != self.peer_epoch:
            self.hello()
            return
        if self.silent:
            return
        self.put(ACK, m.sequence, option(2, b"\0"))
        if m.type != HELLO and m.sequence not in self.seen:
            self.seen.add(m.sequence)
            self.got.append(m)

    def of(self, kind):
        return [m for m in self.got if m.type == kind]


def until(peers, condition, seconds=20, what=""):
    """Let them talk until condition() holds."""
    deadline, repeat_at = time.monotonic() + seconds, 0
    while not condition():
        now = time.monotonic()
        assert now < deadline, what or "it does not come to that: " + ", ".join(
            f"{p.address} {[m.type for m in p.got]}" for p in peers)
        if now >= repeat_at:
            repeat_at = now + 0.2
            for p in peers:
                p.repeat()
        for fd in select.select([p.socket for p in peers], [], [], 0.05)[0]:
            next(p for p in peers if p.socket is fd).read()
