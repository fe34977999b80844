"""What people send along when they ask for help.

* `redaction`: takes secrets out of texts, JSON and the environment
* `bundle`: gathers what the gateway and this machine know of a workspace, in a zip
"""
