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
COUNTERS = [struct.pack(">I", number) for number in range(2, 4098)]  # of the blocks of the longest packet


class Plain:
    """Gives the start of plain texts, without padding taken off. key: encryption key, with its salt behind it.

    A cipher costs ten times what it does for one packet, so those of AES are made once, with no mode: counter mode
    enciphers numbers and takes the exclusive or with the text, CBC deciphers and takes it with the text a block before."""

    def __init__(self, algorithm, key):
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        self.salt, self.raw = key[-4:], key[:-4]
        if algorithm.startswith("aes-gcm"):
            self.block, self.open = Cipher(algorithms.AES(self.raw), modes.ECB()).encryptor(), self.gcm
        elif algorithm.startswith("chacha20"):
            self.open = self.chacha20
        else:
            self.block, self.open = Cipher(algorithms.AES(key), modes.ECB()).decryptor(), self.cbc

    def gcm(self, vector, text):
        """RFC 4106: counter 1 is for the tag."""
        nonce = self.salt + vector
        counters = b"".join([nonce + number for number in COUNTERS[:(len(text) + 15) // 16]])
        return exclusive_or(self.block.update(counters), text)

    def cbc(self, vector, text):
        text = text[:len(text) // 16 * 16]
        return exclusive_or(self.block.update(text), vector + text[:-16])

    def chacha20(self, vector, text):
        """RFC 7634; the counter is in front, in little endian order."""
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms

        return Cipher(algorithms.ChaCha20(self.raw, b"\1\0\0\0" + self.salt + vector), None).decryptor().update(text)


def exclusive_or(a, b):
    """Of octets, as long as the shorter one."""
    size = min(len(a), len(b))
    return (int.from_bytes(a[:size], "big") ^ int.from_bytes(b[:size], "big")).to_bytes(size, "big")


class Unwrapper:
    """keys: {SPI: (algorithm, encryption key)}."""

    def __init__(self, keys):
        self.keys = keys
        self.known = {}  # the same packet is on several links
        self.ciphers = {}

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
            self.known[name] = self.strip(self.cipher(algorithm, key).open(data[at + 8:at + 8 + vector], text), complete)
        return self.known[name]

    def cipher(self, algorithm, key):
        if (algorithm, key) not in self.ciphers:
            self.ciphers[algorithm, key] = Plain(algorithm, key)
        return self.ciphers[algorithm, key]

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
