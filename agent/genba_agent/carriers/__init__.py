"""Data carriers: dialling them, the links that outlive them, and streams to what listens in the workspace.

* dialling.py: carries out the gateway's "dial" commands
* links.py: the links of this process, by id; greets new carriers
* purposes.py: which kinds of streams a client's ticket allows
* tcp.py, unix.py: streams to a port or a socket of the workspace; accepting_joint.py is what both do
* guarding.py: what lets one stream fail alone
* udp.py: streams of datagrams
* ports.py: which ports the workspace listens on
* speed.py: streams that are measured
"""
