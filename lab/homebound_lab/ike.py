"""IKE and ESP in captures: what a move of a tunnel costs."""

from collections import namedtuple

from . import packets

EXCHANGES = {34: "IKE_SA_INIT", 35: "IKE_AUTH", 36: "CREATE_CHILD_SA", 37: "INFORMATIONAL"}
Message = namedtuple("Message", "time src dst exchange id response initiator")
ESP = 50


def messages(path):
    """IKE messages of a capture, as tshark reads them."""
    rows = packets.tshark(path, "isakmp && isakmp.exchangetype", "frame.time_epoch", "ipv6.src", "ipv6.dst",
                          "isakmp.exchangetype", "isakmp.messageid", "isakmp.flag_r", "isakmp.ispi")
    return [Message(float(t), src, dst, EXCHANGES.get(int(kind), kind), int(number, 16), truth(r), spi)
            for t, src, dst, kind, number, r, spi in rows]


def truth(word):
    return word in ("1", "True")


def exchanges(found):
    """The exchanges of some messages, by name: each request once, however often it was sent and on how many paths."""
    return [kind for _, kind in sorted({(m.id, m.exchange, m.initiator): (m.time, m.exchange)
                                        for m in reversed(found) if not m.response}.values())]


def esp(path):
    """(time, source, destination) of ESP packets, addresses as 16 octets."""
    return [(time, frame[22:38], frame[38:54]) for time, frame in packets.frames(path)
            if frame[12:14] == b"\x86\xdd" and frame[20] == ESP]
