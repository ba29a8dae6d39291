-- SPDX-License-Identifier: GPL-2.0-or-later
-- Wireshark and tshark: messages of the VPN Connectivity Manager, vcm-protocol(7).
--   tshark -X lua_script:homebound-vcm.lua -r CAPTURE
-- Keys are shown by their lengths; the preference hbvcm.secrets shows them.

local hbvcm = Proto("hbvcm", "Homebound VPN Connectivity Manager")
hbvcm.prefs.secrets = Pref.bool("Show keys", false, "Keys, Kcn and nonces as octets, not only their lengths")
hbvcm.prefs.port = Pref.uint("UDP port", 27960, "Port of all sides; the next one is that of probes")

local types = {[1] = "HELLO", [2] = "ACK", [3] = "REPORT", [4] = "PLACE", [5] = "INVITE", [6] = "PUBLIC", [7] = "OFFER", [8] = "READY",
	[9] = "PEER-READY", [10] = "ACTIVE", [11] = "END", [12] = "DOWN", [13] = "PROBE", [14] = "PROBE-REPLY", [15] = "CLOSE"}
local statuses = {[0] = "ok", "unknown-session", "refused", "spi-taken", "no-resources", "unsupported", "malformed", "not-ready", "not-outside"}
local reasons = {[0] = "by-hand", "inside", "idle", "path", "lifetime", "revoked", "restart", "peer", "sequence", "shutdown", "policy"}
local options = {[0] = "Pad1", "PadN", "STATUS", "NODE", "PAIR", "CORRESPONDENT", "SESSION", "PEER", "ALGORITHM", "SA", "LIFETIME", "KCN",
	"PUBLIC", "SALT", "REASON", "NONCE", "COUNTERS"}
local triggers = {[1] = "the second one left", [2] = "new session outside"}
local directions = {[1] = "in", [2] = "out"}

local f = {
	version = ProtoField.uint8("hbvcm.version", "Version"),
	type = ProtoField.uint8("hbvcm.type", "Type", base.DEC, types),
	length = ProtoField.uint16("hbvcm.length", "Length"),
	sequence = ProtoField.uint32("hbvcm.sequence", "Sequence"),
	epoch = ProtoField.uint64("hbvcm.epoch", "Sender's epoch", base.HEX),
	peer_epoch = ProtoField.uint64("hbvcm.peer_epoch", "Receiver's epoch", base.HEX),
	option = ProtoField.uint8("hbvcm.option", "Option", base.DEC, options),
	option_length = ProtoField.uint8("hbvcm.option.length", "Length"),
	status = ProtoField.uint8("hbvcm.status", "Status", base.DEC, statuses),
	outside = ProtoField.bool("hbvcm.node.outside", "Outside", 8, nil, 0x80),
	internal = ProtoField.ipv6("hbvcm.node.internal", "Internal address"),
	home = ProtoField.ipv6("hbvcm.node.home", "Home address"),
	trigger = ProtoField.uint8("hbvcm.pair.trigger", "Trigger", base.DEC, triggers),
	pair_a = ProtoField.ipv6("hbvcm.pair.a", "Internal address"),
	pair_b = ProtoField.ipv6("hbvcm.pair.b", "Internal address"),
	corr_node = ProtoField.ipv6("hbvcm.correspondent.node", "Node"),
	corr = ProtoField.ipv6("hbvcm.correspondent.address", "Correspondent"),
	session = ProtoField.uint64("hbvcm.session", "Session", base.HEX),
	generation = ProtoField.uint32("hbvcm.generation", "Generation"),
	peer_internal = ProtoField.ipv6("hbvcm.peer.internal", "Peer's internal address"),
	peer_home = ProtoField.ipv6("hbvcm.peer.home", "Peer's home address"),
	algorithm = ProtoField.string("hbvcm.algorithm", "Algorithm"),
	direction = ProtoField.uint8("hbvcm.sa.direction", "Direction", base.DEC, directions),
	spi = ProtoField.uint32("hbvcm.sa.spi", "SPI", base.HEX),
	key_len = ProtoField.uint8("hbvcm.sa.key_length", "Octets of the key"),
	key = ProtoField.bytes("hbvcm.sa.key", "Key"),
	lifetime = ProtoField.uint32("hbvcm.lifetime", "Lifetime (s)"),
	linger = ProtoField.uint32("hbvcm.linger", "Inbound kept for longer (s)"),
	kcn_len = ProtoField.uint8("hbvcm.kcn.length", "Octets of Kcn"),
	kcn = ProtoField.bytes("hbvcm.kcn", "Kcn and nonces"),
	public = ProtoField.bytes("hbvcm.public", "Public key"),
	salt = ProtoField.bytes("hbvcm.salt", "Salt"),
	reason = ProtoField.uint8("hbvcm.reason", "Reason", base.DEC, reasons),
	nonce = ProtoField.bytes("hbvcm.nonce", "Nonce"),
	packets_in = ProtoField.uint64("hbvcm.packets_in", "Packets received"),
	packets_out = ProtoField.uint64("hbvcm.packets_out", "Packets sent"),
}
hbvcm.fields = f

