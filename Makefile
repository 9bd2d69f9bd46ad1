# Two commands do everything on a fresh Debian 12:
#   make run    install what is missing, then take a real release to a local apt archive
#   make test   install what is missing, then run the whole test suite
# Both can be repeated; what is there already is left as it is.

TOOL ?= awscli
PYTHON ?= /usr/bin/python3
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
VENV := .venv

RUN_PACKAGES := apt autopkgtest bubblewrap ca-certificates debhelper devscripts dh-python \
	distro-info-data dpkg-dev dput fakeroot git gnupg gpgv iproute2 licensecheck lintian mmdebstrap openssh-client python3-pip python3-venv quilt reprepro \
	sbuild tar uidmap util-linux xz-utils zstd
TEST_PACKAGES := arch-test build-essential chromium chromium-driver curl faketime fonts-dejavu-core git-buildpackage help2man minisign openssh-client openssl postgresql pristine-tar python3-aiosmtpd python3-boto3 python3-celery python3-click python3-debian python3-gnupg python3-hypothesis \
	python3-flask python3-jinja2 python3-jmespath python3-jsonschema python3-launchpadlib python3-license-expression python3-lxml python3-prometheus-client \
	python3-psycopg python3-pytest python3-pytest-xdist \
	python3-redis python3-regex python3-requests python3-rich python3-urllib3 python3-waitress python3-zstandard redis-server ruby signify-openbsd strace

DEB_PACKAGES := build-essential debhelper dpkg-dev lintian pybuild-plugin-pyproject python3-all \
	python3-setuptools systemd
DEB_CHECK_PACKAGES := mmdebstrap piuparts

.PHONY: additions adoptions run test test-ppa quick lint bench bench-check bench-bounds bench-license bench-page bench-repack cases cases-license license-texts deb deb-check deb-clean faults fuzz genuine screenshots \
	clean keyrings packages-run packages-test ids

run: packages-run ids $(VENV)/.run
	@$(VENV)/bin/toolsync sync $(TOOL)
	@echo
	@echo "# Put this stanza into /etc/apt/sources.list.d/toolsync.sources on any machine:"
	@$(VENV)/bin/toolsync archive sources

# Packages whose code and tests use no library but Python's own: tested once.
OURS_ALONE := attest binding compat fetch git pipeline scaffold verify
# Tests that start programs, and whose libraries other tests use in the same ways: tested once.
PROGRAMS_ALONE := add_packaging adopt architectures archive_formats archive_key at_once damage doors endless_files git_import git_propose journal_copy key_life license_notice_way \
	local log longlife odd_names packaging ppa_copy ppa_cost ppa_origs ppa_rules ppa_series recalls renamed retire \
	snapshots stop upgrade workspace

test: packages-test packages-deb ids $(VENV)/.test keyrings $(VENV)/.sigstore $(VENV)/.moto $(VENV)/.schemathesis $(VENV)/.txpkgupload $(VENV)/.axe lint
	@# Where Python is told to write no bytecode, each program of ours that a test starts compiles it.
	@$(VENV)/bin/python -m compileall -q -j 2 toolsync tests
	@echo "== quick tests, on the newest libraries"
	@tests/in-memory $(VENV)/bin/pytest -n 2 --dist worksteal -m "not slow"
	@echo "== those that touch a library, on Debian's own libraries"
	@tests/in-memory $(PYTHON) -m pytest -n 2 --dist loadfile -m "not slow" -p no:cacheprovider $(OURS_ALONE:%=--ignore=tests/unit/%) \
	  $(PROGRAMS_ALONE:%=--ignore=tests/service/test_%.py) --ignore-glob='tests/unit/test_*.py'
	@echo "== slow tests: clean chroots, real builds, kills"
	@tests/in-memory $(VENV)/bin/pytest -n 2 --dist loadgroup -m slow --durations=10 -o tmp_path_retention_policy=failed

lint: $(VENV)/.test
	@$(VENV)/bin/ruff check toolsync tests setup.py
	@$(VENV)/bin/ruff format --check -q toolsync tests setup.py
	@$(VENV)/bin/mypy
	@$(VENV)/bin/vulture

