# SPDX-License-Identifier: GPL-2.0-or-later
"""mip6ctl, against the daemon's own control socket and protocol core (ctl_daemon.c).

ctl/NAME.session is a script, ctl/NAME.out what a user would see.  In a script
    = TEXT      is a line of the configuration (SOCKET stands for the socket, KEYS for a file of keys)
    & ARGS      runs mip6ctl beside the others; its output comes last
    $ ARGS      runs mip6ctl
    > COMMAND   tells the daemon what arrives
Process numbers and wall-clock times are replaced, as they are other ones each time.

HOMEBOUND_BUILD is the build folder.  After a change of wording: HOMEBOUND_GOLDEN=write, then read the difference.
"""
import json
import os
import pathlib
import pty
import re
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time

import pytest

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("HOMEBOUND_BUILD", HERE.parent.parent / "build"))
MIP6CTL = os.environ.get("MIP6CTL", str(BUILD / "ctl" / "mip6ctl"))
DAEMON = os.environ.get("CTL_DAEMON", str(BUILD / "tests" / "golden" / "ctl_daemon"))
VCM_DAEMON = str(BUILD / "tests" / "golden" / "vcm_daemon")  # of sessions whose name begins with vcm
WRITE = os.environ.get("HOMEBOUND_GOLDEN") == "write"
SESSIONS = sorted((HERE / "ctl").glob("*.session"))
NOBODY = 65534
HA = ('role = "home-agent"; control = { socket = "SOCKET"; GROUP }; home_agent = { address = "2001:db8:1::1000"; '
      'home_prefixes = ( "2001:db8:1::/64" ); max_bindings = 200000; ipsec = "none"; };')

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture
def place():
    """A folder with a short name: that of a socket has 107 characters at most."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="mip6ctl-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


class Daemon:
    def __init__(self, place, config, program=DAEMON, **kw):
        self.socket = place / "s"
        self.ask = ("vcm", "status") if program == VCM_DAEMON else ("status",)
        conf = place / "mip6d.conf"
        conf.write_text(config.replace("SOCKET", str(self.socket)).replace("KEYS", str(place / "keys"))
                        .replace("PLACE", str(place)))
        self.process = subprocess.Popen([program, str(conf)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, **kw)
        self.expect("ready")

    def expect(self, word):
        line = self.process.stdout.readline()
        assert line == word + "\n", self.process.stderr.read()

    def tell(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        self.expect("ok")

    def stop(self):
        self.process.stdin.close()
        errors = self.process.stderr.read()
        assert self.process.wait(timeout=20) == 0, errors
        return errors

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if self.process.poll() is not None:
            return
        if kind:
            self.process.kill()
            self.process.wait()
        else:
            self.stop()


def mip6ctl(path, *args, **kw):
    program = MIP6CTL
    if "user" in kw:  # who must not need to read the folder that all this was built in, such as /root
        program = shutil.copy(MIP6CTL, path.parent / "mip6ctl")
    return subprocess.run([program, "-s", str(path), *args], capture_output=True, text=True, timeout=60, **kw)


class Raw:
    """A client that is no mip6ctl."""

    def __init__(self, path):
        self.s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.s.settimeout(20)
        self.s.connect(str(path))
        self.file = self.s.makefile("rb")

    def send(self, text):
        self.s.sendall(text if isinstance(text, bytes) else text.encode())
        return self

    def answer(self):
        return json.loads(self.file.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.s.close()


# ---- golden sessions ----

def same_each_time(text):
    text = re.sub(r"process \d+", "process PID", text)
    text = re.sub(r'"pid": \d+', '"pid": PID', text)
    text = re.sub(r'"added": \d{10}', '"added": TIME', text)
    text = re.sub(r'"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"', '"time":"TIME"', text)
    return re.sub(r"^\d\d:\d\d:\d\d\.\d{3}", "TIME", text, flags=re.M)


def monitor(path, args):
    p = subprocess.Popen([MIP6CTL, "-s", str(path), *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return p


def write_keys(path):
    lines = "".join(mip6ctl(path, "ipsec", "keys", home, "2001:db8:1::1000").stdout
                    for home in ("2001:db8:1::100", "2001:db8:1::20"))
    path.touch(0o600)
    path.write_text(lines)


def run_session(script, place):
    lines = script.read_text().splitlines()
    config = "\n".join(line[2:] for line in lines if line.startswith("="))
    out, beside = [], []
    if "KEYS" in config:
        write_keys(place / "keys")
    with Daemon(place, config, VCM_DAEMON if script.stem.startswith("vcm") else DAEMON) as daemon:
        for line in lines:
            kind, rest = line[:1], line[2:]
            if kind in "#>&":
                out.append(line)
            if kind == ">":
                daemon.tell(rest)
            elif kind == "&":
                beside.append((rest, monitor(daemon.socket, shlex.split(rest))))
                wait_for_monitors(daemon, len(beside))
            elif kind == "$":
                got = mip6ctl(daemon.socket, *shlex.split(rest))
                out += [line, got.stdout + got.stderr + (f"[{got.returncode}]" if got.returncode else "")]
        daemon.stop()
        for rest, p in beside:
            stdout, stderr = p.communicate(timeout=20)
            out += [f"& {rest}", stdout + stderr + f"[{p.returncode}]"]
    return same_each_time("\n".join(out) + "\n").replace(str(place), "PLACE")


def wait_for_monitors(daemon, n):
    """Until n clients are there: /proc/net/unix has a line for each end at our path."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        # connected sockets of the listener's side carry its path; state 03 is connected
        with open("/proc/net/unix") as f:
            there = [x for x in f if x.rstrip().endswith(" " + str(daemon.socket)) and x.split()[5] == "03"]
        if len(there) >= n and answered(daemon):
            return
    raise AssertionError("the monitors do not come")


