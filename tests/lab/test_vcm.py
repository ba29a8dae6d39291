"""Requirements V1 to V15 in the lab, embodiment 1, the manager a host of its own: two nodes leave the office while they talk, and
go on directly; somebody is killed; attackers."""

import os
import re
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader

import pytest
from conftest import BUILD, ROOT, passed

if not os.path.exists(os.path.join(BUILD, "vcm", "vcmd")):
    pytest.skip(f"{BUILD} has no vcmd", allow_module_level=True)

def runs(*texts):
    return pytest.mark.parametrize("words", [tuple(t.split()) for t in texts], ids=" ".join)


@pytest.mark.lab("vcm")
@runs("keys=symmetric", "keys=asymmetric", "where=gateway", "where=gateway keys=asymmetric", "embodiment=2",
      "embodiment=2 keys=asymmetric", "embodiment=2 where=gateway", "embodiment=2 where=gateway keys=asymmetric")
def test_whole_story(result, words):
    """Nothing is lost, repeated or readable; the path is direct as fast as the messages are; moves cost no message (V1 to V12)."""
    passed(result)
    f = result["figures"]
    assert (f["lost"], f["duplicated"], f["clear"], f["reused"], f["sg_payload_packets_while_direct"]) == (0, 0, 0, 0, 0)
    assert len(f["direct_gap_ms"]) == 4


@pytest.mark.lab("vcm", "keys=symmetric")
def test_what_is_shown(result, capsys):
    """The demonstration tells it in the order in which it happened, from the captures of a run."""
    loader = SourceFileLoader("show_vcm", os.path.join(ROOT, "tools", "show_vcm.py"))
    show_vcm = module_from_spec(spec_from_loader("show_vcm", loader))
    loader.exec_module(show_vcm)
    show_vcm.show(result["out"])
    text = capsys.readouterr().out
    times = [float(t) for t in re.findall(r"^ *([+-]\d+\.\d) ms", text, re.M)]
    assert len(times) == 9 and times == sorted(times) and 0 in times
    story = ["MN2: office -> link 4", "MN1: office -> link 1", "VCM gives MN1 keys", "MN1 can receive", "VCM tells MN2", "MN2 receives the first",
             "MN1: link 1 -> link 2, direct again", "directly, in the session's SAs", "MN1: link 3 -> office", "0  packets lost"]
    assert re.search(".*".join(map(re.escape, story)), text, re.S), text


@pytest.mark.lab("vcm")
@runs("kcn=no", "embodiment=2 kcn=no", "rtt=300", "rekey=60")
def test_other_ways(result, words):
    passed(result)


@pytest.mark.lab("vcm", "overlap=no")
@runs("seed=1", "rtt=300", "keys=asymmetric", "embodiment=2")
def test_one_link(result, words):
    """A node that has one link at a time is inside one round trip after its return, and only what was under way to the old link
    is lost."""
    passed(result)
    f = result["figures"]
    assert (f["lost"], f["duplicated"], f["clear"], len(f["inside_ms"])) == (0, 0, 0, 2)


@pytest.mark.lab("vcm", "overlap=no", "fake=yes")
def test_one_link_and_a_fake_office(result):
    passed(result)
    assert result["figures"]["clear"] == 0


@pytest.mark.lab("vcm", "ipsec=strongswan")
@runs("seed=2", "overlap=no", "overlap=no ike_rekey=6", "seed=1 keys=asymmetric", "manager_ipsec=strongswan", "embodiment=2 overlap=no", "embodiment=2 ike_rekey=6 where=gateway")
def test_strongswan(result, words):
    """V13: SAs of node and gateway, or of a home registration, that charons make, and replace, lose nothing either. A node that
    leaves the office has them, also where the way out is the link that it had not before."""
    passed(result)
    assert (result["figures"]["lost"], result["figures"]["clear"]) == (0, 0)


@pytest.mark.lab("vcm", "ipsec=strongswan")
@runs("kill=charon-sg seed=3", "kill=charon-mn1 seed=2")
def test_strongswan_dies(result, words):
    """V14"""
    passed(result)
    assert result["figures"]["clear"] == 0


@pytest.mark.lab("vcm")
@runs("kill=vcm seed=1", "kill=mn1 seed=2", "embodiment=2 kill=sg seed=1", "embodiment=2 where=gateway kill=mn2 seed=2")
def test_somebody_dies(result, words):
    """V14: nothing becomes readable, and the path is direct again."""
    passed(result)
    assert (result["figures"]["clear"], result["figures"]["lost"]) == (0, 0)


@pytest.mark.lab("vcm", "loss=20")
@runs("seed=3", "seed=6")
def test_lossy_core(result, words):
    """V14: each link of the core loses a fifth of all packets; the session comes, and a path that works is not taken for dead."""
    passed(result)
    assert (result["figures"]["clear"], result["figures"]["lost"]) == (0, 0)
    assert result["figures"]["lost_by_core"] > 0


@pytest.mark.lab("vcm", "fake=yes")
def test_fake_office(result):
    """V2: a link that looks like the office does not make a node talk in clear."""
    passed(result)
    assert result["figures"]["clear"] == 0


@pytest.mark.lab("vcm", "fake=yes", "embodiment=2")
def test_fake_home(result):
    """V2: nor does one that looks like home; its router leads nowhere, so packets are lost there."""
    f = result["figures"]
    assert (f["clear"], f["reused"], f["keys_in_files"]) == (0, 0, 0)


@pytest.mark.lab("vcm_attacks")
@runs("embodiment=1", "embodiment=2 keys=asymmetric where=gateway")
def test_attacks(result, words):
    passed(result)
    assert result["figures"]["tried"] == 8


@pytest.mark.lab("vcm_mend")
@runs("embodiment=1", "embodiment=2")
def test_somebody_meddles(result, words):
    """V14, M6: what somebody changes or deletes of a session is told and mended, or the session ends and comes again."""
    passed(result)


@pytest.mark.lab("vcm_pairs")
@runs("packets=20", "embodiment=2", "embodiment=2 office_ms=7", "where=gateway keys=asymmetric")
def test_three_nodes(result, words):
    """V5: two that are outside begin; V12: one way only; V14: revoked, denied, idle, new keys; V11: all return at once. No key is in
    any file, whatever the daemons log."""
    passed(result)
    f = result["figures"]
    assert (f["lost"], f["duplicated"], f["clear"], f["sg_payload_packets_while_direct"], f["keys_in_files"]) == (0, 0, 0, 0, 0)


@pytest.mark.lab("vcm_takeover")
@runs("embodiment=1")
def test_pairs_are_taken_over(result, words):
    """V14: SA pairs with manual keys go on over kill -9, with numbers that were not used before, and nothing is lost."""
    passed(result)
    assert result["figures"]["killed"] == 6
