"""Terminals: programs on ptys that outlive those who look at them.

sessions            the handler of "pty" streams: finds or starts a session, ends it when nobody came back
session, viewer     one program and the streams that show it; who lags behind catches up from the scrollback
scrollback          the last output, for those who come later
pty_process         the pty's fds and the program's end, on the event loop
spawning            opens a pty and starts a program on it as the leader of a session
commands            what to start: the login shell or a command, and the message of the day
session_members     what else lives in a program's session
"""
