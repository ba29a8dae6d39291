"""Where keys of sessions are to be found after a run with a connectivity manager: in the kernels, and nowhere else. Known are
all that the nodes' kernels were told, and the secrets for Binding Updates of the offers that captures show."""

import os
import re
import shutil

from . import packets, swans
from .layers import message

KCN = 11  # an option of OFFER: lengths of the secret and of two nonces, then these (vcm-protocol(7))
KEPT = "kept"
MAY_KNOW = (".pcapng", ".csv")  # what was on the wire, and what the kernels' own monitor wrote (xfrm-*.log)


def keep(lab, net):
    """What daemons leave on disk, for who judges: as it is, while they run."""
    target = lab.path(KEPT)
    os.makedirs(target, exist_ok=True)
    for name, daemon in net.daemons.items():
        for path in (getattr(daemon, "state", None), getattr(daemon, "store", None)):
            if path and os.path.isdir(path):
                shutil.copytree(path, os.path.join(target, name + ".store"), dirs_exist_ok=True)
            elif path and os.path.exists(path):
                shutil.copy(path, os.path.join(target, name + ".state"))
        if hasattr(daemon, "ask"):
            for verb in ("status", "sessions", "sas"):
                with open(os.path.join(target, f"{name}.{verb}"), "w") as f:
                    f.write(repr(daemon.ask(verb)))


def session_spis(e, home):
    """SPIs of all SAs between two home addresses."""
    return set(between(e, home))


def between(e, home):
    """{SPI: (key, ends)} of SAs that end at two nodes' home addresses."""
    homes, found = set(home.values()), {}
    for name in home:
        path = e.path(f"xfrm-{name}.log")
        if not os.path.exists(path):
            continue
        keys = swans.keys_in(path)
        with open(path, errors="replace") as f:
            for source, destination, spi in re.findall(r"src (\S+) dst (\S+)\s+proto esp spi (0x[0-9a-f]+)", f.read()):
                if {source, destination} <= homes and int(spi, 16) in keys:
                    found[int(spi, 16)] = keys[int(spi, 16)][1], (source, destination)
    return found


def secrets(e, seen, at):
    """All that must be in no file."""
    found = {key for key, _ in between(e, at.home).values()}
    for s in (s for link in seen.values() for s in link):
        m = message(s)
        if m and m.kind == "OFFER":
            found |= {data[3:3 + data[0]] for option, data in m.options if option == KCN and len(data) > 3}
    return found


def told(e, seen, at):
    """Messages that have a key of a session in them, in words, where they must not: symmetric keys go from the manager to the two nodes,
    in OFFER, and with public keys nobody says any."""
    internal = {home: packets.octets(at.internal[name]) for name, home in at.home.items()}
    keys = {key: [internal[home] for home in ends] for key, ends in between(e, at.home).values()}
    found = []
    for s in (s for link in seen.values() for s in link):
        m = message(s)
        for key, nodes in keys.items() if m else ():
            if any(key in data for _, data in m.options) and (
                    e.keys.keys == "asymmetric" or m.kind != "OFFER" or m.destination not in nodes):
                found.append(f"{m.kind} at {m.time:.6f} on {m.link}")
    return found


def judge(e, seen, at):
    """The figures keys_known, keys_in_files."""
    wrong = told(e, seen, at)
    e.check(not wrong, f"{len(wrong)} messages with keys of sessions to others than their nodes: {wrong[:3]}")
    wanted, found = secrets(e, seen, at), []
    e.figures["keys_known"] = len(wanted)
    for folder, _, names in os.walk(e.out):
        for name in names:
            path = os.path.join(folder, name)
            if name.endswith(MAY_KNOW) or name.startswith("xfrm-"):
                continue
            with open(path, "rb") as f:
                text = f.read()
            digits = text.lower()
            if any(key[:16] in text or key[:16].hex().encode() in digits for key in wanted):
                found.append(os.path.relpath(path, e.out))
    e.figures["keys_in_files"] = len(found)
    e.check(wanted, "no key of a session is known")
    e.check(not found, f"keys of sessions in {', '.join(sorted(found))}")
