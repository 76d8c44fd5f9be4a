# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

PYTHON ?= python3
ARGS ?=

# Generated files stay in the checkout, in directories that git ignores.
VENV := .venv
CACHE := .cache
BUILD := build

# A release of Cloudflare's SDK that still speaks v1, for checking the emulator with it.
SDK_V1_VERSION := 5.1.0
SDK_V1 := $(CACHE)/cloudflare-sdk-$(SDK_V1_VERSION)
export ORIGINOPS_SDK_V1_PYTHON := $(CURDIR)/$(SDK_V1)/bin/python

# The checkout at the place that its name asks for, which Ansible's tools insist on.
COLLECTIONS := $(CACHE)/collections
CHECKOUT := $(COLLECTIONS)/ansible_collections/originops/cloudflare

# A directory with a stamp is complete: a set-up that was broken off starts again.
READY := $(VENV)/.ready $(CHECKOUT)
READY_V1 := $(SDK_V1)/.ready

SESSIONS := lint sanity unit playbook browser molecule conformance model mutants docs release
WITH_VENV := PATH="$(CURDIR)/$(VENV)/bin:$$PATH"

.PHONY: help demo test $(SESSIONS) matrix inventories bench scale build emulator clean
.DEFAULT_GOAL := help

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z].*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo 'ARGS is passed on: make unit ARGS="-k paging"'

demo: $(READY) ## show the collection at work on an emulated zone
	@$(WITH_VENV) ANSIBLE_COLLECTIONS_PATH="$(CURDIR)/$(COLLECTIONS)" demo/run

test: ## run the six sessions below and print a summary
	@$(MAKE) --silent -j2 $(READY) $(READY_V1)
	@$(VENV)/bin/python tools/run_sessions.py

$(SESSIONS): $(READY)
	@$(VENV)/bin/nox -s $@ -- $(ARGS)

lint: ## check style, types, documentation, changelog and licences
sanity: ## run ansible-test sanity
unit: $(READY_V1) ## run the unit tests
playbook: ## run the tests that run playbooks
browser: ## test the audit's page in Chromium, which root installs by apt-get and others download
molecule: ## run molecule with the collection installed from its tarball

matrix: $(CHECKOUT) ## test with all ansible-core releases and Pythons (an hour; ARGS="2.16 lowest" chooses)
	@$(PYTHON) tools/matrix.py $(ARGS)

inventories: $(CHECKOUT) ## test inventory plugins of clouds, with Python 3.12 (10 minutes; ARGS=inventories-2.19 chooses)
	@$(PYTHON) tools/matrix.py $(or $(ARGS),inventories)

model: ## run the model-based test for thousands of steps, and every fault at every request (some minutes)

conformance: ## check all requests and responses by an OpenAPI description, with npm (ARGS=path takes another)

mutants: $(READY_V1) ## change the core at random and count what the unit tests notice (25 minutes)

bench: $(READY) ## measure the collection and its alternatives, into docs/benchmarks/
	@PYTHONPATH=tools:tests $(VENV)/bin/python -m benchmark $(ARGS)

scale: $(READY) ## measure a playbook over many zones, into docs/benchmarks/zones.md
	@PYTHONPATH=tools:tests $(VENV)/bin/python -m benchmark.zones $(ARGS)

docs: ## make the documentation site in build/docs/, without a network

build: $(READY) ## make the collection's tarball in build/
	@$(VENV)/bin/ansible-galaxy collection build --force --output-path $(BUILD)

release: ## make a release's tarball in build/, check it, and use it in a clean environment

emulator: $(READY) ## start the Cloudflare emulator and stay in the foreground
	@PYTHONPATH=tests $(VENV)/bin/python -m emulator $(ARGS)

clean: ## remove all generated files
	@rm -rf $(VENV) $(CACHE) $(BUILD) .hypothesis
	@find . -name __pycache__ -prune -exec rm -rf {} +

CHECK_PYTHON := $(PYTHON) -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	{ echo 'Python 3.11 or later with venv is needed; choose one with: make PYTHON=python3.12 ...'; exit 1; }
PIP_INSTALL := pip install -qq --disable-pip-version-check --no-compile

$(VENV)/.ready: requirements-dev.txt requirements-test.txt
	@$(CHECK_PYTHON)
	@echo 'Setting up $(VENV) from $< (a minute or two)'
	@$(PYTHON) -m venv --clear $(VENV)
	@$(VENV)/bin/$(PIP_INSTALL) -r $<
	@touch $@

$(SDK_V1)/.ready:
	@$(CHECK_PYTHON)
	@echo 'Setting up $(SDK_V1) (half a minute)'
	@$(PYTHON) -m venv --clear $(SDK_V1)
	@$(SDK_V1)/bin/$(PIP_INSTALL) cloudflare==$(SDK_V1_VERSION)
	@touch $@

$(CHECKOUT):
	@mkdir -p $(@D)
	@ln -sfn ../../../.. $@
