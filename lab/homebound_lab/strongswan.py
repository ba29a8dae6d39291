"""strongSwan on a lab host: a real charon with a configuration, a log and a vici socket of its own.

The daemon is charon-systemd, which runs without systemd as well. Nothing of the machine's own strongSwan configuration is
read: STRONGSWAN_CONF names ours, SWANCTL_DIR a directory of ours. In a lab machine everything it writes is in memory.
"""

import contextlib
import os
import signal

from .lab import LabError
from .vici import Vici

CHARON, SWANCTL, PKI = "/usr/sbin/charon-systemd", "/usr/sbin/swanctl", "/usr/bin/pki"
# No kernel-libipsec (ESP in user space), no bypass-lan, no attr or resolve (which write files of the system).
PLUGINS = ("random nonce openssl aes sha1 sha2 hmac kdf gmp pem pkcs1 pkcs8 x509 revocation constraints pubkey "
           "eap-identity eap-mschapv2 kernel-netlink socket-default vici updown")

STRONGSWAN_CONF = """charon-systemd {
	load = %(plugins)s
	install_routes = no
	install_virtual_ip = no
	journal { default = -1 }
	filelog {
		log {
			path = %(log)s
			append = yes
			flush_line = yes
			time_format = %%s
			default = 1
			ike = 2
			knl = 2
			cfg = 2
		}
	}
	plugins {
		vici { socket = unix://%(socket)s }
%(plugin_settings)s	}
%(more)s}
swanctl { load = pem pkcs1 pkcs8 x509 pubkey openssl random }
pki { load = pem pkcs1 pkcs8 x509 pubkey openssl random }
"""

DIRECTORIES = ("x509", "x509ca", "x509ocsp", "x509aa", "x509ac", "x509crl", "pubkey", "private", "rsa", "ecdsa", "bliss",
               "pkcs8", "pkcs12")


class StrongSwan:
    """A charon on a host. configuration: text of swanctl.conf; it is loaded at each start."""

    def __init__(self, lab, host, configuration, more="", plugin_settings=""):
        """more, plugin_settings: further lines of strongswan.conf."""
        self.lab, self.host = lab, host
        self.name = f"charon-{host}"
        self.directory = os.path.join(lab.run_dir, self.name)
        self.socket = os.path.join(lab.run_dir, self.name + ".vici")
        self.log = lab.path(self.name + ".log")
        self.settings = os.path.join(self.directory, "strongswan.conf")
        # certs and keys are looked for beside it
        self.swanctl_conf = os.path.join(self.directory, "swanctl.conf")
        for name in DIRECTORIES:
            os.makedirs(os.path.join(self.directory, name), exist_ok=True)
        with open(self.settings, "w") as f:
            f.write(STRONGSWAN_CONF % {"plugins": PLUGINS, "log": self.log, "socket": self.socket, "more": more,
                                       "plugin_settings": plugin_settings})
        self.configuration = configuration
        self.configure(configuration)
        self.process = None

    def configure(self, text):
        """The text of swanctl.conf from now on; load() makes charon read it."""
        for path in (self.swanctl_conf, self.lab.path(f"swanctl-{self.host}.conf")):  # to work with, and to look at later
            with open(path, "w") as f:
                f.write(text)

    def environment(self):
        return ["env", f"STRONGSWAN_CONF={self.settings}", f"SWANCTL_DIR={self.directory}"]

    def scheduling(self):
        """Its threads wait for each other by spinning, too. In simulated time, where computing takes no time, no tick
        ever takes the processor from the one that spins. So none may be interrupted by another while it holds a lock."""
        return ["chrt", "--fifo", "1"] if self.lab.simulated else []

    def start(self, load=True):
        if not os.path.exists(CHARON):
            raise LabError(f"{CHARON} is not there: install charon-systemd and strongswan-swanctl (tools/setup.sh does)")
        with contextlib.suppress(FileNotFoundError):  # of one that was killed
            os.unlink(self.socket)
        self.process = self.host.start(self.name, [*self.environment(), *self.scheduling(), CHARON], self.log + ".out")
        self.lab.until(self.answers, 20, f"{self.name} to answer on its socket; see {self.log}")
        if load:
            self.load()
        return self

    def answers(self):
        if not self.alive():
            raise LabError(f"{self.name} ended with status {self.process.popen.returncode}; see {self.log}")
        with contextlib.suppress(OSError, ValueError), self.vici() as vici:
            return vici.command("version")
        return None

    def alive(self):
        return self.process is not None and self.process.alive()

    def kill(self):
        """kill -9: SAs and policies stay in the kernel, the socket's name in the file system."""
        self.process.stop(signal.SIGKILL)

    def stop(self):
        return self.process.stop(signal.SIGTERM)

    def swanctl(self, *words, check=True):
        return self.host.command([*self.environment(), SWANCTL, *words, "--uri", f"unix://{self.socket}"], check=check)

    def load(self):
        """Connections and secrets of the configuration."""
        return self.swanctl("--load-all", "--noprompt", "--file", self.swanctl_conf)

    def initiate(self, child, check=True, timeout_s=20):
        return self.swanctl("--initiate", "--child", child, "--timeout", str(timeout_s), check=check)

    def vici(self):
        """A connection to the vici socket, for use in a with block."""
        return Vici(self.socket)

    def sas(self):
        """What `swanctl --list-sas` lists: [{"name", "state", "local-host", ..., "child-sas": [{"name", "reqid",
        "spi-in", "spi-out", ...}]}]. All values are text, or lists of texts."""
        with self.vici() as vici:
            found = [(name, sa) for sas in vici.stream("list-sas", "list-sa") for name, sa in sas.items()]
        return [{"name": name, **sa, "child-sas": list(sa.get("child-sas", {}).values())} for name, sa in found]

    def children(self, name=None):
        """All installed CHILD_SAs (of one name)."""
        return [c for ike in self.sas() for c in ike["child-sas"] if c.get("state") == "INSTALLED" and
                name in (None, c["name"])]

    def text(self):
        with contextlib.suppress(FileNotFoundError), open(self.log, errors="replace") as f:
            return f.read()
        return ""


