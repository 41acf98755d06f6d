# The doors of polybot. `make` lists them. Each creates what it needs: Python packages in .venv, the dashboard's in dashboard/node_modules.

PYTHON ?= python3
PY := .venv/bin/python
DASHBOARD := $(wildcard dashboard/package.json)
DASHBOARD_SOURCES := $(shell find dashboard/src dashboard/public dashboard/index.html dashboard/vite.config.ts -type f 2>/dev/null)
PROTO_SOURCES := $(wildcard proto/polybot/v1/*.proto)
FAST := not conformance and not e2e and not sim

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run fresh test ci check bench proto migrate clean conformance e2e fuzz sim mutants kills

help: ## list the doors
	@awk -F ':.*## ' '/^[a-z0-9 -]+:.*## / { printf "  make %-22s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: .venv/run.stamp dashboard/dist/index.html ## start everything on a simulated venue and print the URL
	@$(PY) manage.py up

fresh: .venv/run.stamp ## forget the simulated venue: the next `make run` begins another, with another account
	@$(PY) manage.py runvenue --forget

test: check ## lint, types, architecture, and the tests
	$(if $(DASHBOARD),cd dashboard && npm run --silent test)
	$(PY) -m pytest -m "$(FAST)" -n 2 --dist loadfile

ci: check sim conformance e2e test ## everything `test` does, and the long simulations, peers and browser

check: .venv/dev.stamp ## lint, format, types, layers, protobuf, dashboard types
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy .
	.venv/bin/lint-imports --no-cache
	$(if $(PROTO_SOURCES),cd proto && ../.venv/bin/buf lint)
	$(if $(DASHBOARD),$(MAKE) --no-print-directory check-dashboard)

conformance: .venv/dev.stamp ## the official SDKs and every gateway against the simulated venue: calls tried / passed
	$(PY) -m pytest tests/conformance

# pytest exits with 5 when a marker selects nothing.
sim e2e: .venv/dev.stamp dashboard/dist/index.html ## one kind of the long tests
	$(PY) -m pytest -m $@ || test $$? -eq 5

fuzz: .venv/dev.stamp ## a million damaged frames through the decoders
	$(PY) -m tests.fuzz.run

mutants: .venv/dev.stamp ## switch off one protection after the other: the simulation finds each
	$(PY) -m tests.sim.mutants

kills: .venv/dev.stamp ## end the real processes with SIGKILL at random moments, fifty times
	$(PY) -m tests.e2e.kills

bench: .venv/dev.stamp ## measure against the peers, side by side
	$(PY) -m benchmarks.run

proto: .venv/dev.stamp $(if $(DASHBOARD),dashboard/node_modules/.stamp) ## generate the protobuf code
	$(PY) proto/generate.py

migrate: .venv/run.stamp ## bring the tables up to date
	$(PY) manage.py services run -- $(PY) manage.py migrate

clean: ## remove what make built; your data in var/ stays
	rm -rf .venv dashboard/node_modules dashboard/dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: check-dashboard
check-dashboard: dashboard/node_modules/.stamp
	cd dashboard && npm run --silent check

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "polybot needs Python 3.11 or newer: make PYTHON=python3.11 run")'
	$(PYTHON) -m venv .venv

.venv/run.stamp: requirements.txt requirements-lock.txt | .venv/bin/python
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/dev.stamp: requirements-dev.txt .venv/run.stamp
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

ifneq ($(DASHBOARD),)
dashboard/node_modules/.stamp: dashboard/package.json dashboard/package-lock.json
	cd dashboard && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

dashboard/dist/index.html: dashboard/node_modules/.stamp $(DASHBOARD_SOURCES)
	cd dashboard && npm run --silent build
	@touch $@
else
.PHONY: dashboard/dist/index.html
dashboard/dist/index.html:
endif
