"""IPsec between mobile nodes and home agents in any scenario: keys, configuration, and who is watched.

Scenarios need to know nothing of this: every one that runs both daemons takes the keys IPSEC_KEYS (scenario.py), daemons.py asks here for
what goes into the configuration, and watcher.py judges the captures.
"""

import os
import random

# octets of the encryption key with its salt, and of the integrity key
LENGTHS = {"aes-gcm-128": (20, 0), "aes-gcm-256": (36, 0), "chacha20-poly1305": (36, 0),
           "aes-cbc-128-hmac-sha256": (16, 32), "aes-cbc-256-hmac-sha512": (32, 64)}


def watch(lab, host, homes=(), agents=(), networks=()):
    """A daemon of a node or a home agent starts on a host: from now on its packets are watched."""
    watched = lab.facts.setdefault("watched", {"hosts": [], "homes": [], "agents": [], "networks": []})
    for name, values in (("hosts", [str(host)]), ("homes", homes), ("agents", agents), ("networks", networks)):
        watched[name] += [v for v in values if v not in watched[name]]


def manual_keys(seed, algorithm, nodes, agents):
    """[(source, destination, use, SPI, algorithm, key in hexadecimal)]: four for each node and home agent."""
    draw = random.Random(f"ipsec {seed}")  # the scenario's own random numbers stay what they are without IPsec
    size = sum(LENGTHS[algorithm])
    keys, number = [], 0x1000
    for node in nodes:
        for agent in agents:
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


def section(lab, name, keys, more=()):
    """The section ipsec of a daemon; keys: of manual_keys(); more: further lines."""
    if not is_on(lab):
        return ""
    k = lab.keys
    lines = [f'payload = {"true" if k.payload else "false"};', f'arrangement = "{k.arrangement}";']
    if k.ipsec == "manual":
        lines.append(f'keys_file = "{key_file(lab, name, keys)}";')
    lines += more
    return "ipsec = {\n" + "".join(f"\t{line}\n" for line in lines) + "};\n"