# --- certificates

class Authority:
    """A certificate authority made with strongSwan's pki. Keys are EC, as they are made quickly."""

    def __init__(self, lab, name="Lab CA"):
        self.lab, self.name = lab, name
        self.directory = os.path.join(lab.run_dir, "pki")
        os.makedirs(self.directory, exist_ok=True)
        self.settings = os.path.join(self.directory, "strongswan.conf")
        with open(self.settings, "w") as f:
            f.write("pki { load = pem pkcs1 pkcs8 x509 pubkey openssl random }\n")
        self.key, self.certificate = self.path("ca.key"), self.path("ca.pem")
        self.generate(self.key)
        self.pki(self.certificate, "--self", "--ca", "--in", self.key, "--type", "ecdsa", "--dn", f"CN={name}")

    def path(self, name):
        return os.path.join(self.directory, name)

    def pki(self, to, *words):
        text = self.lab.command(["env", f"STRONGSWAN_CONF={self.settings}", PKI, *words, "--outform", "pem"])
        with open(to, "w", opener=lambda p, flags: os.open(p, flags, 0o600)) as f:
            f.write(text)

    def generate(self, key):
        self.pki(key, "--gen", "--type", "ecdsa", "--size", "256")

    def give(self, swan, name):
        """A key and a certificate for name (a subjectAltName) in the directories of swan; CERTIFICATE.pem there."""
        key = os.path.join(swan.directory, "private", f"{name}.key")
        self.generate(key)
        self.pki(os.path.join(swan.directory, "x509", f"{name}.pem"), "--issue", "--in", key, "--type", "ecdsa",
                 "--cacert", self.certificate, "--cakey", self.key, "--dn", f"CN={name}", "--san", name)
        with open(self.certificate) as f, open(os.path.join(swan.directory, "x509ca", "ca.pem"), "w") as to:
            to.write(f.read())
