"""The lab of Homebound: a network of name spaces on a real Linux kernel.

kernel      boot the User-Mode Linux kernel on the host's file system and watch it
inside      what runs inside: PID 1's only child; loads the scenario and runs it
scenario    find a scenario, read its keys
lab         what a scenario works with: hosts, cables, processes, waiting
netlink     name spaces and veth pairs without starting programs
picture     the network of the picture: core, home agent, access routers, node, radio
routers     router advertisements: radvd, or a responder that answers at once
daemons     configuration and control of mip6d
capture     one pcapng per link
flows       the traffic tool
evidence    judging a finished run: figures, assertions, result.json
packets     a quick reader of pcapng files; signalling as tshark reads it
"""
