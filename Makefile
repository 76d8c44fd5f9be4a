# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

PYTHON ?= python3
ARGS ?=

# What is made stays in the checkout, in folders that git ignores.
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

# A folder with a stamp is complete: a set-up that was broken off starts again.
READY := $(VENV)/.ready $(CHECKOUT)
READY_V1 := $(SDK_V1)/.ready

NOX := $(VENV)/bin/nox
WITH_VENV := PATH="$(CURDIR)/$(VENV)/bin:$$PATH"

.PHONY: help demo test lint sanity unit playbook browser molecule matrix model bench scale docs build release emulator clean
.DEFAULT_GOAL := help

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z].*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo 'ARGS is passed on: make unit ARGS="-k paging"'

demo: $(READY) ## show the collection at work on an emulated zone
	@$(WITH_VENV) ANSIBLE_COLLECTIONS_PATH="$(CURDIR)/$(COLLECTIONS)" demo/run

test: $(READY) $(READY_V1) ## run all of the six below and sum up
	@$(NOX)

lint: $(READY) ## check style, types, documentation, changelog and licences
	@$(NOX) -s lint

sanity: $(READY) ## run ansible-test sanity
	@$(NOX) -s sanity -- $(ARGS)

unit: $(READY) $(READY_V1) ## run the unit tests
	@$(NOX) -s unit -- $(ARGS)

playbook: $(READY) ## run the tests that run playbooks
	@$(NOX) -s playbook -- $(ARGS)

browser: $(READY) ## test the audit's page in Chromium
	@$(NOX) -s browser -- $(ARGS)

molecule: $(READY) ## run molecule with the collection installed from its tarball
	@$(NOX) -s molecule -- $(ARGS)

matrix: $(CHECKOUT) ## test with all ansible-core releases and Pythons (an hour; ARGS="2.16 lowest" chooses)
	@PYTHONPATH=tests $(PYTHON) -m matrix $(ARGS)

model: $(READY) ## run the model-based test for thousands of steps (some minutes)
	@$(NOX) -s model -- $(ARGS)

bench: $(READY) ## measure the collection beside what people use without it, into docs/benchmarks/
	@PYTHONPATH=tests $(VENV)/bin/python -m benchmark $(ARGS)

scale: $(READY) ## measure a playbook over many zones, into docs/benchmarks/zones.md
	@PYTHONPATH=tests $(VENV)/bin/python -m benchmark.zones $(ARGS)

docs: $(READY) ## make the documentation site in build/docs/, without a network
	@$(NOX) -s docs

build: $(READY) ## make the collection's tarball in build/
	@$(VENV)/bin/ansible-galaxy collection build --force --output-path $(BUILD)

release: $(READY) ## make a release's tarball in build/, check it, and use it in a clean environment
	@$(NOX) -s release -- $(ARGS)

emulator: $(READY) ## start the Cloudflare emulator and stay in the foreground
	@PYTHONPATH=tests $(VENV)/bin/python -m emulator $(ARGS)

clean: ## remove all that make has made
	@rm -rf $(VENV) $(CACHE) $(BUILD) .hypothesis
	@find . -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/.ready: requirements-dev.txt requirements-test.txt
	@$(PYTHON) -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo 'Python 3.11 or later with venv is needed; choose one with: make PYTHON=python3.12 ...'; exit 1; }
	@echo 'Setting up $(VENV) from $< (a minute or two)'
	@$(PYTHON) -m venv --clear $(VENV)
	@$(VENV)/bin/pip install -qq --disable-pip-version-check -r $<
	@touch $@

$(SDK_V1)/.ready: | $(VENV)/.ready
	@echo 'Setting up $(SDK_V1) (half a minute)'
	@$(PYTHON) -m venv --clear $(SDK_V1)
	@$(SDK_V1)/bin/pip install -qq --disable-pip-version-check cloudflare==$(SDK_V1_VERSION)
	@touch $@

$(CHECKOUT):
	@mkdir -p $(@D)
	@ln -sfn ../../../.. $@
