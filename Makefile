# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# make knows no path with a space in it, so the shell gets the path of this file from its environment.
export MAKEFILE := $(strip $(MAKEFILE_LIST))
run := @"$$(dirname "$$MAKEFILE")/tests/tools/env"

.NOTPARALLEL:
.PHONY: help test timing demo emulator lint nox docs sanity units integration matrix live soak mutants bench release build clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' "$$MAKEFILE"

test: ## Run the unit and functional tests (ARGS are passed on to pytest)
	$(run) test pytest -q -n auto --maxschedchunk=1 tests/functional tests/unit $(ARGS)

timing: ## Run the tests that measure time, on a machine that does nothing else
	$(run) test pytest -q -m timing tests/functional tests/unit $(ARGS)

demo: ## See the modules at work on an emulated Amplitude
	$(run) test demo/run

emulator: ## Serve an emulated Amplitude (PORT=8080, SEED=file, SWITCHES="ids=string latency=0.2", ARGS=--help)
	$(run) test python -m tests.emulator --port "$(or $(PORT),8080)" $(if $(SEED),--seed "$(SEED)") \
		$(foreach switch,$(SWITCHES),--switch "$(switch)") $(ARGS)

lint: ## Check style, licence headers, changelog and playbooks
	$(run) lint ruff check
	$(run) lint ruff format --check
	$(run) lint shellcheck tests/tools/env tests/tools/build tests/tools/docs .ci/run
	$(run) lint mypy
	$(run) lint reuse lint --lines
	$(run) lint antsibull-changelog lint
	$(run) lint python tests/tools/fragments.py
	$(run) lint ansible-lint
	$(run) lint check-jsonschema -q --builtin-schema vendor.github-workflows examples/github-actions.yml
	$(run) lint check-jsonschema -q --builtin-schema vendor.gitlab-ci examples/gitlab-ci.yml

nox: ## Run what collections in the Ansible package share: docs, licences, action group, types, import into Galaxy
	$(run) nox python tests/tools/run_nox.py $(ARGS)

docs: ## Build the documentation site in .cache/docs/html/, and fail on any warning
	$(run) docs tests/tools/docs

sanity: ## Run ansible-test sanity (ARGS are passed on, as for the next two)
	$(run) lint python tests/tools/run_ansible_test.py sanity $(ARGS)

units: ## Run the unit tests the way ansible-test does
	$(run) test python tests/tools/run_ansible_test.py units $(ARGS)

integration: ## Run ansible-test integration
	$(run) test python tests/tools/run_ansible_test.py integration $(ARGS)

matrix: ## Test on all supported versions (ARGS="--list" shows them, "--only oldest,newest" runs these)
	$(run) test python tests/tools/matrix.py $(ARGS)

soak: ## Play random histories for long (HISTORIES=20000, and SEED to play them again)
	$(run) test python tests/tools/soak.py "$(or $(HISTORIES),20000)" "$(SEED)"

mutants: ## See whether the tests notice random small changes (MUTANTS=250, SEED, ARGS="--room _plan")
	$(run) test python tests/tools/mutants.py "$(or $(MUTANTS),250)" "$(SEED)" $(ARGS)

live: ## Test at the real service (with AMPLITUDE_MANAGEMENT_API_KEY, AMPLITUDE_TEST_PROJECT_ID)
	$(run) --live test python tests/live/live.py $(ARGS)

bench: ## Measure, and write the figures to docs/benchmarks.md (ARGS="--only task,hosts --rounds 3" shows some rows)
	$(run) test python -m tests.benchmarks $(ARGS)

release: ## Prepare the release VERSION: the version, the changelog and the archive
	$(run) test python tests/tools/release.py "$(VERSION)"

build: ## Build the archive for Galaxy in .cache/dist/
	@"$$(dirname "$$MAKEFILE")/tests/tools/build"

clean: ## Remove everything that was generated
	@cd "$$(dirname "$$MAKEFILE")" && rm -rf .cache .venv changelogs/.plugin-cache.yaml
