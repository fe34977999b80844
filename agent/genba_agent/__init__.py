"""The agent: runs inside a workspace and dials out to the gateway.

main, options, reaper       the program: flags, environment, signals, duties of process 1
agent, workspace            composition: what runs before and after the manifest is known
connection                  the control websocket, whose life is the agent's status
api, retry, backoff         typed calls, and how they outlive an absent gateway
lifecycle*                  the lifecycle's state machine, and its reporter
scripts, script_*, cron, child_process          start, stop and scheduled scripts
line_splitter, log_* from a script's pipe to the gateway, nothing lost
metadata, stats, app_health what is measured and reported
environment, user, data_dir what programs of the user see
gitssh                      `genba gitssh`: git over SSH with the owner's key
"""
