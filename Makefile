# The everyday commands. `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run build test lint format loadtest chaos soak simulate bench generator ledger stages clean

hydrant := .build/release/hydrant
swift_sources := Package.swift Sources Tests loadtest
# For `make run ARGS="--set workers=4"` and `make bench ARGS="--quick"`.
ARGS ?=
SEED ?=
SEEDS ?=

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## install what is missing, build, and run a cluster here (Ctrl-C stops it)
	@ops/setup
	@swift build --configuration release --product hydrant
	@exec $(hydrant) run $(ARGS)

build: ## release build
	@ops/setup
	@swift build --configuration release

# The end-to-end tests start real clusters, and those run the release binary.
test: ## every test, end-to-end ones against the release binary
	@ops/setup --test
	@swift build --configuration release --product hydrant
	@swift build --build-tests
	@ops/tested --skip-build --skip EndToEndTests
	@TESTED_HYDRANT="$(abspath $(hydrant))" ops/tested --skip-build --filter EndToEndTests.SideBySide/
	@TESTED_HYDRANT="$(abspath $(hydrant))" ops/tested --skip-build --no-parallel --filter EndToEndTests --skip EndToEndTests.SideBySide/

lint: ## formatting, and the scripts' syntax
	@swift format lint --strict --parallel --recursive $(swift_sources)
	@ops/lint

format: ## format the Swift sources in place
	@swift format --in-place --parallel --recursive $(swift_sources)

loadtest: ## 20 s of traffic like adtech's on a fresh cluster; fails when a hit is lost
	@ops/setup --test
	@swift build --configuration release --product hydrant
	@loadtest/run $(ARGS)

chaos: ## a minute of kill -9 under load, every role; fails when a hit is lost (ARGS=all: every trial, 15 minutes)
	@swift build --configuration release --product hydrant
	@ops/chaos $(ARGS)

soak: ## ten minutes without Firehose at 5,000 hits/s: memory flat, then caught up
	@swift build --configuration release --product hydrant
	@ops/chaos outage --seconds 600 $(ARGS)

bench: ## Hydrant beside nginx, a bare libuv server and a Node server (about 25 minutes)
	@ops/setup --test
	@swift build --configuration release --product hydrant
	@loadtest/peers/bench $(ARGS)

generator: ## the load generator beside wrk, and beside the truth (4 minutes; ARGS=--write puts it into docs)
	@ops/setup --test
	@swift build --configuration release --product hydrant
	@loadtest/peers/generator $(ARGS)

ledger: ## how fast a ledger of 10 million requests is held against its rows (5 minutes)
	@swift build --configuration release --product hydrant
	@loadtest/peers/ledger $(ARGS)

stages: ## how the CPU of a hit is spent, by a profile (1 minute; ARGS=--write puts it into docs)
	@ops/setup --test
	@swift build --configuration release --product hydrant
	@loadtest/peers/stages $(ARGS)

simulate: ## 100,000 simulated lives of a cluster (SEEDS=N, SEED=N for one, ARGS=--bugs plants bugs)
	@ops/setup --test
	@ops/simulate $(if $(SEED),--seed $(SEED),$(if $(SEEDS),--seeds $(SEEDS))) $(ARGS)

clean: ## remove what was built; var/ and its data stay
	@rm -rf .build .venv-test
