GO        ?= go
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS    = -s -w -X main.version=$(VERSION)
TESTFLAGS ?=
FUZZTIME  ?= 5000x
FUZZ      ?= .
VERIFIERS  = FuzzSignature|FuzzToken|FuzzSignInReturn
CHECKS    ?= 5000
KILLS     ?= 200
CRASHES    = KilledAtRandom|EndsAtEveryPoint|EndsAroundAWorkNote|StandsStillAtEveryPoint|StoppedAtPoints
SOAK      ?= 30m

.PHONY: pictures build test vet race long crash demo fuzz verifiers forgeries soak properties bench bench-river

# One static file: no C library, the time zones inside.
build:
	CGO_ENABLED=0 $(GO) build -trimpath -tags timetzdata -ldflags '$(LDFLAGS)' -o keyturn ./cmd/keyturn

test: vet
	$(GO) test -timeout 25m $(TESTFLAGS) ./...

vet:
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "run gofmt -w on:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...

# The race detector needs cgo and a C compiler.
race:
	CGO_ENABLED=1 $(GO) test -race -timeout 40m $(TESTFLAGS) ./...

# What is too slow for every change: everything three times under the race
# detector, the properties with many more cases, the parsers for minutes.
long:
	CGO_ENABLED=1 $(GO) test -race -count 3 -timeout 120m ./...
	$(MAKE) properties KEYTURN_LONG=1
	KEYTURN_LONG=1 $(GO) test -count 1 -timeout 20m -v -run 'UnderEnforcedLimits|AHostilePlatform' ./bot/engine
	$(MAKE) fuzz FUZZTIME=200000x
	$(MAKE) forgeries KEYTURN_LONG=1
	$(MAKE) crash KILLS=5000 KEYTURN_LONG=1
	$(MAKE) soak

properties:
	$(GO) test -count 1 -timeout 60m $$(grep -rl --include='*_test.go' '"pgregory.net/rapid"' . | xargs -n 1 dirname | sort -u) -args -rapid.checks=$(CHECKS)

# The bot, a process of its own, killed with SIGKILL so often while the guides are
# played, and ended in the middle of what it does: with KEYTURN_LONG=1 before and
# after everything that it does in any step of any guide. A worker stands still at
# each of these points; a replica is stopped with SIGSTOP at some, with KEYTURN_LONG=1
# until no new one comes.
crash:
	KEYTURN_KILLS=$(KILLS) $(GO) test -count 1 -timeout 300m -v -run '$(CRASHES)' ./cmd/keyturn

demo:
	$(GO) run ./cmd/keyturn demo

# The README's pictures, taken anew on a walk through the demo's chat page. Look
# at each of them before you commit it.
pictures:
	rm -f docs/pictures/*.png
	KEYTURN_PICTURES=$(CURDIR)/docs/pictures $(GO) test -count 1 ./test/walk

# The fuzz targets that FUZZ matches, one after another. They are told how often,
# not how long: Go's fuzzer calls an input that is under way when the time is up
# a failure.
fuzz:
	@grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' . | grep -E '$(FUZZ)' | sort | while IFS=: read -r file func; do \
		dir=$$(dirname "$$file"); name=$${func#func }; \
		echo "== $$dir $$name, $(FUZZTIME)"; \
		$(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1000x "$$dir" </dev/null || exit 1; \
	done

# What decides whether somebody may come in: about ten seconds each.
verifiers:
	@$(MAKE) --no-print-directory fuzz FUZZ='$(VERIFIERS)' FUZZTIME=20000x

# What is signed, tampered with and shown to those who decide who comes in:
# 20,000 times each, with KEYTURN_LONG=1 ten million times. Go's fuzzer would take
# an hour for each of them.
forgeries:
	$(GO) test -count 1 -timeout 60m -v -run 'NoTampered|NoGuessedReturn' ./adapters/slack ./adapters/teams ./bot/engine

# The bot under ten times the expected load, with the race detector, and again
# without: that keeps memory of its own, so the bot's is looked at then.
soak:
	CGO_ENABLED=1 KEYTURN_SOAK=$(SOAK) $(GO) test -race -count 1 -timeout 240m -v -run UnderLoadForLong ./cmd/keyturn
	KEYTURN_SOAK=$(SOAK) $(GO) test -count 1 -timeout 240m -v -run UnderLoadForLong ./cmd/keyturn

bench:
	$(GO) test -run '^$$' -bench . -benchmem ./...
	$(GO) test -count 1 -v -run AnIdleReplicaAsksLittle ./state/postgres

# A step in each store beside the same work as a job of River, in turn on the
# same server (KEYTURN_TEST_POSTGRES). A module of its own: River is no dependency.
bench-river:
	cd state/postgres/riverbench && $(GO) test -count 1 -run '^$$' -bench . -benchtime 500x .
