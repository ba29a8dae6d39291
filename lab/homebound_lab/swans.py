"""strongSwan for the daemons of any scenario: a charon on each node and home agent, with the connections that mip6d asks for.

What stands in its configuration is what examples/swanctl-*.conf have, for as many nodes as the scenario has.
"""

import re

from .strongswan import StrongSwan

# Names of XFRM in `ip xfrm`, and what ipsec.py calls the same with a key of so many octets
ALGORITHMS = {("rfc4106(gcm(aes))", 20): "aes-gcm-128", ("rfc4106(gcm(aes))", 36): "aes-gcm-256",
              ("rfc7539esp(chacha20,poly1305)", 36): "chacha20-poly1305"}

CHILDREN = {
    "signal": """			signal {
				mode = transport_proxy
				local_ts = %(local)s/128[135],%(local)s/128[ipv6-icmp]
				remote_ts = %(remote)s/128[135],%(remote)s/128[ipv6-icmp]
				policies = no
				reqid = %(reqid)d
				esp_proposals = aes256gcm16,aes128gcm16
%(times)s			}
""",
    "data": """			data {
				mode = tunnel
				local_ts = %(local_data)s
				remote_ts = %(remote_data)s
				policies = no
				reqid = %(reqid_data)d
				replay_window = 1024
				esp_proposals = aes256gcm16,aes128gcm16
%(times)s			}
""",
}
CONNECTION = """	%(name)s {
		version = 2
		mobike = no
		%(addresses)s
		%(times)s
		local {
			auth = psk
			id = %(local_id)s
		}
		remote {
			auth = psk
			id = %(remote_id)s
		}
		children {
%(children)s		}
	}
"""


def identity(address):
    return "h" + address.replace(":", "-") + ".example.org"


def connection(name, addresses, local, remote, networks, mobile, reqid, uses, times, dpd_s):
    whole = ",".join(f"{n}" for n in [f"{local if mobile else remote}/128", *networks])
    v = {"local": local, "remote": remote, "local_data": whole if mobile else "::/0", "remote_data": "::/0" if mobile else whole,
         "reqid": reqid, "reqid_data": reqid + 1, "times": times}
    return CONNECTION % {"name": name, "addresses": addresses, "local_id": identity(local),
                         "remote_id": identity(remote), "times": f"dpd_delay = {dpd_s}s", "children": "".join(CHILDREN[use] % v for use in uses)}


def configuration(lab, address, nodes, agents, networks=()):
    """(swanctl.conf, lines of ipsec.nodes) of the node or home agent with this address. A scenario may have lab.rekey_s: the
    node's SAs are replaced that often;
    and lab.dpd_s: IKE asks that often whether the other end is there."""
    mobile = address in nodes
    rekeys = hasattr(lab, "rekey_s") and mobile
    times = f"\t\t\t\trekey_time = {lab.rekey_s}s\n\t\t\t\tlife_time = {2 * lab.rekey_s}s\n\t\t\t\trand_time = 1s\n" if rekeys else ""
    dpd_s = getattr(lab, "dpd_s", 30)
    split = getattr(lab.keys, "arrangement", "home-address") == "home-address"
    text, lines = "", []
    if mobile:
        uses = ("signal",) if split else ("signal", "data")
        for n, agent in enumerate(agents):
            # Reqids are this host's own; two nodes have different ones so that a mistake about that is seen.
            name, reqid = f"home{n + 1}" if n else "home", 1 + 2 * (nodes.index(address) + len(nodes) * n)
            text += connection(name, f"remote_addrs = {agent}", address, agent, networks, True, reqid, uses, times, dpd_s)
            if split:
                text += connection(f"{name}-data", f"local_addrs = {address}\n\t\tremote_addrs = {agent}", address, agent,
                                   networks, True, reqid, ("data",), times, dpd_s)
            data = f'data_connection = "{name}-data"; ' if split else ""
            lines.append(f'{{ home_agent = "{agent}"; connection = "{name}"; {data}reqid = {reqid}; }}')
        secrets = [(address, agent) for agent in agents]
    else:
        for n, node in enumerate(nodes):
            text += connection(f"mn{n + 1}", f"local_addrs = {address}", address, node, networks, False, 1 + 2 * n,
                               ("signal", "data"), times, dpd_s)
            lines.append(f'{{ home_address = "{node}"; connection = "mn{n + 1}"; reqid = {1 + 2 * n}; }}')
        secrets = [(address, node) for node in nodes]
    known = "".join(f"\tike-{n} {{\n\t\tid-a = {identity(a)}\n\t\tid-b = {identity(b)}\n\t\tsecret = \"{lab.seed} {'-'.join(sorted((a, b)))}\"\n\t}}\n"
                    for n, (a, b) in enumerate(secrets))
    return f"connections {{\n{text}}}\nsecrets {{\n{known}}}\n", lines


def start(lab, host, address, nodes, agents, networks=()):
    """A charon on a host, if there is none yet; the lines of the section ipsec."""
    conf, lines = configuration(lab, address, nodes, agents, networks)
    lab.swans = getattr(lab, "swans", {})
    if str(host) not in lab.swans:
        # Keys, for who judges: ip xfrm monitor prints all that the kernel says of SAs.
        host.start(f"xfrm-{host}", ["ip", "xfrm", "monitor", "SA"], lab.path(f"xfrm-{host}.log"))
        lab.swans[str(host)] = StrongSwan(lab, host, conf,                     plugin_settings="kernel-netlink { roam_events = no }\n").start()
    socket = lab.swans[str(host)].socket
    return [f'strongswan = {{ socket = "{socket}"; }};', "nodes = ( " + ", ".join(lines) + " );"]


def keys_in(path):
    """{SPI: (algorithm, key)} of what `ip xfrm monitor` wrote."""
    found = {}
    with open(path, errors="replace") as f:
        text = f.read()
    for spi, name, key in re.findall(r"proto esp spi (0x[0-9a-f]+) .*?\n(?:\t.*\n)*?\taead (\S+) 0x([0-9a-f]+)", text):
        octets = bytes.fromhex(key)
        if (name, len(octets)) in ALGORITHMS:
            found[int(spi, 16)] = (ALGORITHMS[name, len(octets)], octets)
    return found
