"""What the Makefile calls. `setup` uses the standard library only; the others run in the environment it made.

* `setup`, `environment`, `progress`, `failures`: make the environment, with one sentence for each way it can fail
* `run`, `sign_in`, `smoke`: the main job, kept running or thrown away
* `gateway_process`, `api_session`, `genba_command`, `first_admin`, `demo_workspace`, `leftovers`: what those do it with
"""
