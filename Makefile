# Everything that is built or installed for building goes into target/ (and wasm/pkg, wasm/node_modules);
# only missing system packages come through apt, with a line saying what and why.

.DEFAULT_GOAL := help
SHELL := /bin/bash
export CARGO_TARGET_DIR := $(CURDIR)/target
export PATH := $(CURDIR)/target/tools/bin:$(PATH)

RUN := python3 tests/tools/run.py
ENSURE := tests/tools/ensure
PYTHON := target/venv/bin/python
RUFF := $(PYTHON) -m ruff format --no-cache --config tests/tools/ruff.toml
PORT ?= 8000

.PHONY: help demo test soak build lint fmt test-rust test-c test-python test-wasm test-etcd test-no-std \
        bench bench-quick bench-full bench-paths bench-record bench-report demo-page header clean basics

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

demo: basics ## Show what revwatch does, in Python, C and on the command line
	@$(ENSURE)-package.sh
	@$(PYTHON) examples/demo/run.py

test: basics ## Run every test in every language (installs what is missing)
	@$(RUN)

soak: basics ## Ten million operations against the model, and the simulator for long (SOAK_SEED=...)
	@tests/tools/soak.sh $(SOAK_SEED)

build: basics ## Build the C library, the Python package (into target/venv) and wasm/pkg
	@$(RUN) --only package --only wasm-build

lint: basics ## Formatting, lints, types, docs, licences
	@$(RUN) --only lint

fmt: basics ## Format the Rust and the Python
	@$(ENSURE)-python.sh
	cargo fmt --all
	$(RUFF) .

test-rust: basics ## The core, the model, the simulator and the watch checker
	@$(RUN) --only rust

test-c: basics ## The C ABI
	@$(RUN) --only c

test-python: basics ## The Python binding and the command line
	@$(RUN) --only python

test-wasm: basics ## The WebAssembly package in Node and in Chromium
	@$(RUN) --only wasm

test-etcd: basics ## The same operations on the real etcd
	@$(RUN) --only etcd

test-no-std: basics ## Build the core for wasm32 and a bare microcontroller
	@$(RUN) --only no-std

bench: basics ## Measure beside etcd and other stores, into benches/RESULTS.md (half an hour)
	@benches/run.sh

bench-quick: basics ## The same, shortened, in some ten minutes
	@benches/run.sh --quick

bench-full: basics ## The same with ten million keys, revisions and watchers (an hour or more, 10 GB)
	@benches/run.sh --full

bench-paths: basics ## Time the core paths by themselves, and compare with the last time
	@cargo bench --quiet -p revwatch-benches

bench-report: basics ## Write benches/RESULTS.md and its charts anew from what was measured last
	@benches/report.sh

bench-record: basics ## Record the instructions of the core paths, which make test compares with
	@tests/tools/instructions.py --record

demo-page: basics ## Build wasm/pkg and serve wasm/demo on this machine (PORT=8000)
	@$(ENSURE)-rust-target.sh wasm32-unknown-unknown
	@$(ENSURE)-wasm-bindgen.sh
	@$(ENSURE)-node.sh
	@wasm/build.sh
	@echo "http://127.0.0.1:$(PORT)/demo/ (stop with Ctrl-C)"
	@python3 -m http.server --bind 127.0.0.1 --directory wasm $(PORT)

header: basics ## Write the C header anew after a change in ffi/
	@ffi/header.sh

clean: ## Delete all that was built here, the tools as well
	rm -rf target wasm/pkg wasm/node_modules

basics:
	@$(ENSURE)-basics.sh
