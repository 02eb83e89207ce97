# Two commands matter: `make run` and `make test`. What they download and build is kept outside the tree.

CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/runner-dev
export CARGO_TARGET_DIR ?= $(CACHE)/target
export RUNNER_DEV_CACHE := $(CACHE)
STATE ?= $(CACHE)/state
REPORT ?= report

.PHONY: help run test check unit torture browser bench docs release up down status cluster-up cluster-down cluster-test clean

help: ## what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: ## the main example, on the embedded target: real data to a report, with no server
	cargo run --quiet -- run pipelines/bronx-taxi.yaml --target embedded --state-dir $(STATE) --report-dir $(REPORT)

test: check unit browser ## everything that must hold

check: ## format, lints, documentation
	cargo fmt --check
	cargo clippy --quiet --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --quiet --no-deps --document-private-items

unit: ## every test of the library and of the whole program
	cargo test --quiet
	@tests/testbed/cluster/cluster possible || echo 'NOT TESTED: everything on Kubernetes'

torture: ## kills, outages and a bad network, 240 times on 50,000 rows, a line a case in TORTURE_LOG; TORTURE_SEED=S tries one alone, TORTURE_FROM=S goes on
	TORTURE=$${TORTURE:-240} cargo test --test it torture:: -- --nocapture

browser: ## the report in headless Chromium
	tests/browser/run.sh

bench: ## scan, load and validate on a generated file, against DuckDB, pyarrow and the bare engine
	benches/run.sh

docs: ## what is generated: schemas, the list of codes, the Role
	UPDATE_DOCS=1 cargo test --quiet drift

release: ## the program as it is published, in $CARGO_TARGET_DIR/release; with valgrind, what each start runs lies together, in less than half the memory
ifeq ($(shell command -v valgrind),)
	cargo build --locked --release
	@echo 'valgrind is not there: the program takes more memory than it has to'
else
	cargo rustc --locked --release --bin runner -- -C strip=none
	benches/layout.sh $(CARGO_TARGET_DIR)/release/runner > $(CARGO_TARGET_DIR)/release/layout
	cargo rustc --locked --release --bin runner -- -C strip=symbols \
		-C link-arg=-Wl,--symbol-ordering-file=$(CARGO_TARGET_DIR)/release/layout -C link-arg=-Wl,--no-warn-symbol-ordering
endif

up: ## a Kafka and a Neo4j to try things with; says how to use them
	tests/testbed/dev up

down: ## stops them
	tests/testbed/dev down

status: ## whether they run, and how to use them
	tests/testbed/dev status

cluster-up: ## a Kubernetes of one node to try things with; says how to use it
	tests/testbed/dev cluster-up

cluster-down: ## stops it
	tests/testbed/dev cluster-down

cluster-test: ## every test on Kubernetes, with those that are too long for `make test`: three brokers, ten times the rows
	CLUSTER=all cargo test --test it cluster:: -- --nocapture

clean: down cluster-down ## what was built and downloaded
	rm -rf $(CACHE)
