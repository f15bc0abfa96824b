# Two commands matter: `make demo` and `make test`. Both set everything up first; what is up to date is left alone.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
# Records of finished steps. They are about the environment, so they live and go with it.
DONE := $(VENV)/.done
NATIVE := python/invincible/_native.abi3.so
# The embedded server, and the worker that the interoperability tests meet.
GO_MODULES := server tests/interop
ACTIONLINT := github.com/rhysd/actionlint/cmd/actionlint@v1.7.12

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export VIRTUAL_ENV := $(CURDIR)/$(VENV)
# One set of flags for building, testing and vetting the server, so that they share Go's build cache.
export GOFLAGS := -trimpath
export CGO_ENABLED := 0
# The interpreters of other environments must not leak into ours.
unexport PYTHONPATH PYTHONHOME CONDA_PREFIX

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

say = @printf '\033[1m==> %s\033[0m\n' "$(1)"

##@ Start here

.PHONY: demo
demo: setup  ## Run the hello-IP demo: server, worker, starter (KEEP=1 leaves the server up)
	@$(PY) -m examples.hello_ip.demo

.PHONY: test
test: setup test-go test-rust test-python  ## Run all tests: Go, Rust, Python

.PHONY: help
help:  ## Show this help
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  \033[36m%-14s\033[0m %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##@ Set-up

.PHONY: setup
setup: $(DONE)/dependencies  ## Make the environment; build messages, bridge and server
	@$(MAKE) -j2 bridge server

.PHONY: bridge
bridge: messages $(NATIVE)  ## Build the Rust bridge into the environment
	@:

.PHONY: messages
messages: $(DONE)/dependencies
	@$(PY) protos/generate.py

.PHONY: server
server: $(DONE)/server  ## Build the embedded server into the environment
	@:

$(PY):
	@command -v $(PYTHON) >/dev/null || { echo "invincible needs Python 3.10 or newer; $(PYTHON) was not found. Install it, or name one: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "invincible needs Python 3.10 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Name another: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) lacks the venv module. Install it (Debian: apt-get install python3-venv)."; exit 1; }
	@command -v cargo >/dev/null || { echo "invincible needs Rust 1.88 or newer; cargo was not found. Install Rust with rustup or your system's packages."; exit 1; }
	@command -v go >/dev/null || { echo "invincible needs Go 1.26 or newer to build its server; go was not found. Install Go."; exit 1; }
	@command -v cc >/dev/null || { echo "invincible needs a C compiler; cc was not found. Install gcc or clang (Debian: apt-get install build-essential)."; exit 1; }
	$(call say,making the environment $(VENV))
	@$(PYTHON) -m venv $(VENV)

$(DONE)/dependencies: pyproject.toml | $(PY)
	$(call say,installing the Python tools)
	@$(PY) -m pip install --quiet --upgrade 'pip>=25.1'
	@$(PY) -m pip install --quiet --group dev
	@mkdir -p $(DONE) && touch $@

# This also installs the package, in a way that leaves its Python files where they are.
$(NATIVE): pyproject.toml Cargo.toml Cargo.lock $(shell find core-bridge -type f) $(DONE)/dependencies | messages
	$(call say,building the bridge: Temporal's Rust core takes some minutes the first time)
	@# maturin writes into the file that is there; a copy in its place keeps running processes whole.
	@if [ -e $@ ]; then cp -p $@ $@.new && mv $@.new $@; fi
	@PIP_QUIET=1 $(VENV)/bin/maturin develop --release --locked
	@touch $@

$(DONE)/server: $(filter-out %_test.go,$(wildcard server/*.go)) $(wildcard server/*.py) server/go.mod server/go.sum \
		server/pyproject.toml $(DONE)/dependencies
	$(call say,building the embedded server: Temporal's Go server takes some minutes the first time)
	@$(PY) -m pip install --quiet --no-build-isolation --no-deps --editable ./server
	@touch $@

##@ Tests

.PHONY: test-unit
test-unit: bridge  ## Python tests that need no server, in seconds
	$(PY) -m pytest tests/unit

.PHONY: test-python
test-python: bridge server browser  ## All Python tests
	$(call say,Python tests)
	@# Timing decides on a loaded machine now and then; what fails twice, the second time alone, is broken.
	$(PY) -m pytest --numprocesses auto --maxprocesses 4 || $(PY) -m pytest --last-failed --last-failed-no-failures none

.PHONY: browser
browser:  ## Chromium, for the tests of what the Web UI shows
	@command -v chromium chromium-browser google-chrome google-chrome-stable >/dev/null || { \
		printf '\033[1m==> installing Chromium\033[0m\n'; \
		command -v apt-get >/dev/null && test "$$(id -u)" = 0 \
			|| { echo "the browser tests need Chromium, which was not found. Install it (Debian: apt-get install chromium)."; exit 1; }; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
	}

.PHONY: test-rust
test-rust: bridge  ## Rust tests of the bridge
	$(call say,Rust tests)
	$(PY) tools/cargo.py test --workspace --lib

.PHONY: test-go
test-go:  ## Go tests of the embedded server
	$(call say,Go tests)
	cd server && go test ./...

.PHONY: test-pythons
test-pythons: wheel  ## Unit tests on the wheel, under every Python from 3.10 on that is found
	@for release in 3.10 3.11 3.12 3.13 3.14; do \
		found=; \
		for python in python$$release "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/$$release.*/bin/python; do \
			if "$$python" -c '' 2>/dev/null; then found=$$python; break; fi; \
		done; \
		test -n "$$found" || { echo "Python $$release was not found"; continue; }; \
		printf '\033[1m==> Python %s\033[0m\n' "$$release"; \
		python=$(VENV)-$$release/bin/python; \
		test -e "$$python" || "$$found" -m venv $(VENV)-$$release; \
		"$$python" -m pip install --quiet --upgrade 'pip>=25.1'; \
		"$$python" -m pip install --quiet --group test --group examples dist/*.whl; \
		"$$python" -m pip install --quiet --force-reinstall --no-deps dist/*.whl; \
		"$$python" -m pytest tests/unit; \
	done

##@ Checks

.PHONY: lint
lint: lint-python lint-rust lint-go lint-workflows docs  ## Check formatting, types, lints, workflows and documentation

.PHONY: lint-python
lint-python: bridge
	$(call say,Python lints)
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/ruff check
	$(VENV)/bin/mypy
	$(VENV)/bin/stubtest invincible._native invincible.client._sync.classes
	$(VENV)/bin/pyright

.PHONY: lint-rust
lint-rust: bridge
	$(call say,Rust lints)
	cargo fmt --all --check
	$(PY) tools/cargo.py clippy --workspace --all-targets -- --deny warnings

.PHONY: lint-go
lint-go:
	$(call say,Go lints)
	@unformatted=$$(gofmt -l $(GO_MODULES)) && { test -z "$$unformatted" || { echo "gofmt would change: $$unformatted"; exit 1; }; }
	@set -x; for module in $(GO_MODULES); do (cd $$module && go vet ./...); done

.PHONY: lint-workflows
lint-workflows:
	$(call say,workflow lints)
	go run $(ACTIONLINT)

.PHONY: format
format: $(DONE)/dependencies  ## Format Python, Rust and Go
	$(VENV)/bin/ruff format
	$(VENV)/bin/ruff check --fix
	cargo fmt --all
	gofmt -w $(GO_MODULES)

##@ Documentation

.PHONY: docs
docs: bridge  ## Build the documentation into build/docs; every warning is an error
	$(call say,documentation)
	@# All anew: what has not changed is not read again, and its warnings are not repeated.
	@$(VENV)/bin/sphinx-build --fresh-env --nitpicky --fail-on-warning --keep-going --quiet -c docs -d build/doctrees . build/docs
	@echo build/docs/index.html

##@ Builds and measurements

.PHONY: wheel
wheel: bridge server  ## Build both wheels into dist/
	$(call say,wheels)
	@new=$$(mktemp -d); trap 'rm -rf "$$new"' EXIT; \
		$(VENV)/bin/maturin build --release --locked --quiet --out "$$new"; \
		$(PY) -m pip wheel --quiet --no-build-isolation --no-deps --wheel-dir "$$new" ./server; \
		mkdir -p dist; rm -f dist/*.whl; mv "$$new"/*.whl dist
	@ls -sh dist

.PHONY: bench
bench: setup  ## Measure side by side with temporalio (ARGS="--quick --only replay")
	$(PY) -m benchmarks.run $(ARGS)

.PHONY: check-speed
check-speed: bridge  ## Compare ratios to temporalio with their bounds, in two minutes
	$(PY) -m benchmarks.check

.PHONY: clean
clean:  ## Remove the environment, the messages, the documentation and the wheels; keep the Rust and Go build caches
	rm -rf $(VENV) $(VENV)-3.* build/docs build/doctrees dist
	rm -rf python/invincible/api python/invincible/client/_sync/classes.pyi
	find . -name __pycache__ -not -path './target/*' -prune -exec rm -rf {} +
