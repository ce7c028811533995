# Everything lands in target/, beside the system packages that tests/setup names when it installs them.
export CARGO_TARGET_DIR ?= $(CURDIR)/target
export PATH := $(CARGO_TARGET_DIR)/tools/bin:$(PATH)
# Many tests wait for leases and retries to run out: one more at a time than there are cores saves minutes on small machines.
export RUST_TEST_THREADS ?= $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1)))
# The demo and the tests start a broker and a store of their own, whatever this shell is set up to use.
unexport NATS_URL STORE_URL

demo := $(CARGO_TARGET_DIR)/demo
# Cargo's features are those of all packages that are built at once: programs and examples in one go are built once.
release := cargo build --release --workspace --bins

.PHONY: help demo test lint upgrade soak fuzz bench bench-peers bench-quality bench-handbrake bench-split packages portable up down clean
help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Encode four sample clips to HEVC on this machine: no server needed
	@tests/setup demo
	cargo build --release -p ffmpeg-easy-producer -p ffmpeg-easy-worker
	@rm -rf "$(demo)" && mkdir -p "$(demo)" && cp -R "$(CARGO_TARGET_DIR)/tools/clips" "$(demo)/in"
	"$(CARGO_TARGET_DIR)/release/producer" encode "$(demo)/in" -o "$(demo)/out" --encoder libx265
	@echo "The results are in $(demo)/out:" && ls -lR "$(demo)/out"

test: ## Run every test, on a real broker, store, ffmpeg and browser
	@tests/setup test
	@tests/clips
	cargo build --workspace --all-targets
	cargo test --workspace

lint: ## Check formatting, lints, dependencies, spelling and the page's types
	@tests/setup lint
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo shear
	cargo deny check -D warnings bans licenses sources
	@tests/advisories
	typos
	monitor/src/page/types/check
	deploy/kubernetes/check

upgrade: ## Run old and new programs on one farm: those of an earlier commit, and these
	@tests/setup test
	@tests/clips
	@tests/upgrade
	cargo build --workspace --all-targets
	cargo test --workspace --test upgrade -- --ignored

soak: ## Break the farm again and again for SOAK_MINUTES (5), and check that nothing is lost
	@tests/setup test
	@tests/clips
	$(release) --example soak
	"$(CARGO_TARGET_DIR)/release/examples/soak"

fuzz: ## Search for FUZZ_SECONDS (60) each for texts that break the readers of recipes, of ffprobe and of ffmpeg
	@tests/setup fuzz
	tests/fuzz/run

bench: ## Measure the whole farm
	@tests/setup test
	$(release) --example bench
	"$(CARGO_TARGET_DIR)/release/examples/bench"

bench-peers: ## Measure jobs that do nothing, beside other queues
	@tests/setup peers
	$(release) --example bench
	tests/peers/run

bench-quality: ## Measure how much alike one quality looks on all encoders
	@tests/setup test
	tests/quality table

bench-handbrake: ## Encode beside HandBrakeCLI: size, quality and time
	@tests/setup handbrake
	cargo build --release -p ffmpeg-easy-producer -p ffmpeg-easy-worker
	tests/peers/handbrake

bench-split: ## Measure how much sooner many workers are done with one film
	@tests/setup split
	$(release)
	tests/peers/split

packages: ## Make a .deb, an .rpm and an archive of the programs, and try them
	@tests/setup packages
	deploy/packages/build
	deploy/packages/check

portable: ## Check that the programs compile for Windows, macOS and static Linux
	@tests/setup portable
	tests/portable

up: ## Start a whole farm in containers
	@tests/setup docker
	$(compose) up -d --build

down: ## Stop the containers; their volumes stay
	$(compose) down

# Old installs have Compose as a program of its own.
compose = $(shell docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose)

clean: ## Delete all that was built or brought here
	rm -rf "$(CARGO_TARGET_DIR)"
