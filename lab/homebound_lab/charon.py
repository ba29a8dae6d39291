"""A charon on a host: enough to begin with."""

import os

CONF = """charon-systemd {
	load = random nonce aes sha1 sha2 hmac kdf gcm gmp curve25519 pem pkcs1 x509 pubkey constraints kernel-netlink socket-default vici updown
	install_routes = %(routes)s
	process_route = yes
	plugins {
		vici { socket = unix://%(socket)s }
		%(plugins)s
	}
	journal { default = -1 }
	filelog { log { path = %(log)s
		time_format = %%s
		time_add_ms = yes
		flush_line = yes
		default = 1
		ike = 2
		knl = 2
	} }
	%(more)s
}
"""


class Charon:
    def __init__(self, lab, host, swanctl, routes="no", more="", plugins=""):
        self.lab, self.host = lab, host
        self.socket = os.path.join(lab.run_dir, f"charon-{host}.vici")
        self.log = lab.path(f"charon-{host}.log")
        self.conf, self.swanctl = lab.path(f"strongswan-{host}.conf"), lab.path(f"swanctl-{host}.conf")
        with open(self.conf, "w") as f:
            f.write(CONF % {"socket": self.socket, "log": self.log, "routes": routes, "more": more, "plugins": plugins})
        with open(self.swanctl, "w") as f:
            f.write(swanctl)

    def start(self):
        self.process = self.host.start(f"charon-{self.host}", ["env", "STRONGSWAN_CONF=" + self.conf,
                                                               "/usr/sbin/charon-systemd"],
                                       self.lab.path(f"charon-{self.host}.out"))
        self.lab.until(lambda: os.path.exists(self.socket) and self.ctl("--stats", check=False), 20, "charon's vici", step=0.1)
        self.ctl("--load-all", "--file", self.swanctl)
        return self

    def ctl(self, *words, check=True):
        return self.host.command(["env", "STRONGSWAN_CONF=" + self.conf, "swanctl", *words, "--uri",
                                  "unix://" + self.socket], check=check)