def answered(daemon):
    """The daemon works off its clients in turn; behind an answer to us, the requests before ours are done."""
    return mip6ctl(daemon.socket, *daemon.ask).returncode == 0


@pytest.mark.parametrize("script", SESSIONS, ids=lambda p: p.stem)
def test_session(script, place):
    got = run_session(script, place)
    expected = script.with_suffix(".out")
    if WRITE:
        expected.write_text(got)
    assert got == expected.read_text()


# ---- where there is no daemon ----

def test_no_daemon(place):
    got = mip6ctl(place / "none", "status")
    assert (got.returncode, got.stdout) == (3, "")
    assert "mip6d is not running" in got.stderr and "-s" in got.stderr


def test_usage():
    got = subprocess.run([MIP6CTL], capture_output=True, text=True)
    assert got.returncode == 2 and got.stderr.startswith("usage: ")
    got = subprocess.run([MIP6CTL, "help"], capture_output=True, text=True)
    assert got.returncode == 0 and "bindings" in got.stdout
    assert subprocess.run([MIP6CTL, "--version"], capture_output=True).returncode == 0


def test_config_check():
    bad = HERE / "bad" / "59-lifetime-not-of-four.conf"
    got = subprocess.run([MIP6CTL, "config", "check", bad.name], cwd=bad.parent, capture_output=True, text=True)
    assert (got.returncode, got.stdout, got.stderr) == (1, "", bad.with_suffix(".err").read_text())
    got = subprocess.run([MIP6CTL, "-j", "config", "check", bad.name], cwd=bad.parent, capture_output=True, text=True)
    assert json.loads(got.stdout) == {"ok": False, "errors": bad.with_suffix(".err").read_text().splitlines()}
    good = HERE / "good" / "mn-minimal.conf"
    got = subprocess.run([MIP6CTL, "config", "check", good.name], cwd=good.parent, capture_output=True, text=True)
    assert (got.returncode, got.stdout, got.stderr) == (0, "mn-minimal.conf: correct, for a mobile-node\n", "")


# ---- who may ----

@needs_root
def test_root_only(place):
    with Daemon(place, HA.replace("GROUP", "")) as daemon:
        st = daemon.socket.stat()
        assert (stat.S_IMODE(st.st_mode), st.st_uid) == (0o600, 0)
        got = mip6ctl(daemon.socket, "status", user=NOBODY, group=NOBODY, extra_groups=[])
        assert got.returncode == 3 and "permission denied" in got.stderr and "control.group" in got.stderr
        # the mode alone is not what keeps strangers out
        daemon.socket.chmod(0o666)
        got = mip6ctl(daemon.socket, "status", user=NOBODY, group=NOBODY, extra_groups=[])
        assert (got.returncode, got.stderr) == (1, "mip6ctl: permission denied\n")
        assert mip6ctl(daemon.socket, *daemon.ask).returncode == 0


@needs_root
@pytest.mark.parametrize("ids", [dict(group=12345, extra_groups=[]), dict(group=NOBODY, extra_groups=[7, 12345])],
                         ids=["primary", "supplementary"])
