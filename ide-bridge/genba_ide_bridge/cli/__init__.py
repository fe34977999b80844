"""The `genba` command line.

* `main`: the command of all programs: a table from subcommand to function, imported when called
* `options`: global flags and their environment; `session`: the folder with `url` and `session`
* `command`: what our own click commands share; `running`: from a command to the gateway, and errors into exit codes
* `output`: tables and JSON; `prompts`: questions on a terminal; `progress`: what a job does now
* `parameters`: values for a build; `durations`, `schedules`: how people write times
* `archive`: a template's folder as a tar; `machine_stat`: how busy this machine is
* `own_command`: how this program is started again; `opener`: links for the desktop
* `commands/`: one module per noun
"""
