# Every target works from a fresh clone on a machine with Go and a C compiler.

GO ?= go
RUN ?= run-$(shell date +%Y%m%d-%H%M%S)
BENCHTIME ?= 1s
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
# Packages that start goroutines or processes.
CONCURRENT = ./cpu ./task/... ./meta/... ./cmd/rsie
# Packages with tests that write a golden file or a page of the documentation anew when given
# -update.
GOLDEN = ./meta/store ./bench

.PHONY: run test race asan lint bench golden reference nocgo exports browser planted devices bench-peers test-cuda broken kernels kernels-check gpu-check

# run learns strategies on the embedded quick suite and writes them to a new folder.
run:
	$(GO) run ./cmd/rsie evolve --suite quick --out $(RUN)

# test is what a change has to pass first.
test:
	$(GO) test ./...

# race runs the packages with concurrency under the race detector. Left out are the test that
# bounds the program's memory, which the detector multiplies, and one that repeats whole searches,
# whose concurrency the kill tests of the program cover, the replicates of the planted effects, which
# start no goroutine, and the tests of the kernels in C, which the detector does not look into.
race:
	$(GO) test -race -timeout 20m -skip 'TestBadInput|TestSameSeedSameBytes|TestPlantedEffects|TestNative' $(CONCURRENT)

# asan runs the native backend under the address sanitizer, which reports memory of the C kernels that is
# misused, or not freed when a test program ends.
asan:
	$(GO) test -asan -run 'Native' -timeout 30m ./cpu ./kernels

# lint prints nothing when all is well.
lint:
	@unformatted=$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go')); \
	if [ -n "$$unformatted" ]; then echo "not formatted by gofmt:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

# nocgo builds everything as on a machine without a C compiler, and tests what then differs.
nocgo:
	CGO_ENABLED=0 $(GO) build ./...
	CGO_ENABLED=0 $(GO) vet ./...
	CGO_ENABLED=0 $(GO) test . ./cpu ./kernels ./gpu ./task/... ./meta ./cmd/rsie

# exports reads every exported format back with the tool it is meant for, which it installs from
# the pinned list into EXPORTS_VENV.
EXPORTS_VENV ?= bin/exports-venv
exports:
	python3 -m venv $(EXPORTS_VENV) || { apt-get update -qq && apt-get install -y -qq python3-venv && python3 -m venv $(EXPORTS_VENV); }
	$(EXPORTS_VENV)/bin/pip install --quiet -r report/export/testdata/requirements.txt
	RSIE_PYTHON=$(abspath $(EXPORTS_VENV))/bin/python $(GO) test ./report/export -run TestToolsReadExports -count=1 -v

# browser opens the report and the live page in headless Chromium, which it installs from Debian's
# packages where it is absent, and leaves screenshots in BROWSER_OUT.
BROWSER_VENV ?= bin/browser-venv
BROWSER_OUT ?= bin/browser
browser:
	command -v chromium >/dev/null || { apt-get update -qq && apt-get install -y -qq chromium; }
	python3 -m venv $(BROWSER_VENV) || { apt-get update -qq && apt-get install -y -qq python3-venv && python3 -m venv $(BROWSER_VENV); }
	$(BROWSER_VENV)/bin/pip install --quiet -r report/testdata/requirements.txt
	rm -rf $(BROWSER_OUT) && mkdir -p $(BROWSER_OUT)
	$(GO) build -o $(BROWSER_OUT)/rsie ./cmd/rsie
	$(BROWSER_VENV)/bin/python report/testdata/browser.py $(abspath $(BROWSER_OUT))/rsie $$(command -v chromium) $(abspath $(BROWSER_OUT))

# bench prints time, evaluations and allocations of every operation; BENCHTIME=1x is a quick look.
bench:
	$(GO) test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) ./...

