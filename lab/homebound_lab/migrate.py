"""XFRM_MSG_MIGRATE with XFRMA_KMADDRESS, which `ip xfrm` has no words for."""

import os
import socket
import struct

from .netlink import attribute
from .packets import octets

XFRM_MSG_MIGRATE, NLM_F_REQUEST, NLM_F_ACK, NETLINK_XFRM = 0x21, 1, 4, 6
XFRMA_MIGRATE, XFRMA_KMADDRESS = 17, 19
DIRECTIONS = {"in": 0, "out": 1, "fwd": 2}
ESP, TRANSPORT, TUNNEL = 50, 0, 1


def address(prefix):
    return octets(prefix.partition("/")[0])


def selector(src, dst, proto):
    lengths = [int(prefix.partition("/")[2] or 128) for prefix in (src, dst)]
    return address(dst) + address(src) + struct.pack("=HHHHHBBBxxxiI", 0, 0, 0, 0, socket.AF_INET6, lengths[1],
                                                     lengths[0], proto, 0, 0)


def migrate(host, direction, src, dst, proto, reqid, mode, old, new, tell=None):
    """The policy (src, dst: prefixes; proto) and the SA of its template go from the outer addresses old (source,
    destination) to new. tell: (local, remote), the ends of IKE from now on. Returns 0 or an errno."""
    policy = selector(src, dst, proto) + struct.pack("=IBxxx", 0, DIRECTIONS[direction])
    entry = (address(old[1]) + address(old[0]) + address(new[1]) + address(new[0]) +
             struct.pack("=BBHIHH", ESP, mode, 0, reqid, socket.AF_INET6, socket.AF_INET6))
    body = policy + attribute(XFRMA_MIGRATE, entry)
    if tell:
        body += attribute(XFRMA_KMADDRESS, address(tell[0]) + address(tell[1]) +
                          struct.pack("=IHxx", 0, socket.AF_INET6))
    head = struct.pack("=IHHII", 16 + len(body), XFRM_MSG_MIGRATE, NLM_F_REQUEST | NLM_F_ACK, 1, 0)
    with host.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_XFRM) as s:
        s.bind((0, 0))
        s.send(head + body)
        error = -struct.unpack_from("=i", s.recv(65536), 16)[0]
    if error:
        host.lab.say(f"{host}: migrate {direction} {src} {dst}: {os.strerror(error)}")
    return error
