"""IPsec between mobile nodes and home agents in any scenario: keys, configuration, and who is watched.

Scenarios need to know nothing of this: every one that runs both daemons takes the keys IPSEC_KEYS (scenario.py), daemons.py asks here for
what goes into the configuration, and watcher.py judges the captures.
"""

import os
import random

from . import swans
from .unwrap import SIZES

# octets of the encryption key with its salt, and of the integrity key
LENGTHS = {"aes-gcm-128": (20, 0), "aes-gcm-256": (36, 0), "chacha20-poly1305": (36, 0),
           "aes-cbc-128-hmac-sha256": (16, 32), "aes-cbc-256-hmac-sha512": (32, 64)}


def watch(lab, host, homes=(), agents=(), networks=(), keys=()):
    """A daemon of a node or a home agent starts on a host: from now on its packets are watched."""
    watched = lab.facts.setdefault("watched", {"hosts": [], "homes": [], "agents": [], "networks": [], "keys": []})
    for name, values in (("hosts", [str(host)]), ("homes", homes), ("agents", agents), ("networks", networks), ("keys", keys)):
        watched[name] += [v for v in values if v not in watched[name]]


def manual_keys(seed, algorithm, nodes, agents):
    """[(source, destination, use, SPI, algorithm, key in hexadecimal)]: four for each node and home agent."""
    size = sum(LENGTHS[algorithm])
    keys = []
    for node in nodes:
        for agent in agents:
            # The scenario's own random numbers stay what they are without IPsec.
            draw = random.Random(f"ipsec {seed} {node} {agent}")
            number = draw.randrange(0x1000, 0x1000000) << 4
            for use in ("signal", "data"):
                for source, destination in ((node, agent), (agent, node)):
                    number += 1
                    keys.append((source, destination, use, number, algorithm, draw.randbytes(size).hex()))
    return keys


def of_node(keys, node):
    return [k for k in keys if node in k[:2]]


def key_file(lab, name, keys):
    path = lab.path(f"ipsec-keys-{name}.conf")
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
        f.writelines(f"{source} {destination} {use} 0x{spi:x} {algorithm} {key}\n"
                     for source, destination, use, spi, algorithm, key in keys)
    return path


def is_on(lab):
    return getattr(lab.keys, "ipsec", "none") != "none"


def known_keys(e):
    """{SPI: (algorithm, encryption key with its salt)} of a finished run."""
    watched = e.facts.get("watched", {})
    keys = {spi: (algorithm, bytes.fromhex(key)[:LENGTHS[algorithm][0]]) for _, _, _, spi, algorithm, key in watched.get("keys", ())}
    for host in watched.get("hosts", ()):
        log = e.path(f"xfrm-{host}.log")
        if os.path.exists(log):
            keys.update(swans.keys_in(log))
    return keys


def protects_payload(lab):
    return is_on(lab) and lab.keys.payload


def tunnel_mtu(lab, path_mtu):
    """The greatest packet that fits into the tunnel (RFC 2473, 7.1; RFC 4303, 2)."""
    room = path_mtu - 40
    if protects_payload(lab):
        vector, icv = SIZES[lab.keys.algorithm]
        aligned = 16 if lab.keys.algorithm.startswith("aes-cbc") else 4
        room -= 8 + vector + icv + (24 if lab.keys.arrangement == "home-address" else 0)
        room = room // aligned * aligned - 2
    return room


def narrowest_path(lab):
    """The least path MTU with which the tunnel needs no fragments (RFC 2473, 7.1: 1280 octets have to fit into it)."""
    return next(mtu for mtu in range(1280, 1500) if tunnel_mtu(lab, mtu) >= 1280)


def section(lab, more):
    """The section ipsec of a daemon; more: lines about who has the keys."""
    k = lab.keys
    lines = [f'payload = {"true" if k.payload else "false"};', f'arrangement = "{k.arrangement}";', *more]
    return "ipsec = {\n" + "".join(f"\t{line}\n" for line in lines) + "};\n"