def test_group(place, ids):
    with Daemon(place, HA.replace("GROUP", 'group = "12345"')) as daemon:
        st = daemon.socket.stat()
        assert (stat.S_IMODE(st.st_mode), st.st_uid, st.st_gid) == (0o660, 0, 12345)
        assert mip6ctl(daemon.socket, "status", user=NOBODY, **ids).returncode == 0
        got = mip6ctl(daemon.socket, "status", user=NOBODY, group=NOBODY, extra_groups=[])
        assert got.returncode == 3 and "permission denied" in got.stderr


def refused(place, config=HA.replace("GROUP", "")):
    with pytest.raises(AssertionError) as e:
        Daemon(place, config)
    return str(e.value)


def test_unknown_group(place):
    assert "there is no group nosuchgroup" in refused(place, HA.replace("GROUP", 'group = "nosuchgroup"'))


def test_second_daemon(place):
    with Daemon(place, HA.replace("GROUP", "")) as daemon:
        assert "another mip6d runs with this control socket" in refused(place)
        assert mip6ctl(daemon.socket, *daemon.ask).returncode == 0
    assert sorted(p.name for p in place.iterdir()) == ["mip6d.conf"]


def test_after_a_crash(place):
    first = Daemon(place, HA.replace("GROUP", ""))
    first.process.send_signal(signal.SIGKILL)
    first.process.wait()
    assert first.socket.exists()
    with Daemon(place, HA.replace("GROUP", "")) as daemon:
        assert mip6ctl(daemon.socket, *daemon.ask).returncode == 0


def test_not_a_socket(place):
    (place / "s").write_text("precious")
    assert "is not a socket; remove it" in refused(place)
    assert (place / "s").read_text() == "precious"


def test_socket_of_something_else(place):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.bind(str(place / "s"))
    s.listen()
    assert "something else answers" in refused(place)
    s.close()
    # now it is dead, and may be replaced
    with Daemon(place, HA.replace("GROUP", "")) as daemon:
        assert mip6ctl(daemon.socket, *daemon.ask).returncode == 0


# ---- the protocol ----

@pytest.fixture
def daemon(place):
    with Daemon(place, HA.replace("GROUP", "")) as d:
        yield d


@pytest.mark.parametrize("request_line, error", [
    ("hello", "not JSON"),
    ("{", "not JSON"),
    ("", "not JSON"),
    ("[]", 'a request is an object with a "verb"'),
    ("{}", 'a request is an object with a "verb"'),
    ('{"verb":7}', 'a request is an object with a "verb"'),
    ('{"verb":"dance"}', "there is no verb dance"),
    ('{"verb":"status","verb":"stats"}', "not JSON"),
    ('{"verb":"status","home_address":"::1"}', "status does not know the argument home_address"),
    ('{"verb":"bindings","home_address":7}', "home_address must be an IPv6 address"),
    ('{"verb":"bindings","home_address":"2001:db8::x"}', "home_address must be an IPv6 address"),
    ('{"verb":"remove"}', "home_address is missing"),
    ('{"verb":"status"} trailing', "not JSON"),
    ('{"verb":"sta\\u0000tus"}', "not JSON"),
    ("[" * 3000, "not JSON"),
], ids=range(15))
def test_bad_request(daemon, request_line, error):
    with Raw(daemon.socket) as c:
        got = c.send(request_line + "\n").answer()
        assert got["ok"] is False and error in got["error"]
        # the connection lives on
        assert c.send('{"verb":"status"}\n').answer()["ok"] is True


def test_requests_in_a_row_and_in_pieces(daemon):
    daemon.tell("bu 2001:db8:1::100 2001:db8:5::1 1 600")
    with Raw(daemon.socket) as c:
        c.send('{"verb":"status"}\n{"verb":"bindings"}\n{"verb":"sta')
        assert c.answer()["data"]["role"] == "home-agent"
        assert c.answer()["data"][0]["home_address"] == "2001:db8:1::100"
        assert "home_agent" in c.send('ts"}\n').answer()["data"]


def test_answers_reach_who_has_said_all(daemon):
    """As "echo ... | socat - UNIX:..." does."""
    daemon.tell("many 3000")
    with Raw(daemon.socket) as c:
        c.send('{"verb":"status"}\n{"verb":"bindings"}\n')
        c.s.shutdown(socket.SHUT_WR)
        assert c.answer()["ok"]
        n, more = 0, True
        while more:
            a = c.answer()
            n, more = n + len(a["data"]), a.get("more", False)
        assert n == 3000
        assert c.file.readline() == b""