# golden writes the outputs and tables of the documentation anew, and the golden files, and shows
# what that changed. Golden files are promises to the readers of files: a difference needs a new
# version of the format, not a commit.
golden:
	$(GO) test $(GOLDEN) -run 'Golden|Docs' -count=1 -update
	git --no-pager diff --stat -- README.md docs examples
	git --no-pager diff --stat -- '*testdata*'
	git --no-pager diff --exit-code -- '*testdata*'

# reference compares whole runs on every task with those of an independent library and prints
# the table.
reference:
	RSIE_REFERENCE=full $(GO) test ./bench -run 'TestReferenceRuns|TestDistributions|TestStudied|TestBBOB|TestExplain' -count=1 -v -timeout 120m

# planted proves coverage, power and false discovery rate of rsie explain on known effects, and
# writes bench/results/planted_effects.md; a quarter of an hour.
planted:
	RSIE_PLANTED=full $(GO) test ./meta/explain -run TestPlantedEffects -count=1 -v -timeout 120m

# devices compares the search of level 2 without each of its parts, random search and iterated
# racing at one meta-budget and prints the table of bench/results/devices.md; a quarter of an hour of
# one processor. It keeps each search in a file, so that one that was stopped goes on; make it anew
# after a change of the code.
devices:
	mkdir -p bin
	RSIE_DEVICES=$(abspath bin/devices.jsonl) $(GO) test ./bench -run TestDevices -count=1 -v -timeout 120m

# bench-peers times the work of other libraries and ours on core CORE and prints one table. It installs the
# libraries from a pinned list below bin, where it also keeps what it measured, so that ROWS, such as
# 'svd-*,start', measures some rows anew and prints the table of all. PEERS=--busy is for a machine with
# other work; PEERS='--out bench/results/peers.md' publishes the table.
PEERS_VENV ?= bin/peers-venv
ROWS ?= *
PEERS ?=
CORE ?= 0
bench-peers:
	test -f $(PEERS_VENV)/complete || { rm -rf $(PEERS_VENV) && python3 -m venv $(PEERS_VENV) && \
		$(PEERS_VENV)/bin/pip install --quiet -r bench/peers/requirements.txt && touch $(PEERS_VENV)/complete; }
	@mkdir -p bin/peers
	$(GO) test -c -o bin/peers/cpu.test ./cpu
	$(GO) test -c -o bin/peers/bench.test ./bench
	$(GO) build -o bin/peers/rsie ./cmd/rsie
	CORE=$(CORE) $(PEERS_VENV)/bin/python bench/peers/compare.py --measure --rows '$(ROWS)' $(PEERS)

# What follows needs no device, no root and no CUDA installation: pip fetches headers and compilers
# of a fixed version, and an emulated driver stands in for libcuda.
PYTHON ?= python3
CXX ?= g++
CUDA := $(CURDIR)/bin/cuda
CUDA_PACKAGES := $(CUDA)/packages
CUDA_INCLUDE := $(CUDA_PACKAGES)/nvidia/cuda_runtime/include
# The compiler reads these; with CGO_CFLAGS all C would be compiled once more for this tag.
CUDA_BUILD = CPATH=$(CUDA_INCLUDE) LIBRARY_PATH=$(CUDA)/lib
EMULATED = $(CUDA_BUILD) LD_LIBRARY_PATH=$(CUDA)/lib
EMU = kernels/emu
EMU_FLAGS = -std=gnu++17 -O2 -g -fPIC -Wall -ffp-contract=off $(SANITIZE) \
	$(shell grep -qw fma /proc/cpuinfo 2>/dev/null && echo -mfma)
EMU_PARTS = kernels block memory missing driver
SEEDS ?= 1 2
ASAN_RUNTIME = $(shell $(CXX) -print-file-name=libasan.so)

$(CUDA_PACKAGES)/complete: kernels/requirements.txt
	$(PYTHON) -m pip install --quiet --no-deps --upgrade --target $(CUDA_PACKAGES) -r $<
	touch $@

