"""A third node of the intranet with good SAs of its own, that wants to know or to end what others say to each other."""

import socket
import struct

from . import hostile_packets as raw
from . import vcm_wire as wire
from .headers import UDP

EPOCH = 0x6666666666666666


def install(host, own, manager, keys):
    """SA pair and policies of an honest node inside. keys: rows of vpn.manual_keys()."""
    for source, destination, _, spi, _, key in keys:
        host.command(["ip", "xfrm", "state", "add", "src", source, "dst", destination, "proto", "esp", "spi", f"0x{spi:x}",
                      "mode", "transport", "replay-window", "64", "aead", "rfc4106(gcm(aes))", "0x" + key, "128"])
    for direction, source, destination in (("out", own, manager), ("in", manager, own)):
        host.command(["ip", "xfrm", "policy", "add", "src", source, "dst", destination, "dir", direction, "tmpl", "proto",
                      "esp", "mode", "transport"])


class Insider:
    def __init__(self, lab, host, own, manager):
        self.lab, self.own, self.manager = lab, own, manager
        self.socket = host.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self.socket.bind((own, wire.PORT))
        self.socket.setblocking(False)
        self.epoch, self.sequence, self.got = 0, 0, []

    def send(self, kind, options=(), to=None, sequence=None, epoch=EPOCH, peer_epoch=None):
        self.sequence += sequence is None
        data = wire.message(kind, self.sequence if sequence is None else sequence, epoch,
                            self.epoch if peer_epoch is None else peer_epoch, options)
        self.socket.sendto(data, (to or self.manager, wire.PORT))
        return self.sequence

    def pump(self):
        """Takes what has come; a HELLO is answered."""
        while True:
            try:
                data, sender = self.socket.recvfrom(2048)
            except BlockingIOError:
                return
            kind, sequence, epoch, _, options = wire.read(data)
            self.got.append((kind, sequence, options))
            if sender[0] != self.manager:
                continue
            self.epoch = epoch
            if kind == wire.HELLO:
                self.send(wire.ACK, [wire.option(2, b"\0")], sequence=sequence)

    def ask(self, kind, options=(), tries=4):
        """The status of the acknowledgement; None: there was none."""
        for _ in range(tries):
            number = self.send(kind, options)
            answer = self.wait(lambda k, sequence, o: k == wire.ACK and sequence == number)
            if answer:
                return next((data[0] for option, data in answer[2] if option == 2), None)
        return None

    def wait(self, wanted, timeout=0.6):
        def look():
            self.pump()
            return next((m for m in self.got if wanted(*m)), None)
        try:
            return self.lab.until(look, timeout, "an answer")
        except Exception:
            return None

    def keys_got(self):
        """Messages that came with SAs or shared secrets in them."""
        self.pump()
        return [kind for kind, _, options in self.got if any(o in (wire.SA, 11) for o, _ in options)]


def datagram(source, destination, message):
    """An IPv6 packet with a message of the protocol, whoever the source is."""
    udp = struct.pack(">HHHH", wire.PORT, wire.PORT, 8 + len(message), 0) + message
    return raw.ip6(source, destination, UDP, raw.with_checksum(udp, 6, UDP, source, destination))


class Wire:
    """Puts frames on a link from a host's interface."""

    def __init__(self, host, device, to_mac):
        self.out = host.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.out.bind((device, 0))
        self.head = bytes.fromhex(to_mac.replace(":", "")) + b"\x02\x66\x66\x66\x66\x66\x86\xdd"

    def put(self, packet):
        self.out.send(self.head + packet)

    def close(self):
        self.out.close()
