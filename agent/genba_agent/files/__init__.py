"""Files of the workspace, for clients: one request on each stream of the kind "files".

* `disk`: what is done to the disk; blocks
* `parts`: a file that is written beside its place, then takes it
* `searching`: which lines hold a text
* `watching`: what changes in a folder
* `streams`: requests and their answers
"""
