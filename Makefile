# A bare Debian with python3 (3.11 to 3.13), python3-venv and make is enough; see README.md.
PYTHON ?= python3
VENV ?= .venv
PY = "$(CURDIR)/$(VENV)/bin/python"
STAMP = $(VENV)/installed
CHECKOV = $(VENV)/checkov
# The translated texts as Django reads them; without one it shows English.
TEXTS = $(patsubst %.po,%.mo,$(wildcard locale/*/LC_MESSAGES/django.po))
export PIP_DISABLE_PIP_VERSION_CHECK = 1
# The tests start many processes: each would compile Django anew.
export PYTHONDONTWRITEBYTECODE =
STAGE ?= production
STATIC ?= package
LANGUAGES ?= de es
MESSAGES ?= de es

# Goes with $(VENV), and without a network there is none.
$(CHECKOV)/installed: requirements-checkov.txt $(STAMP)
	@$(PY) -m venv --clear "$(CHECKOV)"
	@if "$(CHECKOV)/bin/python" -m pip install --quiet --no-compile -r requirements-checkov.txt; then touch "$@"; \
	  else echo "checkov: not installed, it cannot be had here"; fi

# What the test of the TypeScript client needs; without it that test is skipped, and says so.
NODE_STAMP = tests/e2e/typescript/node_modules/.package-lock.json

.PHONY: demo env install test test-fast check check-code check-settings check-templates check-packages bench openapi messages pictures package static deploy-check sql stop clean
.DEFAULT_GOAL := demo

# Whole or not at all: an interrupted install is made again.
$(STAMP): requirements-lambda.txt requirements.txt requirements-dev.txt
	@echo "Installing into $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] < (3, 14) else "Python 3.11 to 3.13 is needed: make PYTHON=/path/to/python3.13")'
	@$(PYTHON) -m venv --clear "$(VENV)" || { echo "The venv module is missing: apt-get install python3-venv" >&2; exit 1; }
	@$(PY) -m pip install --quiet --no-compile --require-virtualenv -r requirements-dev.txt
	@touch "$@"

%.mo: %.po | $(STAMP)
	@"$(VENV)/bin/pybabel" -q compile -i "$<" -o "$@"

install: $(STAMP) $(TEXTS)

demo: $(STAMP) $(TEXTS)
	@exec $(PY) manage.py demo

# For a shell: eval "$$(make env)"
env:
	@"$(PYTHON)" -m tools.local.exports "$${IVSVOD_HOME:-.local}"

$(NODE_STAMP): tests/e2e/typescript/package-lock.json
	@if command -v npm >/dev/null && (cd tests/e2e/typescript && npm ci --no-audit --no-fund --loglevel=error); then touch "$@"; \
	  else echo "The test of the TypeScript client is skipped: npm could not install it"; fi

test: $(STAMP) $(TEXTS) $(NODE_STAMP)
	@$(PY) -W error -m pytest -n 3 --dist loadgroup $(ARGS)

# Without browsers, processes and servers of a test's own, and tests that try very many cases.
test-fast: $(STAMP) $(TEXTS)
	@$(PY) -W error -m pytest -n 3 --dist loadgroup -m "not package and not slow" $(ARGS)

# Independent of each other: `make -j2 --output-sync=target check` does two at a time.
check: check-code check-settings check-templates check-packages

check-code: $(STAMP)
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@"$(VENV)/bin/lint-imports" --no-logo
	@"$(VENV)/bin/djlint" --quiet --check --lint templates
	@$(PY) -m vulture

check-settings: $(STAMP)
	@$(PY) manage.py makemigrations --check --dry-run
	@SECRET_KEY=check-only-$$($(PY) -c 'import secrets; print(secrets.token_hex(30))') \
	  FIELD_ENCRYPTION_KEYS=$$($(PY) -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())') \
	  ALLOWED_HOSTS=api.example.com PG_HOST=db.example.com PG_DATABASE=ivsvod PG_USER=ivsvod \
	  RECORDING_BUCKET=example-recordings RECORDING_CONFIG_ARN=arn:aws:ivs:eu-west-1:111122223333:recording-configuration/AbCdEf123456 \
	  DEAD_LETTER_QUEUE_URL=https://sqs.eu-west-1.amazonaws.com/111122223333/ivsvod-dead-letters \
	  AWS_REGION=eu-west-1 PLAYBACK_BASE_URL=https://media.example.com sh -c '$(PY) manage.py check --deploy --fail-level WARNING && $(PY) -m mypy tools ivsvod ondemand channels_app common deploy manage.py'

check-templates: $(STAMP) $(CHECKOV)/installed
	@"$(VENV)/bin/cfn-lint" --regions eu-west-1 --template deploy/*.yaml
	@if [ -e "$(CHECKOV)/installed" ]; then "$(CHECKOV)/bin/python" -m checkov.main -d deploy --framework cloudformation --skip-download --quiet --compact; \
	  else echo "checkov: skipped"; fi

check-packages: $(STAMP)
	@report=$$("$(VENV)/bin/pip-audit" -r requirements.txt --no-deps --disable-pip --progress-spinner off --timeout 5 2>&1) && rc=0 || rc=$$?; \
	  case "$$rc:$$report" in \
	    0:*) echo "pip-audit: no known vulnerabilities in $$(cat requirements-lambda.txt requirements.txt | grep -c ==) packages, $$(echo "$$report" | grep -c 'could not be audited') of them unknown to its database" ;; \
	    *ulnerabilit*) echo "$$report"; exit 1 ;; \
	    *) echo "pip-audit: skipped, its database cannot be had here" ;; \
	  esac

# The description of the API: to be run after a change of a route, a field or a filter, and committed.
openapi: $(STAMP)
	@$(PY) manage.py openapi

# The texts of code and templates, into locale/: to be run after a change of one, translated, run again and committed.
# Needs the package gettext. MESSAGES=fr adds a language.
messages: $(STAMP)
	@mkdir -p locale
	@$(PY) manage.py makemessages --verbosity 0 --no-wrap --no-obsolete --add-location file --ignore tests --ignore build \
	  $(foreach language,$(MESSAGES),--locale $(language))
	@for file in $(foreach language,$(MESSAGES),locale/$(language)/LC_MESSAGES/django); do \
	  sed -i '/^"POT-Creation-Date/d' "$$file.po" && msgfmt --check-format --statistics -o /dev/null "$$file.po" || exit 1; done

# The pictures of README.md, from the demo that runs.
pictures: $(STAMP)
	@$(PY) -m tests.support.readme_pictures

# What Lambda runs, as dist/ivsvod.zip. LANGUAGES has the languages of its texts beside English; STATIC=bucket leaves
# static files out.
package: $(STAMP) $(TEXTS)
	@$(PY) -m deploy.package --stage "$(STAGE)" --languages "$(LANGUAGES)" --static "$(STATIC)"

# Static files into the bucket of a stage.
static: $(STAMP)
	@$(PY) -m deploy.zappa "$(STAGE)" static

# The package, unzipped and read-only, in processes that have what Lambda has; and the deployment on a stand-in for AWS.
deploy-check: package
	@$(PY) -W error -m pytest -n 2 --dist loadgroup -m package $(ARGS)

# Beside the predecessor and a bare application, with up to 1,000,000 videos (BENCH="--sizes 10000 100000" for fewer).
# SCALE=small checks the number of rows that each page reads, which no machine changes.
bench: $(STAMP)
	@$(PY) manage.py bench $(BENCH)

# The functions, triggers and views that a migrated database runs.
sql: $(STAMP)
	@$(PY) -m common.sql

stop:
	@if [ -x $(PY) ]; then $(PY) manage.py stop; else echo "Nothing was running."; fi

clean: stop
	@rm -rf "$(VENV)" .local build dist staticfiles test-artifacts .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage htmlcov tests/e2e/typescript/node_modules
