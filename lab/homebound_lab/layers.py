"""Captures read through all their layers: tunnels, and ESP of every SA whose keys a kernel was told (`ip xfrm monitor`).

Of a packet that was cut off as much is opened as is there; integrity is not checked here, the receiving kernel has done that.
"""

import os
import struct
from collections import namedtuple

from . import headers, packets, swans, vcm_wire
from .headers import ESP, IPV6, TCP, UDP
from .unwrap import Unwrapper

DEEPEST = 8
MESSAGES = {1: "HELLO", 2: "ACK", 3: "REPORT", 4: "PLACE", 5: "INVITE", 6: "PUBLIC", 7: "OFFER", 8: "READY", 9: "PEER-READY",
            10: "ACTIVE", 11: "END", 12: "DOWN", 13: "PROBE", 14: "PROBE-REPLY", 15: "CLOSE"}

# outer: Packet of the outermost header; readable: Packet of the last one that needs no key, with its octets; spis: of the
# ESP that was opened, outermost first; proto, text: of what is inside, from source to destination
Seen = namedtuple("Seen", "time link outer readable octets spis source destination proto text mac")
Message = namedtuple("Message", "time link source destination kind sequence options")


class Reader:
    def __init__(self, keys):
        self.keys, self.unwrapper = keys, Unwrapper(keys)
        self.known = {}  # the same packet is on several links, with another hop limit

    def frame(self, time, link, frame, length):
        """A Seen; None for what is not IPv6."""
        name = frame[12:21], frame[22:], length
        if name not in self.known:
            self.known[name] = self.take_apart(frame, length)
        found = self.known[name]
        return found and Seen(time, link, *found, frame[6:12])

    def take_apart(self, frame, length):
        """What is in a Seen between link and mac."""
        if len(frame) < 54 or frame[12:14] != b"\x86\xdd":
            return None
        data, whole = frame[14:], length - 14
        outer = packet = readable = headers.take_apart(data)
        octets, spis = data, []
        for _ in range(DEEPEST):
            if packet is None:
                return None
            if packet.proto == IPV6 and packet.first:
                data, whole = data[packet.at:], whole - packet.at
                packet = headers.take_apart(data)
                if not spis and packet:
                    readable, octets = packet, data
                continue
            if packet.proto != ESP or not packet.first or len(data) < packet.at + 8:
                break
            opened = self.unwrapper.inside(data, packet, whole)
            if not opened:
                break
            spis.append(int.from_bytes(data[packet.at:packet.at + 4], "big"))
            proto, text = opened
            if proto != IPV6:
                packet = packet._replace(source=headers.from_of(packet), destination=headers.to_of(packet), proto=proto, at=0)
                data = text
                break
            data, whole = text, (40 + int.from_bytes(text[4:6], "big")) if len(text) >= 40 else len(text)
            packet = headers.take_apart(data)
        if packet is None:
            return None
        return (outer, readable, octets, tuple(spis), headers.from_of(packet), headers.to_of(packet),
                packet.proto, data[packet.at:] if packet.at <= len(data) else b"")

    def link(self, name, path):
        """All of one capture, in order."""
        for time, frame, length in packets_of(path):
            seen = self.frame(time, name, frame, length)
            if seen:
                yield seen


def packets_of(path):
    """(time, frame, octets it had on the wire) for each packet of a capture."""
    with open(path, "rb") as f:
        data = f.read()
    unit = 1e-6
    for kind, at, length in packets.blocks(data):
        if kind == 6:
            high, low, size, whole = struct.unpack_from("<IIII", data, at + 12)
            yield ((high << 32) + low) * unit, data[at + 28:at + 28 + size], whole
        elif kind == 1:
            unit = packets.time_unit(data, at, length)


def known_keys(e, hosts):
    """{SPI: (algorithm, key)} of what the kernels of hosts were told."""
    keys = {}
    for host in hosts:
        log = e.path(f"xfrm-{host}.log")
        if os.path.exists(log):
            keys.update(swans.keys_in(log))
    return keys


def flow(seen):
    """(flow, sequence) of a packet of the streams; None if it is none."""
    if seen.proto != UDP or seen.text[8:12] != packets.MARK or len(seen.text) < 20:
        return None
    return struct.unpack_from(">II", seen.text, 12)


def is_payload(seen):
    return seen.proto == TCP or flow(seen) is not None


def message(seen):
    """A Message of the connectivity manager's protocol; None if it is none."""
    text = seen.text
    if seen.proto != UDP or len(text) < 32 or vcm_wire.PORT not in struct.unpack_from(">HH", text, 0):
        return None
    kind, sequence, _, _, options = vcm_wire.read(text[8:])
    return Message(seen.time, seen.link, seen.source, seen.destination, MESSAGES.get(kind, f"type {kind}"), sequence, options)
