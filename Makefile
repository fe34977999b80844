# Every target sets itself up first: scripts/setup.sh finds a Python, makes the environment once, and links it to
# this clone as .genba/venv (docs/decisions/0001-environment.md). `make help` lists the targets.

SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# A user's own paths must not reach into the environment. Without bytecode on disk every program started here would
# compile all of its libraries first: two seconds for a gateway.
unexport PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE

export PYTHON
PY := .genba/venv/bin/python
UV ?= uv
SOURCES := wire gateway agent ide-bridge tests scripts $(patsubst %/__main__.py,%,$(wildcard bench/__main__.py))
PYTEST := $(PY) -m pytest -q
# End-to-end tests wait for programs half of their time, so that two cores have work for three. A module is one worker's,
# which makes once what its tests share. The modules begin in their order: the long ones of whole programs first, the
# many short ones of units last, of which the last is soon done whoever gets it.
SPREAD := -n $(or $(WORKERS),3) --dist loadfile --no-loadscope-reorder
# Units are work for the processor alone. A worker that is done takes half of what is left of the other's.
SPREAD_UNITS := -n $(or $(WORKERS),2) --dist worksteal

.PHONY: help agent setup setup-run setup-for-run setup-for-smoke run sign-in smoke check format test unit soak vsix lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

setup: ## make the environment for work on Genba: the programs, the checks, the tests
	@sh scripts/setup.sh dev
	@$(PY) -m scripts.vendor_assets

setup-run:
	@sh scripts/setup.sh run
	@$(PY) -m scripts.vendor_assets

setup-for-run setup-for-smoke:
	@sh scripts/setup.sh run $(@:setup-for-%=%)
	@$(PY) -m scripts.vendor_assets

run: setup-for-run ## gateway, first admin and a demo workspace on this machine; LISTEN=HOST:PORT or PORT=N to move it
	@$(PY) -m scripts.run $(if $(LISTEN),--listen $(LISTEN),$(if $(PORT),--listen 127.0.0.1:$(PORT)))

sign-in: setup-run ## print a fresh one-time sign-in link of the gateway that `make run` serves
	@$(PY) -m scripts.sign_in

smoke: setup-for-smoke ## the main job in a throw-away folder, from nothing to cleaned up; one line of JSON
	@$(PY) -m scripts.smoke

agent: setup-run ## assemble the executable that workspaces download, for this machine; ARCH='amd64 arm64'
	@$(PY) -m scripts.build_agent $(ARCH)

check: setup ## format, lint, types, import rules
	.genba/venv/tools/ruff format --check .
	.genba/venv/tools/ruff check .
	.genba/venv/tools/mypy $(SOURCES)
	PYRIGHT_PYTHON_IGNORE_WARNINGS=1 .genba/venv/tools/pyright --pythonpath $(PY)
	PYTHONPATH=wire:gateway:agent:ide-bridge .genba/venv/tools/lint-imports
	@$(PY) -m scripts.check_extension

format: setup ## let ruff format the code and mend what it can
	.genba/venv/tools/ruff format .
	.genba/venv/tools/ruff check --fix .

# A test that hangs ends by its own limit. The session's is for one that cannot, on a machine half as fast as ours.
test: setup ## all tests but the long ones (25 minutes at most)
	$(PYTEST) tests -m 'not soak' $(SPREAD) --session-timeout=3000 $(ARGS)

unit: setup ## the fast tests, for the inner loop (a minute)
	HYPOTHESIS_PROFILE=quick $(PYTEST) tests/unit -m 'not slow and not soak' $(SPREAD_UNITS) --session-timeout=300 $(ARGS)

# Fuzzing has one worker for an hour; meanwhile the other does all those that wait.
soak: setup ## the long tests: real waits, many kills, an hour of fuzzing
	$(PYTEST) tests/soak tests/e2e tests/integration -m soak --timeout=5400 -n $(or $(WORKERS),2) --dist loadfile --no-loadscope-reorder $(ARGS)

vsix: setup-run ## pack the VS Code extension into dist/ (needs Node.js 20 or later)
	@$(PY) -m scripts.build_vsix

ifneq ($(wildcard bench/__main__.py),)
.PHONY: bench
bench: setup ## measure; ONLY='regular expression' chooses figures by name
	@$(PY) -m bench $(if $(ONLY),--only '$(ONLY)')
endif

lock: ## pin the dependencies of pyproject.toml anew, with hashes (needs uv; UV=/path/to/uv)
	@command -v $(UV) >/dev/null || { echo 'make lock needs uv: install it (pipx install uv), or name it: make lock UV=/path/to/uv' >&2; exit 1; }
	$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-find-links --group dev pyproject.toml -o requirements.lock
	$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-find-links -c requirements.lock pyproject.toml -o requirements-run.lock

clean: ## remove what tools left in the tree; data of `make run` and the shared environment stay
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .genba/venv .genba/bin dist artefacts vscode-extension/dist
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
