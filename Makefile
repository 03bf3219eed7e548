# One command each. `make` lists them.

GO ?= go

# Static binaries. The same for tests and for what the demo builds, so that nothing is compiled twice. What is to be
# deployed is built without the paths of this machine (-trimpath); the rest is not, because then the standard library
# that somebody has compiled before is used again.
export CGO_ENABLED = 0

TOOL     = $(GO) tool -modfile=tools/go.mod
REPORT   = $(GO) run ./internal/testreport
# The last is MIT's in words of Lucent, 1998: of one file of goja.
LICENCES = Apache-2.0,MIT,BSD-2-Clause,BSD-3-Clause,ISC,MPL-2.0,LicenseRef-MIT-Lucent

# A module of its own: what compares pkg/transform with a peer needs more than all the rest.
PEERS = integration/bench/transform

FUNCTIONS = $(notdir $(patsubst %/main.go,%,$(wildcard functions/*/main.go)))

.DEFAULT_GOAL = help
.PHONY: help
help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## A topic dumped from one Kafka cluster to another, here and now; no Docker
	@$(GO) build -o bin/etl ./cmd/etl
	@bin/etl demo

.PHONY: demo-migrate
demo-migrate: ## Services moved from one Kafka cluster to another while they write and read, and back; no Docker
	@$(GO) build -o bin/etl ./cmd/etl
	@bin/etl demo migrate

.PHONY: demo-backup
demo-backup: ## A Kafka cluster backed up to COS, destroyed, and restored to a moment, on this machine; no Docker
	@$(GO) build -o bin/etl ./cmd/etl
	@bin/etl demo backup

.PHONY: demo-flow
demo-flow: ## A log from an HTTP API to a page of charts: extract, clean, load, report, on this machine; no Docker
	@$(GO) build -o bin/etl ./cmd/etl
	@bin/etl demo flow

.PHONY: test
test: ## Every test that needs Go alone, and what was skipped and why
	@$(GO) test -short -vet=off -json ./... | $(REPORT) # make check vets

# -skip: what make test has run already, in the same form, and what takes minutes.
.PHONY: integration
integration: ## What test left out: on real Kafka in containers, and beside a peer; KAFKA_IMAGE names another image
	@ETL_REQUIRE_DOCKER=1 $(GO) test -json -count=1 -p=1 -timeout=30m \
	  -skip='^Test(OnEmbeddedBrokers|ManyTopics)$$' ./integration/... ./cmd/... ./internal/... | $(REPORT)
	@$(GO) test -json -count=1 -vet=off -run='^TestVerify$$' ./pkg/backup | $(REPORT) # all of its corruptions
	@$(GO) -C $(PEERS) test -vet=off ./...

.PHONY: compose-test
compose-test: build ## deploy/compose.yaml: up, a dump through restarts, down; with every Compose that is here
	@ETL_COMPOSE=1 ETL_REQUIRE_DOCKER=1 $(GO) test -json -count=1 -timeout=60m ./integration/compose | $(REPORT)

SOURCES = 0.10.2.2,1.1.1,2.8.2,3.9.1,4.2.0
TARGETS = 1.1.1,2.8.2,3.9.1,4.2.0
comma   = ,
.PHONY: matrix
matrix: ## Old and new Kafka as source and target; SOURCES=0.10.2.2 TARGETS=1.1.1,4.2.0 a part, UPDATE=1 writes the table
	@for release in $(sort $(subst $(comma), ,$(SOURCES) $(TARGETS))); do deploy/kafka/build.sh $$release || exit; done
	@ETL_REQUIRE_DOCKER=1 $(GO) test -json -count=1 -parallel=4 -timeout=60m ./integration/matrix \
	  -sources=$(SOURCES) -targets=$(TARGETS) $(if $(UPDATE),-update) | $(REPORT)

.PHONY: bench
bench: ## The copy beside its peers on real Kafka, then backup, extract, Parquet beside DuckDB, transform beside its peer; CASES, COPIERS, ROUNDS, SCALE and PROFILE=DIR choose
	@$(GO) run ./integration/bench -cases='$(CASES)' -copiers='$(COPIERS)' -rounds=$(or $(ROUNDS),3) -scale=$(or $(SCALE),1) -profile='$(PROFILE)' \
	  $(if $(WRITE),-write=integration/bench/README.md)
	@$(GO) run ./integration/bench/backup -cases='$(CASES)' -rounds=$(or $(ROUNDS),3) -scale=$(or $(SCALE),1) -profile='$(PROFILE)' \
	  $(if $(WRITE),-write=integration/bench/README.md)
	@$(GO) run ./integration/bench/dataset -cases='$(CASES)' -rounds=$(or $(ROUNDS),3) -scale=$(or $(SCALE),1) -profile='$(PROFILE)' \
	  $(if $(WRITE),-write=integration/bench/README.md)
	@$(GO) run ./integration/bench/extract -cases='$(CASES)' -rounds=$(or $(ROUNDS),3) -scale=$(or $(SCALE),1) \
	  $(if $(WRITE),-write=integration/bench/README.md)
	@$(GO) run -C $(PEERS) . -cases='$(CASES)' -rounds=$(or $(ROUNDS),3) $(if $(WRITE),-write=../README.md)
	@$(GO) run ./integration/bench/media -cases='$(CASES)' -rounds=$(or $(ROUNDS),3) -scale=$(or $(SCALE),1) \
	  $(if $(WRITE),-write=integration/bench/README.md)

SEED          ?= 0
KILLS         ?= 500
MIGRATE_KILLS ?= $(KILLS)
RECORDS       ?= 5000000
PAUSES        ?= 200
.PHONY: chaos
chaos: ## A copy, and a migration there and back, under KILLS and other faults over RECORDS; PAUSES of instances; SEED repeats one
	@ETL_REQUIRE_DOCKER=1 $(GO) test -count=1 -timeout=0 -v -run='^Test(Chaos|Migrate|Paused)$$' ./integration/chaos \
	  -args -seed=$(SEED) -kills=$(KILLS) -migrate-kills=$(MIGRATE_KILLS) -records=$(RECORDS) -pauses=$(PAUSES)

FUZZTIME ?= 60s
JOBS     ?= 2
.PHONY: fuzz
fuzz: ## What reads logs, rules, records, requests and files, against input that nobody has written; FUZZ=backup a folder of pkg, FUZZTIME each, JOBS at a time
	@grep -r --include='*_test.go' -o '^func Fuzz[A-Za-z]*' pkg/$(FUZZ) | sed 's|/[^/]*:func | |' | xargs -P$(JOBS) -L1 sh -c \
	  '$(GO) test -run="^$$" -fuzz="^$$1$$" -fuzztime=$(FUZZTIME) -parallel=1 "./$$0"'

CHECKS = format vet lint generated licences modules
.PHONY: check
check: $(CHECKS:%=check-%) ## Format, vet, lint, generated files, licences, modules

# The database of vulnerabilities, as a module: pinned, so that the same commit passes today and tomorrow. Take latest to
# see what has become known since. GOVULNDB names another database.
VULNDB ?= v0.0.0-20261105234957-e22db6528018
.PHONY: supply
supply: ## What should not be passed on: known vulnerabilities, secrets, unaudited dependencies; VULNDB=latest is today's
	@$(GO) run ./internal/supply -toolchain='$(TOOLCHAIN)' -vulndb=$(VULNDB)

.PHONY: build
build: build-functions ## bin/etl for this machine, and bin/FUNCTION for the platform (linux/amd64)
	$(GO) build -trimpath -o bin/etl ./cmd/etl

.PHONY: build-functions
build-functions:
	GOOS=linux GOARCH=amd64 $(GO) build -trimpath -buildvcs=false -ldflags='-s -w' -o bin/ $(FUNCTIONS:%=./functions/%)

# What is deployed is built with the Go that go.mod names, whichever is here: only that gives the same bytes on every
# machine, and what `make supply` has looked at. TOOLCHAIN=local takes the one that is here.
TOOLCHAIN ?= $(shell sed -n 's/^toolchain //p' go.mod)

.PHONY: package
package: ## dist/FUNCTION.zip to deploy, its SBOM beside it; the same commit gives the same bytes; SIGN_KEY=FILE signs, FFMPEG=PATH puts a static one into transcode's
	@GOTOOLCHAIN=$(TOOLCHAIN) $(MAKE) --no-print-directory build
	@bin/etl package $(if $(SIGN_KEY),--sign-key '$(SIGN_KEY)') $(if $(FFMPEG),--ffmpeg '$(FFMPEG)')

.PHONY: rename
rename: ## Make the repository your own: MODULE=example.com/team/etl; FORCE=1 with changes that are not committed
	@$(GO) run ./internal/rename $(if $(FORCE),-force) '$(MODULE)'

.PHONY: clean
clean: ## Remove bin and dist
	rm -rf bin dist

.PHONY: $(CHECKS:%=check-%)

check-format:
	@files=$$(gofmt -l .); \
	if [ -n "$$files" ]; then printf 'not formatted, run gofmt -w on:\n%s\n' "$$files"; exit 1; fi

check-vet:
	@$(GO) vet ./...
	@$(GO) -C $(PEERS) vet ./...

check-lint:
	@$(TOOL) staticcheck ./...
	@$(GO) -C $(PEERS) tool -modfile=$(CURDIR)/tools/go.mod staticcheck ./...

# Compares the tree before and after, because what is not committed yet is no fault of a generator.
check-generated:
	@before=$$(git diff | cksum; git status --porcelain); $(GO) generate ./...; \
	after=$$(git diff | cksum; git status --porcelain); \
	if [ "$$before" != "$$after" ]; then echo 'generated files were out of date, commit them:'; git status --short; exit 1; fi

# Of what is built into something that is passed on, or tests it. Neither the tools nor the peers are.
check-licences:
	@$(TOOL) go-licenses check ./... --include_tests --allowed_licenses=$(LICENCES) \
	  --logtostderr=false --stderrthreshold=2 --log_file=/dev/null

check-modules:
	@$(GO) mod tidy -diff
	@$(GO) -C tools mod tidy -diff
	@$(GO) -C $(PEERS) mod tidy -diff
	@$(GO) mod verify
