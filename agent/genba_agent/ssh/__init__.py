"""The SSH server of a workspace: OpenSSH's peer at the far end of a stream.

Only `connection`, `unix_listener`, `ciphers`, `session` and `file_server` import asyncssh, and only the first session
imports them: it costs 18 MB.

* server.py: serves streams of the kind "ssh"; begins and ends connections
* connection.py: one SSH connection, with the ciphers and limits that we chose, and back-pressure
* unix_listener.py: unix sockets that lead to the client
* ciphers.py: which ciphers it offers
* transport.py: a stream as the transport of an asyncio protocol
* session.py: one channel of a connection that runs a program
* programs.py, piped_program.py, pty_program.py: those programs, on pipes or on a terminal
* pty_modes.py: the terminal settings that the client asks for
* file_server.py, disk_thread.py: the subsystem sftp
* session_environment.py: what programs of a session run with
* session_counts.py: who is there, for the statistics
* file_transfers.py: what `--block-file-transfer` refuses
* host_key.py, host_certificate.py: the server's identity
* banners.py: announcements of the deployment
"""
