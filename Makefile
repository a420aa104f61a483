# Lars: build, run and test. "make" alone lists the targets.

GO       ?= go
FUZZTIME ?= 10s

# Of chaos and soak. What is empty is chosen by the test.
SEED     ?= $(shell date +%s)
ROUNDS   ?=
DURATION ?=
REPLAY   ?=
FULL     ?=

# Of bench, beside ROUNDS: the parts to run, all if empty; the length of a round;
# the folder for the results; of bench-docs the run, that in OUT if empty.
ONLY     ?=
LENGTH   ?=
OUT      ?=
FROM     ?=
CHAOS    := $(GO) test ./internal/chaos -count=1 -timeout=0 -v

# The version is git's, where there is git; else the programs say what Go knows.
VERSION := $(if $(wildcard .git),$(shell git describe --tags --always --dirty 2>/dev/null))
LDFLAGS := $(if $(VERSION),-X main.version=$(VERSION))

.DEFAULT_GOAL := help
.PHONY: help build demo run deps test check fuzz bench bench-docs converge chaos soak generate clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

# Without cgo the programs run on any Linux of their architecture.
build: ## build the daemons, lars and example into bin/
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o bin/ ./cmd/... ./example

demo: build ## start the suite on a store of its own, show what it does, stop it
	@scripts/demo.sh

run: build ## run the suite in the foreground until Ctrl-C, with its data in var/
	@scripts/run.sh

deps: ## install what the tests need: MariaDB's server, Galera and a C compiler
	@scripts/deps.sh

test: deps ## run all tests, with the race detector, in any order
	$(GO) test -race -shuffle=on -timeout=10m ./...

check: ## formatting, vet, staticcheck, generated code, go.mod, cross builds
	@GO='$(GO)' scripts/check.sh

fuzz: ## run each fuzz target for FUZZTIME (10s)
	@GO='$(GO)' scripts/fuzz.sh '$(FUZZTIME)'

# The exit code of a missed aim is 1, and make then says so, too.
bench: build ## measure the suite: ONLY=agent,dns for some parts; ROUNDS=, LENGTH=, OUT=
	@$(GO) run ./internal/bench $(if $(ONLY),-only '$(ONLY)') $(if $(ROUNDS),-rounds $(ROUNDS)) \
		$(if $(LENGTH),-length $(LENGTH)) $(if $(OUT),-out '$(OUT)')

bench-docs: ## write the last run, or that in FROM=, into docs/PERFORMANCE.md
	@$(GO) run ./internal/bench -docs docs $(if $(OUT),-out '$(OUT)') $(if $(FROM),-from '$(FROM)')

converge: build ## measure how soon 200 agents have the routes after lars-dns was killed
	$(GO) run ./internal/fleet

# With FULL=1 every scenario, each outage a minute; else random schedules.
chaos: deps ## hurt the suite by chance: SEED=, ROUNDS=, DURATION=; REPLAY=file; FULL=1
	$(CHAOS) $(if $(FULL),,-run '^TestRandomFaults$$') -args -seed $(SEED) \
		$(if $(REPLAY),-replay $(abspath $(REPLAY)) -rounds 1,-rounds $(or $(ROUNDS),10) -duration $(or $(DURATION),30s)) $(if $(FULL),-full)
	$(if $(FULL),$(GO) test ./internal/larstest -count=1 -v -run '^TestClusterOfDatabases$$' -args -full)

soak: deps ## run the suite at half load with a fault a minute, for DURATION (1h)
	$(CHAOS) -run '^TestSoak$$' -args -full -seed $(SEED) -duration $(or $(DURATION),1h)

generate: ## generate proto/larspb from proto/lars.proto
	$(GO) run -C tools ./protogen ..

clean: ## remove bin/; var/ with its data stays
	rm -rf bin
