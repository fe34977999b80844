"""Data carriers: dialling them, the links that outlive them, and streams to TCP ports.

* dialling.py: carries out the gateway's "dial" commands
* links.py: the links of this process, by id; greets new carriers
* purposes.py: which kinds of streams a client's ticket allows
* tcp.py: streams to a port of the workspace
"""
