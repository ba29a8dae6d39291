"""A host that knows return routability and does not keep to it: builds test messages, Binding Updates with right and
wrong authenticators (RFC 6275 5.2, 6.2.7), and puts packets on its link as they are."""

import hashlib
import hmac
import socket
import struct

from . import hostile_packets as raw
from .hostile_packets import DSTOPTS, MH, address

HOTI, COTI, HOT, COT, BU, BA, BE, BRR = 1, 2, 3, 4, 5, 6, 7, 0


def kbm(home_token, care_of_token=b""):
    return hashlib.sha1(home_token + care_of_token).digest()


def header(kind, body):
    """A Mobility Header; body is what follows the checksum."""
    body += b"" if (len(body) + 6) % 8 == 0 else bytes([1, (-len(body) - 6 - 2) % 8]) + bytes((-len(body) - 6 - 2) % 8)
    return struct.pack(">BBBBH", 59, (len(body) + 6) // 8 - 1, kind, 0, 0) + body


def test_init(kind, cookie):
    return header(kind, b"\0\0" + cookie)


def binding_update(sequence, lifetime_s, care_of, correspondent, key=None, indices=None, alternate=None, flags=0x8000,
                   source=None):
    """key: Kbm for the authenticator, None for no such option, "wrong" for a made-up one; care_of: what it counts for."""
    body = struct.pack(">HHH", sequence & 0xFFFF, flags, lifetime_s // 4)
    if indices:
        body += struct.pack(">BBHH", 4, 4, *indices)
    if alternate:
        while (len(body) + 6) % 8 != 6:
            body += b"\0"
        body += bytes([3, 16]) + address(alternate)
    if key is None:
        return header(BU, body)
    while (len(body) + 6) % 8 != 2:  # the option's data start at 8n + 2 + 2
        body += b"\0"
    message = header(BU, body + bytes([5, 12]) + bytes(12))
    if key == "wrong":
        mac = bytes(range(12))
    else:
        mac = hmac.new(key, address(care_of) + address(correspondent) + message[:-12], hashlib.sha1).digest()[:12]
    return message[:-12] + mac


def esp(key, sequence, proto, message):
    """A message in ESP by AES-GCM (RFC 4303, RFC 4106). key: a row of ipsec.manual_keys()."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    octets, padding = bytes.fromhex(key[5]), -(len(message) + 2) % 4
    text = message + bytes(range(1, padding + 1)) + bytes([padding, proto])
    head, vector = struct.pack(">II", key[3], sequence), struct.pack(">Q", sequence)
    return head + vector + AESGCM(octets[:-4]).encrypt(octets[-4:] + vector, text, head)


class Attacker:
    def __init__(self, lab, host, device, router_mac):
        self.lab, self.host, self.device, self.router_mac = lab, host, device, router_mac
        self.out = host.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.out.bind((device, 0))
        self.inbox = host.socket(socket.AF_INET6, socket.SOCK_RAW, MH)
        self.inbox.setblocking(False)

    def put(self, packet, mac=None):
        """A packet on the link, to the router or to another neighbour."""
        to = bytes.fromhex((mac or self.router_mac).replace(":", ""))
        self.out.send(to + b"\x02\x66\x66\x66\x66\x66" + b"\x86\xdd" + packet)

    def mobility(self, source, destination, message, home=None, mac=None):
        """A Mobility Header; home: in a Home Address option."""
        whole = raw.with_checksum(message, 4, MH, home or source, destination)
        if home:
            self.put(raw.ip6(source, destination, DSTOPTS, raw.home_address_option(home) + whole), mac)
        else:
            self.put(raw.ip6(source, destination, MH, whole), mac)

    def drain(self):
        """Mobility Headers that came for this host."""
        got = []
        while True:
            try:
                got.append(self.inbox.recv(2048))
            except BlockingIOError:
                return got

    def wait(self, kind, timeout=3):
        def look():
            return [m for m in self.drain() if m[2] == kind]
        try:
            return self.lab.until(look, timeout, "an answer")[0]
        except Exception:
            return None

    def test(self, kind, source, correspondent, cookie=b"evilevil"):
        """(nonce index, token) that the correspondent gives for an address of ours."""
        self.drain()
        self.mobility(source, correspondent, test_init(kind, cookie))
        m = self.wait(HOT if kind == HOTI else COT)
        return (struct.unpack(">H", m[6:8])[0], m[16:24]) if m and m[8:16] == cookie else (0, bytes(8))

    def tokens(self, home, care_of, correspondent):
        """(Kbm, indices) by both tests, as an honest node would do them for addresses of its own."""
        (hi, home_token), (ci, care_of_token) = (self.test(HOTI, home, correspondent),
                                                 self.test(COTI, care_of, correspondent))
        return kbm(home_token, care_of_token), (hi, ci)
