"""Configuration and control of mip6d. What a configuration file looks like is written here and nowhere else."""

import glob
import json
import os
import signal
import socket

from . import ipsec, swans
from .picture import HOME_ADDRESS, HOME_AGENT, HOME_PREFIX, PEER_HOME_ADDRESS, SECOND_HOME_AGENT

HOME_AGENT_CONF = """role = "home-agent";
control = { socket = "%(socket)s"; };
state_file = "%(state)s";
home_agent = {
	address = "%(home_agent)s";
	home_link = "home0";
	home_prefixes = ( "%(home_prefix)s" );
	ipsec = "%(ipsec)s";
%(more)s};
%(ipsec_section)s"""

MOBILE_NODE_CONF = """role = "mobile-node";
control = { socket = "%(socket)s"; };
state_file = "%(state)s";
mobile_node = {
	home_address = "%(home_address)s";
	home_prefix = "%(home_prefix)s";
	home_agent = "%(home_agent)s";
	ipsec = "%(ipsec)s";
	interfaces = ( %(interfaces)s );
	lifetime = %(lifetime)s;
	uplink = "%(uplink)s";
	optimistic_dad = %(optimistic_dad)s;
%(more)s};
%(ipsec_section)s%(sections)s"""

# A tunnel that strongSwan moves; address and gateway as negotiated, or as given.
TUNNEL_CONF = """role = "mobile-node";
control = { socket = "%(socket)s"; };
state_file = "%(state)s";
ipsec = {
	moves = "charon";
	strongswan = { socket = "%(vici)s"; };
	nodes = ( { connection = "gw"; data = "%(child)s"; } );
};
mobile_node = {
	home_address = "%(inner)s";
	home_agent = "%(gateway)s";
	ipsec = "strongswan";
	interfaces = ( %(interfaces)s );
};
"""

CORRESPONDENT_CONF = """role = "correspondent";
control = { socket = "%(socket)s"; };
state_file = "%(state)s";
%(sections)s"""


def care_of(answer):
    return answer.get("care_of_address") or answer.get("care_of")


class Daemon:
    """A mip6d on a host."""

    def __init__(self, lab, host, configuration, **values):
        self.lab, self.host = lab, host
        self.name = f"mip6d-{host}"
        self.socket = os.path.join(lab.run_dir, self.name + ".sock")
        self.state = os.path.join(lab.run_dir, self.name + ".state")
        self.conf = lab.path(self.name + ".conf")
        self.log = lab.path(self.name + ".log")
        if not getattr(lab, "keeps_state", False):  # a machine does, a new seed in the same boot does not
            for state in glob.glob(self.state + "*"):
                os.unlink(state)
        with open(self.conf, "w") as f:
            f.write(configuration % {"socket": self.socket, "state": self.state, "home_address": HOME_ADDRESS,
                                     "home_prefix": HOME_PREFIX, "home_agent": HOME_AGENT, **values})
        self.process = None

    def start(self):
        program = os.path.join(self.lab.build, "mip6d", "mip6d")
        if not os.path.exists(program):
            from .lab import LabError
            raise LabError(f"{program} is not there: build it first, or set HOMEBOUND_BUILD to the directory of the build")
        self.process = self.host.start(self.name, [program, "-c", self.conf, "-f", *getattr(self.lab, "daemon_options", ())], self.log)
        self.lab.until(self.answers, 10, f"{self.name} to answer on its socket; see {self.log}")
        return self

    def answers(self):
        if not self.alive():
            from .lab import LabError
            raise LabError(f"{self.name} ended with status {self.process.popen.returncode}; see {self.log}: "
                           f"{self.process.text()[-300:].strip()}")
        return os.path.exists(self.socket) and self.ask("status") is not None

    def alive(self):
        return self.process is not None and self.process.alive()

    def kill(self):
        """kill -9."""
        self.process.stop(signal.SIGKILL)

    def stop(self):
        return self.process.stop(signal.SIGTERM)

    def ask(self, verb, **arguments):
        """The data of an answer on the control socket; None when there is no answer."""
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(5)
                s.connect(self.socket)
                s.sendall(json.dumps({"verb": verb, **arguments}).encode() + b"\n")
                data, lines = None, s.makefile()
                while True:
                    answer = json.loads(lines.readline())
                    if not answer.get("ok"):
                        return None
                    part = answer.get("data")
                    data = data + part if isinstance(data, list) else part
                    if not answer.get("more"):
                        return data
        except (OSError, ValueError):
            return None

    def ctl(self, *verb):
        """What mip6ctl prints with -j, as Python."""
        program = os.path.join(self.lab.build, "ctl", "mip6ctl")
        return json.loads(self.host.command([program, "-s", self.socket, "-j", *verb]))

    def bindings(self):
        """Home agent: {home address: care-of address}; None when there is no answer."""
        answer = self.ask("bindings")
        return None if answer is None else {b["home_address"]: care_of(b) for b in answer}

    def registration(self):
        """Mobile node: (state of the registration, care-of address)."""
        status = (self.ask("status") or {}).get("mobile_node") or {}
        return status.get("registration"), care_of(status)

    def log_lines(self):
        with open(self.log, errors="replace") as f:
            return f.read().splitlines()


