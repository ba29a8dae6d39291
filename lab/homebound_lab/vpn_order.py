"""The ends of figure 2 of seed 003 in captures: 202 and 204 before the keys, 218 before the first packet between care-of addresses (220)."""

from . import packets, vcm_wire
from .headers import MH
from .intranet import WALKS

HOTI, BINDING_UPDATE, BINDING_ACKNOWLEDGEMENT = 1, 5, 6


def reported(run, offered):
    """Complaints: the gateway's REPORT of the pair (202) comes before the first OFFER, and is acknowledged (204). On one host there is
    nothing to be seen of it."""
    if run.k.where != "host":
        return []
    messages = run.messages()
    report = next((m for m in messages if m.kind == "REPORT" and any(o == vcm_wire.PAIR for o, _ in m.options)), None)
    if report is None or report.time > offered:
        return [f"no REPORT of the pair before the first OFFER at {offered:.6f}"]
    answers = [m for m in messages if m.kind == "ACK" and m.sequence == report.sequence and m.time >= report.time and
               (m.source, m.destination) == (report.destination, report.source)]
    return [] if answers else [f"REPORT of the pair at {report.time:.6f} was not acknowledged"]


def signals(run, name, other):
    """{type of Mobility Header: when the first of them for a binding of `name` with the other was on a link of `name`}, both by their home
    addresses, whichever way they go."""
    ends, first = (packets.octets(run.at.home[name]), packets.octets(run.at.home[other])), {}
    for link in WALKS[name]:
        for s in run.seen.get(link, ()):
            if s.proto != MH or len(s.text) < 3:
                continue
            kind = s.text[2]
            if (s.source, s.destination) == (ends[::-1] if kind == BINDING_ACKNOWLEDGEMENT else ends):
                first[kind] = min(first.get(kind, s.time), s.time)
    return first


def bound(run, name, other):
    """Complaints: a node sends between care-of addresses only after its Binding Update (218) was acknowledged; without Kcn after a
    test of return routability as well."""
    direct = min((s.time for link, seen in run.direct_packets(name, other).items() if link in WALKS[name] for s in seen), default=None)
    if direct is None:
        return [f"{name}: no packet between care-of addresses"]
    first = signals(run, name, other)
    wanted = [BINDING_UPDATE, BINDING_ACKNOWLEDGEMENT] if run.k.kcn else [HOTI, BINDING_UPDATE, BINDING_ACKNOWLEDGEMENT]
    times = [first.get(kind) for kind in wanted]
    if None in times or times != sorted(times) or times[-1] > direct:
        return [f"{name}: Mobility Headers {wanted} at {times} before its first packet between care-of addresses at {direct:.6f}"]
    return [f"{name}: a test of return routability, though there is a Kcn"] if run.k.kcn and HOTI in first else []
