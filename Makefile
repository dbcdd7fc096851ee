# `make` alone tells what can be made.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
export PATH := $(PATH):/usr/local/go/bin

# One place for each program that is not Go's own.
staticcheck := go tool -modfile=tools/go.mod staticcheck
gofumpt     := go tool -modfile=tools/go.mod gofumpt
govulncheck := go tool -modfile=tools/go.mod govulncheck

# Tests behind a build tag are checked like all others.
tags := openstack,browser

PLATFORMS ?= linux/amd64 linux/arm64 darwin/arm64

.PHONY: help build test race lint fmt fuzz mutants histories kills passes storm bench golden vuln modules test-openstack openstack-down \
	test-cluster test-browser test-deploy dist clean

help: ## this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## the program, ./profilesync
	CGO_ENABLED=0 go build -trimpath -o profilesync ./cmd/profilesync

test: ## all tests that need nothing but Go
	go test ./...

race: ## the same under the race detector, but for the processes of test/daemon
	go test -race $$(go list ./... | grep -v /test/daemon$$)

lint: ## vet, staticcheck, gofumpt, shellcheck
	go vet -tags $(tags) ./...
	for nested in test/cluster test/deploy; do (cd $$nested && go vet ./... && go tool -modfile=../../tools/go.mod staticcheck ./...); done
	$(staticcheck) -tags $(tags) ./...
	@unformatted=$$($(gofumpt) -l .); [ -z "$$unformatted" ] || { echo "make fmt would change:"; echo "$$unformatted"; exit 1; }
	shellcheck scripts/openstack scripts/test-* scripts/fuzz scripts/mutants deploy/container/build test/deploy/testdata/systemd/boot .ci/run
	shellcheck -s sh test/deploy/testdata/systemd/story

fmt: ## format all Go code
	$(gofumpt) -w .

fuzz: ## every fuzz target for a moment (SECONDS=60 for longer)
	scripts/fuzz $(or $(SECONDS),5)

mutants: ## break the program on purpose and see that its tests find out
	scripts/mutants

histories: ## random histories of the whole program (COUNT=20000)
	go test -v -timeout 2h ./test/convergence -rapid.checks=$(or $(COUNT),20000)

kills: ## kill -9 of the program at every request, and in random worlds (COUNT=200 of each)
	PROFILESYNC_TEST_KILLS=$(or $(COUNT),200) go test -v -count=1 -timeout 1h ./cmd/profilesync -run Killed

passes: ## pass after pass of a daemon, and what is left behind (COUNT=10000)
	PROFILESYNC_TEST_PASSES=$(or $(COUNT),10000) go test -v -count=1 -timeout 1h ./test/daemon -run ManyPasses

storm: ## three daemons and an etcd, killed, paused and cut off (TIME=5m)
	PROFILESYNC_TEST_STORM=$(or $(TIME),5m) scripts/test-cluster -v -run Storm

bench: ## all benchmarks
	go test -run '^$$' -bench . -benchmem ./...

golden: ## write the golden files anew; read the difference before you commit it
	go test $$(grep -rl --include='*_test.go' 'flag.Bool("update"' . | xargs -n 1 dirname | sort -u) -update

vuln: ## known vulnerabilities that the program reaches (GOVULNDB=DIR for a database on disk)
	$(govulncheck) $(if $(GOVULNDB),-db file://$(abspath $(GOVULNDB))) ./...

modules: ## go.mod and go.sum are complete, tidy and unaltered
	go mod tidy -diff
	go mod verify
	for nested in tools test/cluster test/deploy; do (cd $$nested && go mod tidy -diff); done

test-cluster: ## several daemons with a real etcd in the middle
	scripts/test-cluster $(ARGS)

test-browser: ## the status page in a real Chromium, which has to be there (ARGS=DIR for pictures)
	scripts/test-browser $(ARGS)

test-deploy: ## systemd unit, image, Kubernetes, alerts and dashboard (root, Debian 12)
	scripts/test-deploy $(ARGS)

test-openstack: ## the tests against a real Keystone and Senlin, which it starts (root, Debian 12; ARGS='-v -run NAME')
	scripts/test-openstack $(ARGS)

openstack-down: ## stop and remove what test-openstack has started
	scripts/test-openstack --down

dist: ## static, stripped binaries in dist/ (PLATFORMS="linux/amd64 ..."); `profilesync version` tells the commit
	rm -rf dist
	for platform in $(PLATFORMS); do \
		CGO_ENABLED=0 GOOS=$${platform%/*} GOARCH=$${platform#*/} go build -buildvcs=auto -trimpath -ldflags '-s -w' \
			-o dist/profilesync-$${platform%/*}-$${platform#*/} ./cmd/profilesync; \
	done
	cd dist && sha256sum profilesync-* > SHA256SUMS && ls -l

clean: ## remove what was built
	rm -rf profilesync dist
