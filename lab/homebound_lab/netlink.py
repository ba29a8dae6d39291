"""Name spaces and veth pairs without starting programs: each `ip` costs 20 ms of real time inside the lab machine, and a
network needs dozens of them, for each seed."""

import ctypes
import fcntl
import os
import socket
import struct

CLONE_NEWNET, MS_BIND, MNT_DETACH = 0x40000000, 0x1000, 2
DIRECTORY = "/run/netns"  # where iproute2 looks for names
RTM_NEWLINK, NLM_F_REQUEST, NLM_F_ACK, NLM_F_EXCL, NLM_F_CREATE = 16, 1, 4, 0x200, 0x400
IFLA_ADDRESS, IFLA_IFNAME, IFLA_MTU, IFLA_LINKINFO, IFLA_NET_NS_FD = 1, 3, 4, 18, 28
IFLA_INFO_KIND, IFLA_INFO_DATA, VETH_INFO_PEER = 1, 2, 1
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
libc = ctypes.CDLL(None, use_errno=True)


def setns(fd):
    if libc.setns(fd, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def add_namespace(name, own):
    """A new network name space with a name, as `ip netns add` makes it, its loopback device up. own: a descriptor of
    the caller's, who stays in it. Returns a descriptor of the new one."""
    os.makedirs(DIRECTORY, exist_ok=True)
    path = os.path.join(DIRECTORY, name)
    os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0))
    if libc.unshare(CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")
    try:
        if libc.mount(b"/proc/thread-self/ns/net", path.encode(), b"none", MS_BIND, None):
            raise OSError(ctypes.get_errno(), f"mount on {path}")
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
            request = fcntl.ioctl(s, SIOCGIFFLAGS, struct.pack("16sh14x", b"lo", 0))
            flags = struct.unpack_from("16sh", request)[1]
            fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))
    finally:
        setns(own)
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC)


def delete_namespace(name):
    path = os.path.join(DIRECTORY, name)
    libc.umount2(path.encode(), MNT_DETACH)
    if os.path.exists(path):
        os.unlink(path)


def attribute(kind, value):
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def link(index, name, mac, mtu, namespace):
    """ifinfomsg and attributes of one end."""
    return (struct.pack("=BxHiII", 0, 0, index, 0, 0) + attribute(IFLA_IFNAME, name.encode() + b"\0") +
            attribute(IFLA_ADDRESS, bytes.fromhex(mac.replace(":", ""))) +
            attribute(IFLA_MTU, struct.pack("=I", mtu)) + attribute(IFLA_NET_NS_FD, struct.pack("=I", namespace)))


def add_veth(a, b):
    """a, b: (index, name, MAC, MTU, descriptor of the name space) of the two ends."""
    data = attribute(IFLA_INFO_DATA, attribute(VETH_INFO_PEER, link(*b)))
    body = link(*a) + attribute(IFLA_LINKINFO, attribute(IFLA_INFO_KIND, b"veth\0") + data)
    head = struct.pack("=IHHII", 16 + len(body), RTM_NEWLINK,
                       NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as s:
        s.bind((0, 0))
        s.send(head + body)
        error = struct.unpack_from("=i", s.recv(65536), 16)[0]
    if error:
        raise OSError(-error, f"veth {a[1]} - {b[1]}: {os.strerror(-error)}")
