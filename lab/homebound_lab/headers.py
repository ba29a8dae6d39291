"""An IPv6 packet taken apart as far as the watcher needs it: extension headers, fragments, tunnels.

The endpoints of a packet are those that its extension headers make it have: the Home Address option stands for the
source (RFC 6275, 6.3), a type 2 routing header with one segment left for the destination (6.4).
"""

import struct
from collections import namedtuple

HOP_BY_HOP, TCP, UDP, IPV6, ROUTING, FRAGMENT, ESP, AH, ICMPV6, NONE, DSTOPTS, MH = 0, 6, 17, 41, 43, 44, 50, 51, 58, 59, 60, 135
HAO = 0xC9
NAT_T = b"\x11\x94"  # port 4500

# source, destination: as on the wire; home: of the Home Address option; route: of the type 2 routing header (b"" if
# there is none). proto: what is behind the extension headers, None if it is cut off; at: where that starts; first: not
# a later fragment, so that it is there
Packet = namedtuple("Packet", "source destination home route proto at first")


def from_of(packet):
    return packet.home or packet.source


def to_of(packet):
    return packet.route or packet.destination


def home_address(data, at, end):
    """The address of a Home Address option among destination options."""
    end = min(end, len(data))
    while at + 1 < end:
        if data[at] == 0:
            at += 1
            continue
        size = data[at + 1]
        if data[at] == HAO and size == 16 and at + 18 <= end:
            return bytes(data[at + 2:at + 18])
        at += 2 + size
    return b""


def take_apart(data, at=0):
    """The Packet that starts at `at`; None if there is no IPv6 header."""
    if len(data) < at + 40 or data[at] >> 4 != 6:
        return None
    source, destination = bytes(data[at + 8:at + 24]), bytes(data[at + 24:at + 40])
    proto, at, home, route, first = data[at + 6], at + 40, b"", b"", True
    while proto in (HOP_BY_HOP, ROUTING, FRAGMENT, DSTOPTS, AH):
        if len(data) < at + 8:
            return Packet(source, destination, home, route, None, at, first)
        if proto == FRAGMENT:
            following, size = data[at], 8
            if struct.unpack_from(">H", data, at + 2)[0] >> 3:  # a later fragment: it only tells what the first starts with
                return Packet(source, destination, home, route, following, at + 8, False)
        elif proto == AH:
            following, size = data[at], (data[at + 1] + 2) * 4
        else:
            following, size = data[at], (data[at + 1] + 1) * 8
            if proto == DSTOPTS:
                home = home_address(data, at + 2, at + size) or home
            elif proto == ROUTING and data[at + 2] == 2 and data[at + 3] == 1 and len(data) >= at + 24:
                route = bytes(data[at + 8:at + 24])
        proto, at = following, at + size
    return Packet(source, destination, home, route, proto, at, first)


def names_next(data, packet):
    """Where the octet is that says what packet.at has."""
    proto, at, where = data[6], 40, 6
    while at < packet.at:
        where = at
        size = 8 if proto == FRAGMENT else (data[at + 1] + 2) * 4 if proto == AH else (data[at + 1] + 1) * 8
        proto, at = data[at], at + size
    return where


def spi(data, packet):
    """The SPI of an ESP packet, plain or in UDP; None if it is none."""
    at = packet.at
    if not packet.first:
        return None
    if packet.proto == UDP and NAT_T in (data[at:at + 2], data[at + 2:at + 4]):
        at += 8
    elif packet.proto != ESP:
        return None
    return struct.unpack_from(">I", data, at)[0] or None if len(data) >= at + 8 else None
