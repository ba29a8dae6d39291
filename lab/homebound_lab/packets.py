"""Captures: a quick reader for the flow tool's packets, and tshark's reading of everything else.

A capture of a 1 ms stream is mostly stream. Its packets are found by their mark, here; what is left (signalling) is
copied to NAME.signalling.pcapng and read by tshark, which nobody here wrote.
"""

import ipaddress
import mmap
import os
import struct
import subprocess
from collections import namedtuple

MARK = b"HBFL"
# time in seconds; source and destination of the outermost IPv6 header as 16 octets; tunnelled: that header is
# followed by another IPv6 header, whose destination is `inner`; mac: the frame's source
Sighting = namedtuple("Sighting", "time flow sequence source destination tunnelled mac inner")


def blocks(data):
    """(type, start, length) of the blocks of a pcapng file; a last block cut short is left out."""
    at, end = 0, len(data)
    while at + 12 <= end:
        kind, length = struct.unpack_from("<II", data, at)
        if length < 12 or at + length > end:
            return
        yield kind, at, length
        at += length


def time_unit(data, at, length):
    """Seconds per tick of an interface description block."""
    option = at + 16
    while option + 4 <= at + length - 4:
        code, size = struct.unpack_from("<HH", data, option)
        if code == 0:
            break
        if code == 9:
            resolution = data[option + 4]
            return 2.0 ** -(resolution & 127) if resolution & 128 else 10.0 ** -resolution
        option += 4 + (size + 3) // 4 * 4
    return 1e-6


def frames(path):
    """(time, frame) for each packet."""
    with open(path, "rb") as f:
        if os.fstat(f.fileno()).st_size == 0:
            return
        data = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)
    unit = 1e-6
    for kind, at, length in blocks(data):
        if kind == 6:
            high, low, size = struct.unpack_from("<III", data, at + 12)
            yield ((high << 32) + low) * unit, data[at + 28:at + 28 + size]
        elif kind == 1:
            unit = time_unit(data, at, length)


def streams(path):
    """Sightings of the flow tool's packets on a link, in order."""
    found = []
    for time, frame in frames(path):
        at = frame.find(MARK, 54)
        if at > 0 and frame[12:14] == b"\x86\xdd":
            flow, sequence = struct.unpack_from(">II", frame, at + 4)
            found.append(Sighting(time, flow, sequence, frame[22:38], frame[38:54], frame[20] == 41, frame[6:12],
                                  frame[78:94] if frame[20] == 41 else b""))
    return found


def copy(path, name, keep):
    """Copy of a capture with those frames for which keep(frame) is true: tshark takes 25 us for each packet, so whoever asks
    it about a few of many leaves out, by a glance, those that cannot be among them."""
    target = path.replace(".pcapng", f".{name}.pcapng")
    with open(path, "rb") as f:
        data = f.read()
    with open(target, "wb") as out:
        for kind, at, length in blocks(data):
            if kind == 6:
                size, = struct.unpack_from("<I", data, at + 20)
                if not keep(data[at + 28:at + 28 + size]):
                    continue
            out.write(data[at:at + length])
    return target


def signalling_file(path):
    """Copy of a capture without streams and TCP."""
    return copy(path, "signalling", lambda frame: frame.find(MARK, 54) < 0 and not is_tcp(frame))


def one_of_each(path):
    """Copy of a capture for those who read the headers of streams: of the packets with the same octets in front of the
    UDP checksum, and of the same length, the first one alone; no TCP."""
    known = set()

    def keep(frame):
        mark = frame.find(MARK, 54)
        if mark < 0:
            return not is_tcp(frame) and not is_direct_tcp(frame)
        before = len(known)
        known.add((frame[:mark - 2], len(frame)))
        return len(known) > before

    return copy(path, "headers", keep)


def next_header(frame):
    """What is behind the first IPv6 header; None without one."""
    return frame[20] if frame[12:14] == b"\x86\xdd" and len(frame) > 53 else None


def is_payload(frame):
    """Of the streams, or TCP; plain, in a tunnel, or behind extension headers of the direct path in one."""
    if frame.find(MARK, 54) > 0 or is_tcp(frame):
        return True
    return frame[12:14] == b"\x86\xdd" and frame[20] == 41 and len(frame) > 94 and frame[60] in (43, 60) and frame[94] == 6


def is_tcp(frame):
    """TCP, plain or in one tunnel."""
    if frame[12:14] != b"\x86\xdd":
        return False
    return frame[20] == 6 or (frame[20] == 41 and len(frame) > 60 and frame[60] == 6)


def is_direct_tcp(frame):
    """TCP behind one or two extension headers of the direct path."""
    if frame[12:14] != b"\x86\xdd" or frame[20] not in (43, 60) or len(frame) < 62:
        return False
    at = 54 + (frame[55] + 1) * 8
    return frame[54] == 6 or frame[54] in (43, 60) and len(frame) > at and frame[at] == 6


FIELDS = ("frame.time_epoch", "ipv6.src", "ipv6.dst", "icmpv6.type", "mip6.mhtype", "mip6.bu.seqnr",
          "mip6.bu.lifetime", "mip6.ba.seqnr", "mip6.ba.status", "mip6.ba.lifetime", "eth.src",
          "icmpv6.nd.ns.target_address")
Message = namedtuple("Message", "time src dst icmp mh bu_seq bu_lifetime ba_seq ba_status ba_lifetime mac target")


def signalling(path):
    """Signalling of a capture as tshark reads it: addresses are those of the outermost header."""
    argv = ["tshark", "-n", "-r", signalling_file(path), "-T", "fields", "-E", "separator=;", "-E", "occurrence=f"]
    for field in FIELDS:
        argv += ["-e", field]
    text = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=True).stdout

    def number(word):
        return int(word, 0) if word else None

    messages = []
    for line in text.splitlines():
        w = line.split(";")
        messages.append(Message(float(w[0]), w[1], w[2], number(w[3]), number(w[4]), number(w[5]), number(w[6]),
                                number(w[7]), number(w[8]), number(w[9]), w[10], w[11]))
    return messages


def tshark(path, filter, *fields):
    """Rows of fields of the packets that match a display filter."""
    argv = ["tshark", "-n", "-r", path, "-Y", filter, "-T", "fields", "-E", "separator=;", "-E", "occurrence=f"]
    for field in fields:
        argv += ["-e", field]
    out = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=True).stdout
    return [line.split(";") for line in out.splitlines()]


def octets(address):
    return ipaddress.IPv6Address(address).packed


def network(prefix):
    """Test for being inside a /64, on 16 octets."""
    start = ipaddress.IPv6Network(prefix).network_address.packed[:8]
    return lambda address: address[:8] == start
