"""Messages of the connectivity manager's protocol as octets (vcm-protocol(7)), for those who send wrong ones."""

import ipaddress
import struct

PORT, VERSION = 27960, 1
HELLO, ACK, REPORT, PLACE, INVITE, PUBLIC, OFFER, READY, PEER_READY, ACTIVE, END, DOWN, PROBE, PROBE_REPLY, CLOSE = range(1, 16)
NODE, PAIR, SESSION, PEER, ALGORITHM, SA, LIFETIME, REASON, NONCE, COUNTERS = 3, 4, 6, 7, 8, 9, 10, 14, 15, 16


def option(kind, data):
    return bytes([kind, len(data)]) + data


def address(text):
    return ipaddress.IPv6Address(text).packed


def node(internal, home, outside=True):
    return option(NODE, bytes([0x80 if outside else 0, 0]) + address(internal) + address(home))


def pair(a, b, trigger=2):
    return option(PAIR, bytes([trigger, 0]) + address(a) + address(b))


def session(number, generation):
    return option(SESSION, struct.pack(">QI", number, generation))


def peer(internal, home):
    return option(PEER, address(internal) + address(home))


def sa(direction, spi, key):
    return option(SA, struct.pack(">BI", direction, spi) + key)


def offer(number, generation, internal, home, spis, key=bytes(20), algorithm=b"aes-gcm-128"):
    return [session(number, generation), peer(internal, home), option(ALGORITHM, algorithm), sa(1, spis[0], key),
            sa(2, spis[1], key), option(LIFETIME, struct.pack(">II", 3600, 30))]


def message(kind, sequence, epoch, peer_epoch, options=()):
    body = b"".join(options)
    return struct.pack(">BBHIQQ", VERSION, kind, 24 + len(body), sequence, epoch, peer_epoch) + body


def read(data):
    """(kind, sequence, epoch, peer epoch, [(option, data)])."""
    _, kind, length, sequence, epoch, peer_epoch = struct.unpack_from(">BBHIQQ", data)
    options, at = [], 24
    while at + 2 <= min(length, len(data)):
        if data[at] == 0:
            at += 1
            continue
        options.append((data[at], data[at + 2:at + 2 + data[at + 1]]))
        at += 2 + data[at + 1]
    return kind, sequence, epoch, peer_epoch, options
