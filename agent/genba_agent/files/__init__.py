"""Files of the workspace, for clients: one request on each stream of the kind "files".

* `disk`: what is done to the disk; blocks
* `parts`: a file that is written beside its place, then takes it
* `searching`: which lines hold a text, by ripgrep or by `search_process`; `patterns`, `globs`: what both read alike;
  `output_lines`: what they write
* `watching`: what changes in a folder, by inotify; `polling`: by looking; `watch_streams`: which of them for a client
* `streams`: requests and their answers
"""