# Cases of watch files, each served on the loopback and replayed in both forms of its watch file.
CASES ?= ../shared/cases/uscan
cases: packages-test $(VENV)/.test
	@$(VENV)/bin/python -m tests.tools.cases $(CASES)

# Pairs of real releases, and mutations of license texts, replayed through the license gate.
CASES_LICENSE ?= ../shared/cases/license
cases-license: packages-test $(VENV)/.test
	@$(VENV)/bin/python -m tests.tools.license_cases $(CASES_LICENSE) --cache $(VENV)/cases-license

# License files of real origs of Debian, which come by apt-get source.
license-texts: packages-test $(VENV)/.test
	@$(VENV)/bin/python -m tests.tools.license_texts --cache $(VENV)/license-texts

# A small project of each way of building, from `toolsync add` to apt, in clean chroots; needs root.
additions: packages-test packages-run ids $(VENV)/.test
	@$(VENV)/bin/python -m tests.tools.additions

# Real packages of Debian, adopted and taken to apt; hours long on a slow machine, and needs root.
AT_ONCE ?= 2
adoptions: packages-test packages-run ids keyrings $(VENV)/.test
	@$(VENV)/bin/python -m tests.tools.adoptions --cache $(or $(CACHE),$(VENV)/adoptions) --at-once $(AT_ONCE); \
	  end=$$?; $(VENV)/bin/python -m tests.tools.adoptions_table --cache $(or $(CACHE),$(VENV)/adoptions); exit $$end

# The shipped tools on genuine releases, which lie in TREES/TOOL/ (tests/tools/genuine.py); root's.
TREES ?= ../trees
SERIES ?= bookworm
genuine: packages-test packages-run ids keyrings $(VENV)/.test $(VENV)/.moto
	@$(VENV)/bin/python -m tests.tools.genuine $(TREES) $(SERIES:%=--series %)

quick: $(VENV)/.test $(VENV)/.sigstore lint
	@tests/in-memory $(VENV)/bin/pytest -n 2 --dist worksteal -m "not slow"

# $(call install,PACKAGES): say what is missing and install it.
define install
	@missing=$$(comm -23 <(printf '%s\n' $(1) | sort -u) \
	  <(dpkg-query -W -f '$${db:Status-Status} $${Package}\n' $(1) 2>/dev/null \
	    | sed -n 's/^installed //p' | sort -u)); \
	if [ -n "$$missing" ]; then \
	  echo "Installing Debian packages:" $$missing; \
	  $(SUDO) apt-get update -qq; \
	  $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends \
	    $$missing >/dev/null; \
	fi
endef

packages-run:
	$(call install,$(RUN_PACKAGES))

packages-test:
	$(call install,$(RUN_PACKAGES) $(TEST_PACKAGES))

packages-deb:
	$(call install,$(DEB_PACKAGES))

# Clean chroots map users; root and people alike need a range of ids for that (subuid(5)).
ids:
	@for file in /etc/subuid /etc/subgid; do \
	  grep -qs "^$$(id -un):" $$file || { \
	    echo "Adding a range of ids for $$(id -un) to $$file"; \
	    echo "$$(id -un):100000:65536" | $(SUDO) tee -a $$file >/dev/null; }; \
	done

# Ubuntu's keys, of which Debian has no package; chroots of its series are made with them.
keyrings: $(VENV)/.test
	@[ -e /usr/share/keyrings/ubuntu-archive-keyring.gpg ] || [ -e /etc/apt/keyrings/ubuntu-archive-keyring.gpg ] \
	  || $(SUDO) $(VENV)/bin/toolsync --state $(VENV)/keyrings series keyring noble