@pytest.mark.parametrize("end", ["", "\n"])
def test_too_long(daemon, end):
    with Raw(daemon.socket) as c:
        c.send('{"verb":"' + "a" * 5000 + '"}' + end)
        assert c.answer() == {"ok": False, "error": "the request is too long"}
        try:
            assert c.file.readline() == b""
        except ConnectionResetError:
            pass  # also a way of being closed: the rest of the request was not read


def test_too_many(daemon):
    clients = [Raw(daemon.socket) for _ in range(32)]
    for c in clients:
        assert c.send('{"verb":"status"}\n').answer()["ok"]
    with Raw(daemon.socket) as c:
        assert c.answer() == {"ok": False, "error": "too many connections; try again later"}
    clients.pop().__exit__()
    deadline = time.monotonic() + 20
    while mip6ctl(daemon.socket, "status").returncode != 0:
        assert time.monotonic() < deadline
    for c in clients:
        c.__exit__()


def test_slow_reader_of_a_list(daemon):
    """100,000 bindings to somebody who does not read: the others are served meanwhile, and it gets all when it does."""
    daemon.tell("many 100000")
    with Raw(daemon.socket) as slow:
        slow.send('{"verb":"bindings"}\n')
        begin = time.monotonic()
        assert mip6ctl(daemon.socket, *daemon.ask).returncode == 0
        assert time.monotonic() - begin < 5
        # one goes and one comes after the list was begun
        assert mip6ctl(daemon.socket, "remove", "2001:db8:1:0:1::1:869f").returncode == 0
        seen, more = set(), True
        while more:
            a = slow.answer()
            assert a["ok"] and len(a["data"]) <= 200
            seen |= {b["home_address"] for b in a["data"]}
            more = a.get("more", False)
        assert len(seen) == 99999
    assert mip6ctl(daemon.socket, "bindings").stdout.count("\n") == 100000


def test_slow_monitor_is_dropped(daemon):
    with Raw(daemon.socket) as lazy, Raw(daemon.socket) as keen:
        for c in (lazy, keen):
            assert c.send('{"verb":"monitor"}\n').answer() == {"ok": True, "data": None}
        events = 0
        for i in range(40):
            daemon.tell(f"bu 2001:db8:1::1 2001:db8:5::{i:x} {i} 600")
            keen_event = keen.answer()
            assert keen_event["event"] == ("binding-moved" if i else "binding-new")
            events += 1
        for i in range(40, 12000):
            daemon.tell(f"bu 2001:db8:1::1 2001:db8:5::{i:x} {i} 600")
            assert keen.answer()["seq"] == i
        n = 0
        while lazy.file.readline():
            n += 1
        assert events < n < 12000
    assert mip6ctl(daemon.socket, *daemon.ask).returncode == 0
    assert "dropped a monitor that does not read" in daemon.stop()


# ---- for eyes ----

def on_terminal(args, **env):
    here, there = pty.openpty()
    p = subprocess.Popen([MIP6CTL, *args], stdout=there, env={**os.environ, "TERM": "xterm", **env})
    os.close(there)
    text = b""
    while True:
        try:
            part = os.read(here, 65536)
        except OSError:
            break
        if not part:
            break
        text += part
    os.close(here)
    assert p.wait() == 0
    return text


def test_colour(daemon):
    args = ["-s", str(daemon.socket), "status"]
    env = {"NO_COLOR": ""}
    assert b"\033[" in on_terminal(args, **env)
    assert b"\033[" not in on_terminal(args, NO_COLOR="1")
    assert b"\033[" not in on_terminal(args, NO_COLOR="", TERM="dumb")
    assert "\033[" not in mip6ctl(*args[1:]).stdout


KCN, NONCES = "000102030405060708090a0b0c0d0e0f10111213", "1122334455667788 99aabbccddeeff00"