# The emulated driver in lib, and in asan the same under AddressSanitizer.
$(CUDA)/asan/%: SANITIZE = -fsanitize=address
define EMULATOR
$(CUDA)/$(1)/kernels.o: $(wildcard kernels/*.h kernels/*.def kernels/*.cu)
$(CUDA)/$(1)/driver.o: $(CUDA_PACKAGES)/complete
$(CUDA)/$(1)/%.o: $(EMU)/%.cpp $(wildcard $(EMU)/*.h $(EMU)/*.def)
	@mkdir -p $(CUDA)/$(1)
	$$(CXX) $$(EMU_FLAGS) $$(if $$(filter kernels,$$*),-DRSIE_EMULATED -include $(EMU)/cuda_emulation.h) \
		-I$(CUDA_INCLUDE) -c $$< -o $$@
$(CUDA)/$(1)/libcuda.so.1: $(EMU_PARTS:%=$(CUDA)/$(1)/%.o)
	$$(CXX) $$(EMU_FLAGS) -shared -Wl,-soname,libcuda.so.1 -Wl,-z,now $$^ -o $$@
	ln -sf libcuda.so.1 $(CUDA)/$(1)/libcuda.so
endef
$(eval $(call EMULATOR,lib))
$(eval $(call EMULATOR,asan))

# test-cuda runs the CUDA program on the emulated driver: every kernel and whole runs have the bits
# of the native backend, for each order of threads of SEEDS on as many multiprocessors, and so has
# the program's output; then a part once more under AddressSanitizer.
test-cuda: kernels-check $(CUDA)/lib/libcuda.so.1 $(CUDA)/asan/libcuda.so.1
	$(EMULATED) $(GO) vet -tags cuda ./gpu ./kernels ./cmd/rsie
	$(EMULATED) $(GO) test -tags cuda -c -o $(CUDA)/gpu.test ./gpu
	cd gpu; all=; for seed in $(SEEDS); do \
		$(EMULATED) RSIE_REQUIRE_BACKEND=cuda RSIE_EMU_SEED=$$seed RSIE_EMU_PROCESSORS=$$seed \
			RSIE_EMU_LOG=$(CUDA)/launched-$$seed $(CUDA)/gpu.test & all="$$all $$!"; \
	done; for one in $$all; do wait $$one || exit 1; done
	$(EMULATED) $(GO) build -tags cuda -o $(CUDA)/rsie ./cmd/rsie
	$(EMULATED) RSIE_REQUIRE_BACKEND=cuda $(CUDA)/rsie doctor --backend cuda
	$(EMULATED) sh gpu/testdata/same-output.sh $(CUDA)/rsie
	cd gpu && RSIE_REQUIRE_BACKEND=cuda LD_LIBRARY_PATH=$(CUDA)/asan LD_PRELOAD=$(ASAN_RUNTIME) \
		ASAN_OPTIONS=detect_leaks=0:handle_segv=0:handle_sigbus=0:detect_stack_use_after_return=0 \
		$(CUDA)/gpu.test -test.run '^TestConform$$'

# broken breaks the kernels in six ways, one at a time, and prints which test notices each.
broken: $(CUDA)/lib/libcuda.so.1
	$(EMULATED) $(GO) test -tags cuda -c -o $(CUDA)/gpu.test ./gpu
	$(EMULATED) sh gpu/testdata/broken.sh $(CUDA) "$(CXX)" "$(EMU_FLAGS)" $(CUDA_INCLUDE)

# kernels compiles the kernels to PTX and tabulates their registers and memory; both are committed.
kernels: $(CUDA_PACKAGES)/complete
	$(PYTHON) kernels/images/build.py $(CUDA_PACKAGES)

# kernels-check fails where kernels would change what is committed.
kernels-check: $(CUDA_PACKAGES)/complete
	$(PYTHON) kernels/images/build.py $(CUDA_PACKAGES) --check

# gpu-check does on a machine with a device what test-cuda does without, and more; it prints a table.
gpu-check: $(CUDA)/lib/libcuda.so.1
	$(CUDA_BUILD) sh gpu/testdata/check.sh
