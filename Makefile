# hailo-device-manager and hailo-depth. `make help` lists what there is.
#
# Needed: Go, a C compiler, make and npm. Everything else is set up by the
# targets themselves.

.PHONY: help demo test run build build-arm64 onnxruntime onnxruntime-arm64 lint bench eval fuzz clean
.DEFAULT_GOAL := help

IMAGE ?=
FUZZTIME ?= 60s
DATA ?= ../shared/depth-data

GO_BUILD = go build -trimpath -ldflags "-s -w"
STATIC = hailo-device-manager hailo-depth hailo-worker-sim

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' Makefile

demo: build ## estimate a picture (IMAGE=photo.jpg, or a rendered room) with both daemons; results in out/
	@./bin/demo $(if $(IMAGE),--image "$(IMAGE)")

test: build lint build-daemons-arm64 ## run everything that CI runs, setting up what it needs
	@sh scripts/test-setup.sh
	@sh scripts/hailort-test.sh
	go test -race -count=1 ./...

run: build ## serve on http://127.0.0.1:11439 until Ctrl-C
	@./bin/hailo-depth serve --standalone --listen 127.0.0.1:11439 --model-dir models

build: onnxruntime ## build everything into bin/
	@mkdir -p bin
	CGO_ENABLED=0 $(GO_BUILD) -o bin/ $(STATIC:%=./cmd/%) ./demo ./bench
	CGO_ENABLED=1 $(GO_BUILD) -o bin/ ./cmd/hailo-worker-onnx

# Both daemons are pure Go: this needs no cross compiler.
.PHONY: build-daemons-arm64
build-daemons-arm64:
	@mkdir -p bin/arm64
	CGO_ENABLED=0 GOOS=linux GOARCH=arm64 $(GO_BUILD) -o bin/arm64/ $(STATIC:%=./cmd/%)

build-arm64: build-daemons-arm64 onnxruntime-arm64 ## build for the Raspberry Pi into bin/arm64/ (the ONNX worker needs gcc-aarch64-linux-gnu)
	CGO_ENABLED=1 CC=aarch64-linux-gnu-gcc GOOS=linux GOARCH=arm64 $(GO_BUILD) -o bin/arm64/ ./cmd/hailo-worker-onnx

# The library's name has its full version in it, so that the worker is for the
# release that it was built with. The daemons do not depend on it.
HAILORT_INCLUDE ?= /usr/include
HAILORT_LIB ?= /usr/lib
.PHONY: worker-hailort
worker-hailort: ## build the worker for the Hailo-10H against the installed HailoRT (HAILORT_INCLUDE, HAILORT_LIB)
	@release=$$(sh scripts/hailort-headers.sh "$(HAILORT_INCLUDE)" "$(HAILORT_LIB)") && echo "building against HailoRT $$release"
	@mkdir -p bin
	CGO_ENABLED=1 CGO_CXXFLAGS="-O2 -I$(HAILORT_INCLUDE)" CGO_LDFLAGS="-L$(HAILORT_LIB)" $(GO_BUILD) -tags hailort -o bin/ ./cmd/hailo-worker-hailort

.PHONY: hailort-double test-hailort
hailort-double: ## build the test double of HailoRT, which drives no device, into lib/hailort-double/
	@$(MAKE) -s -C hailort/double OUT=$(CURDIR)/lib/hailort-double

test-hailort: ## test the HailoRT worker against the double, also with AddressSanitizer
	@sh scripts/hailort-test.sh

onnxruntime: ## put the ONNX Runtime library into lib/onnxruntime/
	@sh scripts/onnxruntime.sh lib/onnxruntime

onnxruntime-arm64:
	@sh scripts/onnxruntime.sh lib/onnxruntime-arm64 arm64

lint: ## formatting, go vet, staticcheck with the checks of staticcheck.conf
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "gofmt would change:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	go vet ./...
	go tool -modfile=tools/go.mod staticcheck ./...

bench: build ## measure speed and memory of the whole system (several minutes)
	@./bin/bench
	go test -run '^$$' -bench . ./schedule

eval: build ## measure the networks on DATA (default ../shared/depth-data)
	go run ./training/evaluate --data "$(DATA)"

fuzz: ## run every fuzzer for FUZZTIME (default 60s) each
	@sh scripts/fuzz.sh "$(FUZZTIME)"

clean: ## remove what was built
	rm -rf bin lib out