def test_shared_key(daemon):
    """A key comes by standard input; each pair needs its own, and it can be taken back."""
    pair = ("2001:db8:1::1000", "2001:db8:9::1")
    done = mip6ctl(daemon.socket, "kbm", "set", *pair, input=f"{KCN} {NONCES}\n")
    assert (done.returncode, done.stdout) == (0, f"{pair[0]} and {pair[1]} share a key\n"), done.stderr
    again = mip6ctl(daemon.socket, "kbm", "set", pair[0], "2001:db8:9::2", input=f"{KCN} {NONCES}\n")
    assert again.returncode == 1 and "this Kcn is another pair's already" in again.stderr
    short = mip6ctl(daemon.socket, "kbm", "set", *pair, input=f"{KCN[2:]} {NONCES}\n")
    assert short.returncode == 1 and "the Kcn must be 40 to 128" in short.stderr
    assert mip6ctl(daemon.socket, "kbm", "del", *pair).returncode == 0
    taken = mip6ctl(daemon.socket, "kbm", "set", pair[0], "2001:db8:9::2", input=f"{KCN} {NONCES}\n")
    assert taken.returncode == 0, "the Kcn is free again"


# ---- keys for the file of manual keys ----

HOME, AGENT = "2001:db8:1::100", "2001:db8:1::1000"


def new_keys(*args):
    return subprocess.run([MIP6CTL, "ipsec", "keys", *args], capture_output=True, text=True)


@pytest.mark.parametrize("algorithm, digits", [("aes-gcm-256", 72), ("aes-gcm-128", 40), ("chacha20-poly1305", 72),
                                               ("aes-cbc-256-hmac-sha512", 192)])
def test_new_keys(algorithm, digits):
    got = new_keys(HOME, AGENT, *([] if algorithm == "aes-cbc-256-hmac-sha512" else [algorithm]))
    assert (got.returncode, got.stderr) == (0, "")
    sas = [line.split() for line in got.stdout.splitlines()]
    assert [s[:3] for s in sas] == [[HOME, AGENT, "signal"], [AGENT, HOME, "signal"], [HOME, AGENT, "data"],
                                    [AGENT, HOME, "data"]]
    assert all(s[4] == algorithm and re.fullmatch(f"[0-9a-f]{{{digits}}}", s[5]) and len(s) == 6 for s in sas)
    assert len({s[5] for s in sas}) == 4 and len({int(s[3], 16) for s in sas}) == 4
    assert min(int(s[3], 16) for s in sas) >= 0x1000
    assert new_keys(HOME, AGENT).stdout != new_keys(HOME, AGENT).stdout


def test_new_keys_that_are_weak():
    got = new_keys(HOME, AGENT, "null-hmac-sha256")
    assert got.returncode == 0 and "weak" in got.stderr and len(got.stdout.splitlines()) == 4


@pytest.mark.parametrize("args, error", [
    ((HOME,), "usage:"),
    ((HOME, AGENT, "rot13"), "there is no algorithm rot13"),
    (("there", AGENT), "keys are for two addresses"),
    ((HOME, HOME), "are the same"),
    (("-j", HOME, AGENT), "usage:"),
], ids=range(5))
def test_no_new_keys(args, error):
    got = new_keys(*args)
    assert (got.returncode, got.stdout) == (2, "") and error in got.stderr


def test_new_keys_before_eyes():
    here, there = pty.openpty()
    got = subprocess.run([MIP6CTL, "ipsec", "keys", HOME, AGENT], stdout=there, stderr=subprocess.PIPE, text=True)
    os.close(there)
    os.close(here)
    assert got.returncode == 0 and "what follows is secret" in got.stderr


def test_new_keys_that_cannot_be_written():
    with open("/dev/full", "w") as full:
        got = subprocess.run([MIP6CTL, "ipsec", "keys", HOME, AGENT], stdout=full, stderr=subprocess.PIPE, text=True)
    assert got.returncode == 1 and "use none of these" in got.stderr


STRONGSWAN = HA.replace("GROUP", "").replace('"none"', '"strongswan"') + 'ipsec = { nodes = ( { home_address = "2001:db8:1::1"; connection = "a"; } ); };'


def test_too_many_differences(place):
    with Daemon(place, STRONGSWAN) as daemon:
        got = mip6ctl(daemon.socket, "ipsec", "check")
        lines = got.stdout.splitlines()
        assert got.returncode == 1 and len(lines) == 10001 and lines[-1] == "and 17 others"
        with Raw(daemon.socket) as c:
            first = c.send('{"verb":"ipsec","action":"check"}\n').answer()
            assert first["ok"] and first["more"] and len(first["data"]) == 400
            for action in ('', ',"action":"look"', ',"action":7'):
                while first.get("more"):
                    first = c.answer()
                assert "action must be" in c.send('{"verb":"ipsec"' + action + '}\n').answer()["error"]