$(VENV)/.run: setup.py | packages-run
	@echo "Installing the Python libraries into $(VENV)"
	@[ -x $(VENV)/bin/pip ] || $(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/pip install -qq --use-pep517 -e '.[ppa]' 2>&1 | { grep -v '^WARNING: Location' || true; }
	@touch $@

$(VENV)/.test: setup.py | packages-test
	@echo "Installing the Python libraries, with those for tests, into $(VENV)"
	@[ -x $(VENV)/bin/pip ] || $(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/pip install -qq --use-pep517 -e '.[ppa,test]' 2>&1 | { grep -v '^WARNING: Location' || true; }
	@touch $(VENV)/.run $@

$(VENV)/.sigstore: | $(VENV)/.test
	@echo "Installing sigstore, which judges Sigstore's proofs, into $(VENV)/sigstore"
	@$(PYTHON) -m venv $(VENV)/sigstore
	@$(VENV)/sigstore/bin/pip install -qq 'sigstore>=4,<5' 2>&1 | { grep -v '^WARNING: Location' || true; }
	@touch $@

$(VENV)/.moto: | $(VENV)/.test
	@echo "Installing moto, an EC2 to test against, into $(VENV)/moto"
	@$(PYTHON) -m venv $(VENV)/moto
	@$(VENV)/moto/bin/pip install -qq 'moto[server]' 2>&1 | { grep -v '^WARNING: Location' || true; }
	@touch $@

$(VENV)/.schemathesis: | $(VENV)/.test
	@echo "Installing schemathesis, which tries the API by its description, into $(VENV)/schemathesis"
	@$(PYTHON) -m venv $(VENV)/schemathesis
	@$(VENV)/schemathesis/bin/pip install -qq 'schemathesis>=4,<5' 2>&1 | { grep -v '^WARNING: Location' || true; }
	@touch $@

# The Debian packages, built in a copy of what git tracks, so that nothing is left here.
DEB_WORK ?= build/deb
DEB_DIST ?= dist
deb: packages-test packages-deb
	@rm -rf $(DEB_WORK) && mkdir -p $(DEB_WORK)/toolsync $(DEB_DIST)
	@git ls-files -z | xargs -0 ls -d 2>/dev/null | tar -cf - -T - | tar -xf - -C $(DEB_WORK)/toolsync
	@cd $(DEB_WORK)/toolsync && PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	  dpkg-buildpackage -us -uc $(DEB_FLAGS) >../build.log 2>&1 || { tail -50 ../build.log; exit 1; }
	@rm -f $(DEB_DIST)/toolsync*_* && cp $(DEB_WORK)/toolsync*_* $(DEB_DIST)/
	@ls $(DEB_DIST)/toolsync*_*.deb

deb-check: deb
	$(call install,$(DEB_CHECK_PACKAGES))
	@debian/check $(DEB_DIST)

# Our own package built with its Build-Depends alone, installed and run where nothing else is; root's.
CLEAN_SERIES ?= bookworm trixie noble
deb-clean: packages-test packages-run ids keyrings $(VENV)/.test
	@$(VENV)/bin/python -m tests.tools.own_package $(CLEAN_SERIES:%=--series %)

$(VENV)/.txpkgupload: | $(VENV)/.test
	@echo "Installing txpkgupload, Launchpad's upload server to test against, into $(VENV)/txpkgupload"
	@$(PYTHON) -m venv $(VENV)/txpkgupload
	@$(VENV)/txpkgupload/bin/pip install -qq txpkgupload==0.5 2>&1 | { grep -v '^WARNING: Location' || true; }
	@touch $@

# What concerns Launchpad's archives alone, with the tables that its tests print.
test-ppa: packages-test ids $(VENV)/.test $(VENV)/.txpkgupload
	@$(VENV)/bin/pytest -s $(wildcard tests/*/test_ppa_*.py tests/*/test_launchpad_*.py tests/unit/publish/test_*.py)

# What a page in a browser is examined with; npm's own client brings it.
$(VENV)/.axe: | $(VENV)/.test
	@command -v npm >/dev/null || { $(SUDO) apt-get update -qq && $(SUDO) apt-get install -qq --no-install-recommends npm >/dev/null; }
	@echo "Installing axe-core into $(VENV)/axe"
	@npm install --silent --no-audit --no-fund --prefix $(VENV)/axe axe-core
	@touch $@

screenshots: packages-test $(VENV)/.test
	@$(VENV)/bin/python -m tests.tools.pictures docs/images

# Measurements beside other programs; minutes long, and no part of `make test`.
bench: bench-check bench-page bench-repack

bench-check: packages-test $(VENV)/.test $(VENV)/.nvchecker
	@$(VENV)/bin/python -m tests.bench.check --nvchecker $(VENV)/nvchecker/bin/nvchecker

bench-page: $(VENV)/.test
	@$(VENV)/bin/python -m tests.bench.page

# Ten thousand expressions by a generator of exploding forms, each on a hostile text: the slowest.
bench-bounds: packages-test $(VENV)/.test
	@$(VENV)/bin/python -m tests.support.hostile 10000

# Throughput of 1, 2, 4 and 8 workers whose builds sleep; 100 kills of workers, coordinators, broker and database; and 100
# more while whole releases are published, which the archive itself must have included once each.
bench-fleet: packages-test $(VENV)/.test
	@$(VENV)/bin/python -m tests.bench.fleet
	@$(VENV)/bin/python -m tests.bench.kills --kills 100 --tasks 300
	@$(VENV)/bin/python -m tests.bench.kills --kills 100 --releases 40 --series 2

# Four real builds one by one and two at once, eight that sleep, and one beside its programs by hand.
bench-scale: packages-test $(VENV)/.test
	@$(VENV)/bin/python -m tests.bench.scale
bench-builds: packages-test $(VENV)/.test
	@$(VENV)/bin/python -m tests.bench.builds

bench-repack: packages-test $(VENV)/.test
	@$(VENV)/bin/python -m tests.bench.repack

# Terms of a release beside a full licensecheck: awscli 1.46.1 and 1.46.2 come through pip.
bench-license: packages-test $(VENV)/.test
	@$(VENV)/bin/pip download -qq --no-deps --no-binary :all: -d $(VENV)/awscli awscli==1.46.1
	@$(VENV)/bin/pip download -qq --no-deps --no-binary :all: -d $(VENV)/awscli awscli==1.46.2
	@$(VENV)/bin/python -m tests.bench.license $(VENV)/awscli/awscli-1.46.{1,2}.tar.gz

$(VENV)/.nvchecker: | $(VENV)/.test
	@echo "Installing nvchecker, to measure beside, into $(VENV)/nvchecker"
	@$(PYTHON) -m venv $(VENV)/nvchecker
	@$(VENV)/nvchecker/bin/pip install -qq nvchecker 2>&1 | { grep -v '^WARNING: Location' || true; }
	@touch $@

# Inputs by coverage-guided mutation for the readers of strangers' bytes; SECONDS for each target.
FUZZ_SECONDS ?= 60
fuzz: $(VENV)/.fuzz
	@for target in archive tar page watchfile version sums bundle forge graphql; do \
	  echo "== $$target"; \
	  $(VENV)/fuzz/bin/python -m tests.tools.fuzz $$target --seconds $(FUZZ_SECONDS) 2>&1 \
	    | grep -aE '^Done|SUMMARY|ERROR|artifact|slowest' ; \
	done

$(VENV)/.fuzz: | $(VENV)/.test
	@echo "Installing atheris, to fuzz with, into $(VENV)/fuzz"
	@$(PYTHON) -m venv $(VENV)/fuzz
	@$(VENV)/fuzz/bin/pip install -qq --use-pep517 -e . atheris zstandard 2>&1 \
	  | { grep -v '^WARNING: Location' || true; }
	@touch $@

# Faults injected with strace into every kind of call by which a sync changes the disk: about six CPU-seconds each.
FAULTS ?= 220
faults: packages-test $(VENV)/.test
	@$(VENV)/bin/python -m tests.tools.faults --points $(FAULTS)
	@for command in "archive repair" restore "key rotate" retire; do \
	  echo "== $$command"; \
	  $(VENV)/bin/python -m tests.tools.faults --points 20 --of "$$command" || exit 1; \
	done

clean:
	@rm -rf $(VENV) build dist *.egg-info