def protection(lab, host, address, more_agents=(), networks=()):
    """What the configuration of the node or home agent with this address says of IPsec."""
    agents = [*[HOME_AGENT, SECOND_HOME_AGENT][:2 if "ha2" in lab.hosts else 1], *more_agents]
    if address not in agents:
        agents = [a for a in agents if a not in getattr(lab, "unknown_agents", ())]
    nodes = [HOME_ADDRESS, PEER_HOME_ADDRESS][:2 if "mn2" in lab.hosts else 1]
    if not ipsec.is_on(lab):
        return {"ipsec": "none", "ipsec_section": ""}
    if lab.keys.ipsec == "strongswan":
        more = swans.start(lab, host, address, nodes, agents, networks)
    else:
        keys = ipsec.of_node(ipsec.manual_keys(lab.seed, lab.keys.algorithm, nodes, agents), address)
        ipsec.watch(lab, host, keys=keys)
        more = [f'keys_file = "{ipsec.key_file(lab, host, keys)}";']
    return {"ipsec": lab.keys.ipsec, "ipsec_section": ipsec.section(lab, more)}


def home_agent(lab, net, host=None, more="", home_agent=HOME_AGENT, networks=(), **values):
    """more: further lines of the section home_agent; networks: those behind its nodes."""
    host = host or net.ha
    ipsec.watch(lab, host, agents=[home_agent])
    return Daemon(lab, host, HOME_AGENT_CONF, more=more, home_agent=home_agent,
                  **{**protection(lab, host, home_agent, networks=networks), **values}).start()


def mobile_node(lab, net, lifetime=600, uplink="optimistic", optimistic_dad=True, host=None, more="", sections="",
                home_address=HOME_ADDRESS, networks=(), more_agents=(), **values):
    """more: further lines of the section mobile_node; sections: further sections; networks: those behind the node; more_agents:
    home agents that it has keys for as well."""
    host = host or net.mn
    ipsec.watch(lab, host, homes=[home_address], networks=networks)
    interfaces = interfaces_of(host)
    return Daemon(lab, host, MOBILE_NODE_CONF, interfaces=interfaces, lifetime=lifetime, uplink=uplink,
                  optimistic_dad="true" if optimistic_dad else "false", more=more, sections=sections,
                  home_address=home_address, **{**protection(lab, host, home_address, more_agents, networks), **values}).start()


def both_at_home(lab, net, **node):
    """A home agent, and a mobile node on its link that has the home address. node: as of mobile_node()."""
    net.ha_daemon = home_agent(lab, net)
    net.attach("home")
    net.mn_daemon = mobile_node(lab, net, **node)
    lab.until(lambda: HOME_ADDRESS in [a[0] for a in net.mn.addresses()], 10, "the home address on the node")


def interfaces_of(host):
    return ", ".join(f'{{ name = "{device}"; preference = {10 - n}; }}' for n, device in enumerate(host.interfaces))


def with_tunnel(lab, net, vici, child, inner="auto", gateway="auto"):
    """A node whose tunnel is a child of strongSwan's connection gw, which moves it."""
    return Daemon(lab, net.mn, TUNNEL_CONF, interfaces=interfaces_of(net.mn), inner=inner, gateway=gateway, vici=vici,
                  child=child).start()


def correspondent(lab, net, sections=""):
    return Daemon(lab, net.cn, CORRESPONDENT_CONF, sections=sections).start()
