# What a developer, a packager and CI run. `make` lists it.

.DEFAULT_GOAL := help
# The steps of `make test` go from fast to slow, whatever -j says.
.NOTPARALLEL:
.PHONY: help build demo test audit bench bench-quick bench-observed bench-instructions bench-counts bench-profile bench-check fuzz fmt lint doc unit e2e package differential exchange operations generated completions man deb static clean

CARGO ?= cargo
LOCKED ?= --locked
# Wherever cargo puts it: a user may have set CARGO_TARGET_DIR or build.target-dir.
BINARY := tests/support/pronk-binary.sh
SHELLS := bash zsh fish
FUZZ_SECONDS ?= 600
N ?= 10000

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## Build pronk as it is published, and print where it is
	$(BINARY) dist

demo: ## Real impala-shells through pronk in three modes (KEEP=1 leaves it running)
	KEEP=$(KEEP) tests/demo/demo.sh

test: setup lint doc unit bench-check e2e package ## Everything that a change must pass

audit: ## Licences, bans, sources and advisories of the dependencies
	tests/audit.sh

bench: ## The published build: work per CPU second and memory per connection, beside HAProxy's and nginx's; the linter's speed; what a choice costs; what connections see of reloads and of each other; growth
	pronk=$${PRONK_BIN:-$$($(BINARY) dist)} && \
	PRONK_BIN="$$pronk" $(CARGO) bench $(LOCKED) --bench peers --bench slow_readers --bench fairness --bench lint --bench balance --bench control --bench growth

bench-quick: ## The comparison with HAProxy and nginx in a minute or two, less exact
	BENCH_ROUNDS=1 BENCH_MILLISECONDS=400 BENCH_CONNECTIONS=500 $(CARGO) bench $(LOCKED) --bench peers

bench-observed: ## What it costs pronk to log each connection and to have its metrics read each second of CPU time
	BENCH_OBSERVED=1 BENCH_ROUNDS=20 BENCH_MILLISECONDS=2000 $(CARGO) bench $(LOCKED) --bench peers

bench-instructions: ## Instructions for each connection, handshake, request and MiB, beside those that are recorded (needs valgrind)
	$(CARGO) bench $(LOCKED) --bench counts

bench-counts: ## The same with system calls and allocations, beside HAProxy's and nginx's (needs valgrind and strace; half an hour)
	BENCH_ALL=1 $(CARGO) bench $(LOCKED) --bench counts

bench-profile: ## What the CPU time of pronk, HAProxy and nginx goes to, row by row (needs perf and root)
	BENCH_PROFILE=1 $(CARGO) bench $(LOCKED) --bench peers

bench-check: ## Whether the benchmarks run at all, not how fast
	BENCH_ROUNDS=1 BENCH_MILLISECONDS=20 BENCH_CONNECTIONS=20 BENCH_ONLY=pronk $(CARGO) test $(LOCKED) --bench peers --bench fairness
	BENCH_ALL=1 BENCH_TOOLS=strace BENCH_TIMES=2 BENCH_ROWS="passthrough, " $(CARGO) test $(LOCKED) --bench counts
	BENCH_ROUNDS=1 BENCH_MOST=100 $(CARGO) test $(LOCKED) --bench growth
	BENCH_RECORDS=200 BENCH_RELOADS=1 BENCH_REQUESTS=8 BENCH_SECONDS=1 BENCH_CONNECTIONS=20 BENCH_LISTS=3 \
	  $(CARGO) test $(LOCKED) --bench control

fuzz: ## Each fuzz target for FUZZ_SECONDS (needs a nightly toolchain and cargo-fuzz)
	fuzz/seed.sh
	for target in certificate pem chain pkcs12 pkcs7 revocation_list key ber configuration monitor_pages first_bytes; do \
	  $(CARGO) +nightly fuzz run $$target -- -max_total_time=$(FUZZ_SECONDS) -timeout=5 -rss_limit_mb=512 || exit 1; done

fmt: ## Format the Rust sources
	$(CARGO) fmt

lint: ## Formatting and clippy, warnings are errors
	$(CARGO) fmt --check
	$(CARGO) clippy $(LOCKED) --all-targets -- -D warnings

doc: ## API documentation, warnings are errors
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc $(LOCKED) --no-deps

unit: ## Rust tests: unit, integration and documentation
	if $(CARGO) nextest --version >/dev/null 2>&1; \
	then $(CARGO) nextest run $(LOCKED) && $(CARGO) test $(LOCKED) --doc; \
	else $(CARGO) test $(LOCKED); fi

e2e: ## Real Impala clients through pronk
	tests/e2e/setup.sh --kerberos
	PRONK_E2E_KERBEROS=1 target/e2e-venv/bin/python -m pytest tests/e2e -q

package: ## The Debian package in a clean Debian, and the container
	tests/package.sh
	tests/container.sh

differential: ## N random chains (3000) judged by every client of this machine, and by pronk. SEED= draws others, KEEP=FOLDER keeps them
	N=$(if $(filter-out undefined default,$(origin N)),$(N),3000) SEED=$(SEED) KEEP=$(KEEP) $(CARGO) test $(LOCKED) --test differential -- --include-ignored --nocapture --test-threads=1 thousands

exchange: ## N random exchanges (10000) through pronk, and HAProxy where it is: is every end passed on? SEED= and ONLY= replay
	N=$(N) SEED=$(SEED) ONLY=$(ONLY) $(CARGO) test $(LOCKED) --test exchange -- --include-ignored --nocapture --test-threads=1

operations: ## 100 reloads, 100 members out and back, 20 upgrades under 500 clients, and what these saw
	$(CARGO) test $(LOCKED) --test operations -- --include-ignored --nocapture --test-threads=1 hundreds_of

generated: ## Write what is made from the sources: docs/configuration.md, profiles/, examples/, files shown in docs
	pronk=$$($(BINARY) debug) && $$pronk config reference > docs/configuration.md && \
	for file in clientssl serverssl protocol persistence monitors; do \
	  $$pronk config profiles $$file > profiles/$$file.yaml || exit 1; done && docs/generate.sh "$$pronk"

completions: ## Shell completions in target/completions
	mkdir -p target/completions
	pronk=$$($(BINARY) dist) && for shell in $(SHELLS); do "$$pronk" completions $$shell > target/completions/pronk.$$shell || exit 1; done

man: ## Manual pages in target/man
	pronk=$$($(BINARY) dist) && "$$pronk" man target/man

deb: ## A Debian package in target/deb
	packaging/deb.sh "$$($(BINARY) dist)" target/deb

static: ## A static binary for any Linux (needs musl-gcc and the target x86_64-unknown-linux-musl)
	CC_x86_64_unknown_linux_musl=musl-gcc CARGO_BUILD_TARGET=x86_64-unknown-linux-musl $(BINARY) dist

clean: ## Remove all that was built
	$(CARGO) clean
	rm -rf target

.PHONY: setup
setup:
	tests/setup.sh
