"""Captures with ESP taken off: what scenarios judge when there is IPsec.

Each capture is copied to opened/NAME, and in the copy ESP with a key that the lab knows is replaced by what was in it. Of
packets that are cut off as much is opened as is there, so integrity is not checked here: the receiving kernel has done
that, and what it refused does not turn up anywhere (opened.py has witnesses that do check it).
"""

import os
import struct

from . import headers, packets
from .headers import ESP, IPV6

# what is behind SPI and sequence number, and at the end, in octets: initialization vector, ICV
SIZES = {"aes-gcm-128": (8, 16), "aes-gcm-256": (8, 16), "chacha20-poly1305": (8, 16),
         "aes-cbc-128-hmac-sha256": (16, 16), "aes-cbc-256-hmac-sha512": (16, 32)}
DIRECTORY = "opened"


def plain(algorithm, key, vector, text):
    """The start of the plain text, without padding taken off. key: encryption key, with its salt behind it."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    if algorithm.startswith("aes-gcm"):  # RFC 4106: counter 1 is for the tag
        cipher = Cipher(algorithms.AES(key[:-4]), modes.CTR(key[-4:] + vector + b"\0\0\0\2"))
    elif algorithm.startswith("chacha20"):  # RFC 7634; the counter is in front, in little endian order
        cipher = Cipher(algorithms.ChaCha20(key[:-4], b"\1\0\0\0" + key[-4:] + vector), None)
    else:
        cipher, text = Cipher(algorithms.AES(key), modes.CBC(vector)), text[:len(text) // 16 * 16]
    return cipher.decryptor().update(text)


class Unwrapper:
    """keys: {SPI: (algorithm, encryption key)}."""

    def __init__(self, keys):
        self.keys = keys
        self.known = {}  # the same packet is on several links

    def inside(self, data, packet, whole):
        """(protocol, plain text) of an ESP packet; whole: how many octets it had on the wire. None: cannot be opened."""
        at = packet.at
        number = int.from_bytes(data[at:at + 4], "big")
        if number not in self.keys:
            return None
        algorithm, key = self.keys[number]
        vector, icv = SIZES[algorithm]
        name = (number, data[at + 4:at + 8 + vector], len(data))
        if name not in self.known:
            text = data[at + 8 + vector:whole - icv]
            complete = len(data) >= whole and len(text) > 0
            self.known[name] = self.strip(plain(algorithm, key, data[at + 8:at + 8 + vector], text), complete)
        return self.known[name]

    @staticmethod
    def strip(text, complete):
        """Without padding. What is cut off has lost its trailer: it can only be a tunnelled packet."""
        if complete:
            return (text[-1], text[:len(text) - 2 - text[-2]]) if len(text) >= 2 else None
        return (IPV6, text) if text and text[0] >> 4 == 6 else None

    def frame(self, frame, length):
        """(frame, length on the wire) without ESP; as they were if there is none that can be opened."""
        if frame[12:14] != b"\x86\xdd":
            return frame, length
        data = frame[14:]
        packet = headers.take_apart(data)
        if not packet or packet.proto != ESP or not packet.first or len(data) < packet.at + 24:
            return frame, length
        found = self.inside(data, packet, length - 14)
        if not found:
            return frame, length
        proto, text = found
        behind = 40 + int.from_bytes(text[4:6], "big") if proto == IPV6 and len(text) >= 40 else len(text)
        head, at = bytearray(data[:packet.at]), headers.names_next(data, packet)
        if proto == IPV6:  # a tunnel like any other, whatever carried the ESP packet
            head, at = head[:40], 6
        head[at] = proto
        struct.pack_into(">H", head, 4, len(head) - 40 + behind)
        return frame[:14] + bytes(head) + text, 14 + len(head) + behind


def copy(source, target, unwrapper):
    with open(source, "rb") as f:
        data = f.read()
    with open(target, "wb") as out:
        for kind, at, length in packets.blocks(data):
            block = data[at:at + length]
            if kind == 6:
                size, original = struct.unpack_from("<II", block, 20)
                frame, wire = unwrapper.frame(block[28:28 + size], original)
                if wire != original:
                    body = block[8:20] + struct.pack("<II", len(frame), wire) + frame + bytes(-len(frame) % 4)
                    total = struct.pack("<I", len(body) + 12)
                    block = block[:4] + total + body + total
            out.write(block)


def unwrap_all(e):
    """The copies of all captures of a run for which there are keys."""
    from .ipsec import known_keys

    keys = known_keys(e)
    if not keys:
        return
    os.makedirs(e.path(DIRECTORY), exist_ok=True)
    unwrapper = Unwrapper(keys)
    for link in e.facts.get("captured", {}):
        name = link + ".pcapng"
        copy(e.path(name), os.path.join(e.path(DIRECTORY), name), unwrapper)
    e.opened = True