local malformed = ProtoExpert.new("hbvcm.malformed", "An option is not as it should be", expert.group.MALFORMED, expert.severity.ERROR)
hbvcm.experts = {malformed}

-- Least and most octets of the data, and what to show of it.
local read = {
	[2] = {1, 1, function(t, d) t:add(f.status, d(0, 1)) end},
	[3] = {34, 34, function(t, d) t:add(f.outside, d(0, 1)); t:add(f.internal, d(2, 16)); t:add(f.home, d(18, 16)) end},
	[4] = {34, 34, function(t, d) t:add(f.trigger, d(0, 1)); t:add(f.pair_a, d(2, 16)); t:add(f.pair_b, d(18, 16)) end},
	[5] = {32, 32, function(t, d) t:add(f.corr_node, d(0, 16)); t:add(f.corr, d(16, 16)) end},
	[6] = {12, 12, function(t, d) t:add(f.session, d(0, 8)); t:add(f.generation, d(8, 4)) end},
	[7] = {32, 32, function(t, d) t:add(f.peer_internal, d(0, 16)); t:add(f.peer_home, d(16, 16)) end},
	[8] = {1, 31, function(t, d) t:add(f.algorithm, d()) end},
	[9] = {5, 137, function(t, d)
		t:add(f.direction, d(0, 1)); t:add(f.spi, d(1, 4)); t:add(f.key_len, d(), d:len() - 5):set_generated()
		if hbvcm.prefs.secrets and d:len() > 5 then t:add(f.key, d(5)) end
	end},
	[10] = {8, 8, function(t, d) t:add(f.lifetime, d(0, 4)); t:add(f.linger, d(4, 4)) end},
	[11] = {0, 195, function(t, d)
		if d:len() == 0 then t:append_text(", derived"); return end
		t:add(f.kcn_len, d(0, 1))
		if hbvcm.prefs.secrets and d:len() > 3 then t:add(f.kcn, d(3)) end
	end},
	[12] = {32, 32, function(t, d) t:add(f.public, d()) end},
	[13] = {32, 32, function(t, d) t:add(f.salt, d()) end},
	[14] = {1, 1, function(t, d) t:add(f.reason, d(0, 1)) end},
	[15] = {16, 16, function(t, d) t:add(f.nonce, d()) end},
	[16] = {16, 16, function(t, d) t:add(f.packets_in, d(0, 8)); t:add(f.packets_out, d(8, 8)) end},
}

local function dissect_options(tvb, tree, at)
	while at < tvb:len() do
		local kind = tvb(at, 1):uint()
		if kind == 0 then
			tree:add(f.option, tvb(at, 1))
			at = at + 1
		elseif at + 2 > tvb:len() or at + 2 + tvb(at + 1, 1):uint() > tvb:len() then
			tree:add_proto_expert_info(malformed)
			return
		else
			local len = tvb(at + 1, 1):uint()
			local sub = tree:add(f.option, tvb(at, 1))
			local row = read[kind]
			sub:add(f.option_length, tvb(at + 1, 1))
			if row and (len < row[1] or len > row[2]) then
				sub:add_proto_expert_info(malformed)
			elseif row and len > 0 then
				row[3](sub, tvb(at + 2, len):tvb())
			elseif row then
				row[3](sub, tvb(at, 0):tvb())
			end
			at = at + 2 + len
		end
	end
end

function hbvcm.dissector(tvb, pinfo, root)
	if tvb:len() < 24 or tvb(0, 1):uint() ~= 1 or tvb(2, 2):uint() ~= tvb:len() then return 0 end
	local tree = root:add(hbvcm, tvb())
	local name = types[tvb(1, 1):uint()] or "unknown"
	pinfo.cols.protocol = "VCM"
	pinfo.cols.info = name .. ", sequence " .. tvb(4, 4):uint()
	tree:append_text(", " .. name)
	tree:add(f.version, tvb(0, 1)); tree:add(f.type, tvb(1, 1)); tree:add(f.length, tvb(2, 2)); tree:add(f.sequence, tvb(4, 4))
	tree:add(f.epoch, tvb(8, 8)); tree:add(f.peer_epoch, tvb(16, 8))
	dissect_options(tvb, tree, 24)
	return tvb:len()
end

local ports = DissectorTable.get("udp.port")
ports:add(27960, hbvcm)
ports:add(27961, hbvcm)
local used = 27960
function hbvcm.prefs_changed()
	if hbvcm.prefs.port == used then return end
	for i = 0, 1 do ports:remove(used + i, hbvcm); ports:add(hbvcm.prefs.port + i, hbvcm) end
	used = hbvcm.prefs.port
end
