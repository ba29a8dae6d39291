"""Scenarios: files in lab/scenarios, each with TITLE, KEYS, run(lab) and judge(evidence)."""

import importlib.util
import os
import types

LAB = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DIRECTORY = os.path.join(LAB, "scenarios")


class BadScenario(Exception):
    """Something the user typed is wrong; the text says what would be right."""


class Key:
    """A scenario's key: its default (which also gives the type), choices, and a word of help."""

    def __init__(self, default, help, choices=None):
        self.default, self.help, self.choices = default, help, choices

    def read(self, name, text):
        if isinstance(self.default, bool):
            if text not in ("yes", "no"):
                raise BadScenario(f"{name}={text}: say {name}=yes or {name}=no")
            return text == "yes"
        try:
            value = type(self.default)(text)
        except ValueError:
            raise BadScenario(f"{name}={text}: a number is wanted, such as {name}={self.default}")
        if self.choices and value not in self.choices:
            raise BadScenario(f"{name}={text}: one of {', '.join(map(str, self.choices))}")
        return value


# Of every scenario that does not say IPSEC = False; see ipsec.py and watcher.py
IPSEC_KEYS = {
    "ipsec": Key("none", "how signalling between node and home agent is protected", ("none", "manual", "strongswan")),
    "payload": Key(False, "with IPsec: whether all packets in the tunnel are protected as well"),
    "arrangement": Key("migrate", "where the tunnel's SA ends: at the care-of address, moved with it, or at the home address",
                       ("migrate", "home-address")),
    "algorithm": Key("aes-gcm-128", "with ipsec=manual: the algorithm of all SAs",
                     ("aes-gcm-128", "aes-gcm-256", "chacha20-poly1305", "aes-cbc-128-hmac-sha256",
                      "aes-cbc-256-hmac-sha512")),
}


def names():
    return sorted(f[:-3] for f in os.listdir(DIRECTORY) if f.endswith(".py") and f[0] != "_")


def load(name):
    path = os.path.join(DIRECTORY, name + ".py")
    if not os.path.exists(path):
        raise BadScenario(f"there is no scenario {name}; there are: {', '.join(names())}")
    spec = importlib.util.spec_from_file_location("scenario_" + name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if getattr(module, "IPSEC", True):
        module.KEYS = {**IPSEC_KEYS, **module.KEYS}
    return module


def read_seeds(text):
    """'7' -> [7], '1-200' -> [1, ..., 200]."""
    first, dash, last = text.partition("-")
    try:
        seeds = list(range(int(first), int(last if dash else first) + 1))
    except ValueError:
        seeds = []
    if not seeds:
        raise BadScenario(f"seed={text}: say a number, or a range such as seed=1-200")
    return seeds


def read_keys(module, words):
    """Words 'key=value' into (keys with the defaults filled in, seeds)."""
    keys = {name: key.default for name, key in module.KEYS.items()}
    seeds = [1]
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise BadScenario(f"{word}: say key=value")
        if name == "seed":
            seeds = read_seeds(text)
        elif name in module.KEYS:
            keys[name] = module.KEYS[name].read(name, text)
        else:
            raise BadScenario(f"{name}: no such key; keys are: {', '.join(sorted(['seed', *module.KEYS]))}")
    return keys, seeds


def as_namespace(keys, seed):
    return types.SimpleNamespace(**keys, seed=seed)
