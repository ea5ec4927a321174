# Carrel: every target from a fresh clone. `make help` lists them.
SHELL := /bin/bash
GO ?= go
B ?= .
export CARREL_SANDBOX := $(CURDIR)/bin/carrel-sandbox
DEMO := demo
# Vet has run, or the linter will; and a hundred binaries are linked faster without what only a debugger reads.
LEAN := -vet=off -ldflags='-s -w'
LINT := golangci-lint
LINT_VERSION := v2.5.0

.PHONY: help build clients demo serve test test-long race sabotage bench fuzz lint policy setup clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

build: ## bin/carrel (pure Go) and bin/carrel-sandbox (the only binary with DuckDB)
	@mkdir -p bin
	CGO_ENABLED=0 $(GO) build -o bin/carrel ./cmd/carrel
	CGO_ENABLED=1 $(GO) build -o bin/carrel-sandbox ./cmd/carrel-sandbox

CLIENTS ?= windows/amd64 darwin/arm64
clients: ## the client commands for Windows and macOS (CLIENTS=windows/amd64 one of them)
	@for t in $(CLIENTS); do os=$${t%/*}; out=bin/carrel-$$os; [ $$os != windows ] || out=$$out.exe; \
	  echo "$$out"; GOOS=$$os GOARCH=$${t#*/} CGO_ENABLED=0 $(GO) build -o $$out ./cmd/carrel || exit 1; done

demo: build ## one application to noised answers, one QC package to its receipt; last line is JSON
	@rm -rf $(DEMO) && bin/carrel demo run --dir $(DEMO)

serve: build ## the service on the demo data at 127.0.0.1 with its pages and logins
	@test -d $(DEMO)/data || bin/carrel demo run --dir $(DEMO)
	bin/carrel serve --data $(DEMO)/data

setup: ## what the tests need beyond Go: a C++ compiler, Chromium and playwright-core
	@.ci/setup

test: setup build ## all tests, with all their set-up
	$(GO) vet ./...
	$(GO) test $(LEAN) -timeout 20m ./...

test-long: setup build ## adds the long statistical and fault runs
	$(GO) test $(LEAN) -timeout 80m -tags long ./...

# What goes one step after another for minutes, and shares nothing while it does.
ALONE := ^(TestWalk|TestRego|TestRulesForOtherQuestions|TestRegionsTighten|TestNoRegionLoosensByABundle|TestHostileFiles|TestHostileBodies|TestHostileMedia|TestBadBundlesChangeNothing|TestAlteredInTheStore|TestCitiesOfAnySize|TestHandoverClassesHoldFive|TestHostileLists|TestHostileHoldings|TestMIMIC|TestDiabetes)$$
RACE ?= 1/1
race: build ## the race detector over every package that starts goroutines or shares something between them (RACE=2/3 every third, from the second)
	CGO_ENABLED=1 $(GO) test $(LEAN) -race -short -skip '$(ALONE)' -timeout 30m $$(grep -rlE '\bgo func|\.Go\(|"sync"|sync/atomic' --include=*.go anonymize broker policy sandbox \
	  | grep -vE 'sandbox/(breakout|spawn|worker)/' | xargs -n1 dirname | sort -u | awk -v s='$(RACE)' 'BEGIN {split(s, p, "/")} NR % p[2] == p[1] % p[2] {print "./" $$0}') ./sandbox/wire

SHARE ?= 1/1
sabotage: build ## take out each guard, show the test that turns red (SHARE=2/6 takes the second sixth)
	$(GO) run ./cmd/carrel/sabotage -share $(SHARE)

bench: ## all benchmarks, one JSON object a line; `make bench B=fixed` one family (rules, fixed, query, dp, tpch, memory, deid; scale, with 100 M rows, only when it is named: ten minutes and 4 GB of disk)
	@$(MAKE) -s build >&2
	@$(GO) run ./cmd/carrel/bench -family '$(B)'

FUZZTIME ?= 20s
fuzz: ## each fuzz target for a short while (FUZZTIME=20s each)
	@set -e; grep -rlE '^func Fuzz' --include=*_test.go . | while read -r f; do d=$$(dirname $$f); \
	  for t in $$(grep -hoE '^func Fuzz[A-Za-z0-9_]+' $$f | sed 's/func //'); do echo "== $$d $$t"; $(GO) test -run '^$$' -fuzz "^$$t$$" -fuzztime $(FUZZTIME) $$d; done; done

lint: ## golangci-lint with the linters that matter here
	@command -v $(LINT) >/dev/null || $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)
	PATH="$$PATH:$$($(GO) env GOPATH)/bin" $(LINT) run ./...

policy: ## opa fmt, check --strict, test and coverage over policies/, and regal where it is built (.ci/regal)
	@command -v opa >/dev/null || $(GO) install github.com/open-policy-agent/opa@v1.22.2
	PATH="$$PATH:$$($(GO) env GOPATH)/bin" .ci/policy

clean: ## remove what the targets made
	rm -rf bin $(DEMO)