ALGORITHMS = ["aes-gcm-128", "aes-gcm-256", "chacha20-poly1305", "aes-cbc-128-hmac-sha256", "aes-cbc-256-hmac-sha256",
              "aes-cbc-256-hmac-sha512", "aes-cbc-128-hmac-sha1", "3des-cbc-hmac-sha1", "null-hmac-sha256"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_new_keys_are_what_mip6d_wants(place, algorithm):
    """Weak ones only if asked for."""
    (place / "keys").touch(0o600)
    (place / "keys").write_text(new_keys(HOME, AGENT, algorithm).stdout)
    weak = ALGORITHMS.index(algorithm) >= 6
    for allow in (False, True):
        (place / "c").write_text(HA.replace("GROUP", "").replace("SOCKET", "/s").replace('"none"', '"manual"') + "ipsec = { allow_weak = " +
                                 f'{str(allow).lower()}; keys_file = "{place}/keys"; }};')
        got = subprocess.run([MIP6CTL, "config", "check", place / "c"], capture_output=True, text=True)
        assert got.returncode == (1 if weak and not allow else 0), got.stderr


# ---- vcmd ----

VCM = """control = { socket = "SOCKET"; };
address = "fd00:0:0:2::9"; gateways = ( "fd00:0:0:1::1" ); ipsec = { manager = "none"; };
store = { path = "PLACE/store"; key_file = "PLACE/key"; }; audit = { file = "PLACE/audit"; };
"""


def test_vcm_many_nodes(place):
    with Daemon(place, VCM, VCM_DAEMON) as daemon:
        daemon.tell("many 100000")
        got = mip6ctl(daemon.socket, "-j", "vcm", "contexts")
        nodes = [x["node"] for x in json.loads(got.stdout)]
        assert len(nodes) == len(set(nodes)) == 100004
        assert len(mip6ctl(daemon.socket, "vcm", "contexts").stdout.splitlines()) == 100005


def test_vcm_audit_log(place):
    """All that the socket and the log tell, and no secret of the sessions in it."""
    with Daemon(place, VCM, VCM_DAEMON) as daemon:
        daemon.tell("event session-offered")
        told = [mip6ctl(daemon.socket, "vcm", *args).stdout for args in (
            ["-j", "sessions"], ["-j", "contexts", "fd00:0:0:1::1"], ["revoke", "fd00:0:0:1::1"], ["-j", "stats"],
            ["rekey", "0123456789abcdef"], ["end", "fd00:0:0:1::1", "fd00:0:0:1::2"])]
    audit = place / "audit"
    assert stat.S_IMODE(audit.stat().st_mode) & 0o027 == 0
    lines = [json.loads(x) for x in audit.read_text().splitlines()]
    assert [x["event"] for x in lines] == ["session-offered", "by-hand", "by-hand", "by-hand"]
    assert [x.get("text") for x in lines][1:] == ["revoke fd00:0:0:1::1", "rekey 0123456789abcdef", "end 0123456789abcdef"]
    assert lines[0]["session"] == "0123456789abcdef" and lines[0]["spi_a"] == "0x11111111"
    assert len("".join(told)) > 1000
    for text in [audit.read_text(), *told]:
        assert not any(secret in text for secret in ("c7c7", "C7C7", "199199", "\xc7\xc7", "x8fH"))


def test_vcm_reload(place):
    with Daemon(place, VCM, VCM_DAEMON) as daemon:
        conf = place / "mip6d.conf"
        rule = 'pairs = ( { between = "any"; and = "any"; action = "%s"; } );\n'
        pair = ["vcm", "policy", "fd00:0:0:1::1", "fd00:0:0:1::2"]
        assert mip6ctl(daemon.socket, *pair).stdout.startswith("rule 1: allow")
        conf.write_text(conf.read_text() + rule % "deny")
        assert mip6ctl(daemon.socket, *pair).stdout.startswith("rule 1: allow")
        assert mip6ctl(daemon.socket, "vcm", "reload").returncode == 0
        assert mip6ctl(daemon.socket, *pair).stdout == "rule 1: deny\n"
        conf.write_text(conf.read_text() + rule % "allow")
        got = mip6ctl(daemon.socket, "vcm", "reload")
        assert got.returncode == 1 and "mip6d.conf:5" in got.stderr and "already there" in got.stderr
        assert mip6ctl(daemon.socket, *pair).stdout == "rule 1: deny\n"


def test_no_vcmd(place):
    got = mip6ctl(place / "none", "vcm", "status")
    assert got.returncode == 3 and "vcmd is not running: nobody listens on" in got.stderr
