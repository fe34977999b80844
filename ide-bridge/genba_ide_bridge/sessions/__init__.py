"""Sessions in a workspace through its agent.

* `byte_session`: the bytes of two local descriptors on such a link, as `genba ssh --stdio` joins them
* `local_bytes`: reading and writing these descriptors, with `polled_bytes` and `threaded_bytes` for the kinds there are
* `agent_link`: one link to an agent, dialled again and resumed for as long as it takes
* `redial`: how long to wait between attempts
* `refusals`: which of the gateway's answers a redial waits out, and which end a session
* `tunnel`: streams on such a link, opened whenever there is a way
* `tunnels`: several of those, so that what is opened beside a download waits for nothing
* `files`: files of the workspace
* `copying`: files and folders, copied either way; `local_files` is its part on this machine's disk
* `forwards`: local ports and sockets, each connection joined to a stream
* `measuring`: round trips and throughput of such a link
* `terminal`: a terminal on such a link, which survives outages of the network and of the gateway
"""
