"""Every variable, command, file and link that README.md, CONTRIBUTING.md and docs/ name exists."""

import re
import shlex
from collections.abc import Iterator

import pytest
from django.core.management import get_commands, load_command_class

from ivsvod import lambda_entry
from ondemand.models.publication import Listing
from tests.support.documentation import (
    PAGES,
    ROOT,
    commands,
    deployed_variables,
    heading_ids,
    page,
    quoted,
    read,
    section,
    settings_variables,
    typed,
)

EACH = pytest.mark.parametrize("path", PAGES)
LOCAL_VARIABLES = {"IVSVOD_HOME", "IVSVOD_LOCAL", "PROTECTED"}
# Names of AWS, of the predecessor, of tools, of the code, and placeholders for something of the reader's.
FOREIGN_VARIABLES = {
    *("AWS_DEFAULT_REGION", "AWS_USE_DUALSTACK_ENDPOINT", "AWS_LAMBDA_FUNCTION_NAME", "LAMBDA_PYTHON"),
    *("CAPABILITY_IAM", "INSUFFICIENT_DATA"),
    *("CONVERGENCE_EXAMPLES", "CONVERGENCE_SEED", "CONVERGENCE_S3"),
    *("DETAIL_TYPES", "NAME_FIELDS", "EVENT_HANDLERS", "ADD_TAGS", "TO_REVIEW"),
    *("MAX_ACCEPTED_DURATION_MS", "MAX_RECORDING_DURATION"),
    *("SUBNET_1", "SECURITY_GROUP", "SECURITY_GROUP_2"),
    *("THE_ARN_OF_IT", "OWNER_SECRET", "THE_GROUP_OF_THE_FIRST", "THE_EVENT_ID", "THE_ID", "EACH_OF_THEM"),
    *("ITS_RULE_FOR_RECORDING_END", "ITS_MAPPING", "ITS_STACK", "ITS_DATABASE", "OUR_REST_API"),
}
# Made by following the pages.
MADE = ("build/", "dist/", "deploy/production.env", "deploy/<stage>.env", "ivsvod/rds.pem")
# A scope with the name of its resource.
SCOPE = "ivsvod/curate"


@EACH
def test_every_variable_exists(path: str) -> None:
    named = set(re.findall(r"(?<![\w-])[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+(?!\w)", read(path)))
    # Checks of checkov have names of that form too.
    named = {each for each in named if not each.startswith("CKV_")}
    assert not named - settings_variables() - deployed_variables() - LOCAL_VARIABLES - FOREIGN_VARIABLES


def test_the_page_of_the_configuration_has_each_variable_of_the_settings_once() -> None:
    cells = re.findall(r"^\| (`[^|]+) \|", page("configuration"), re.MULTILINE)
    variables = [variable for cell in cells for variable in quoted(cell)]
    assert len(variables) == len(set(variables))
    assert set(variables) == (settings_variables() - {"AWS_LAMBDA_FUNCTION_NAME"}) | LOCAL_VARIABLES | {"PORT"}


@EACH
def test_every_make_target_exists(path: str) -> None:
    named = {target for line in typed(read(path)) for target in re.findall(r"^make ([a-z][\w-]*)", line)}
    assert not named - set(re.findall(r"^([\w-]+):", read("Makefile"), re.MULTILINE))


def test_the_readme_names_every_make_target() -> None:
    (phony,) = re.findall(r"^\.PHONY: (.+)$", read("Makefile"), re.MULTILINE)
    assert not [target for target in phony.split() if f"make {target}" not in read("README.md")]


def manage_lines(text: str) -> Iterator[tuple[str, bool]]:
    """Yield each line of manage.py, and whether it runs on the function."""
    for line in typed(text):
        if found := re.search(r"(?:python )?manage\.py (.+)", line):
            yield found[1], False
        elif found := re.search(r"deploy\.zappa production manage (.+)", line):
            yield found[1].strip('"'), True


def options_of(command: str) -> set[str]:
    parser = load_command_class(get_commands()[command], command).create_parser("manage.py", command)
    return {option for action in parser._actions for option in action.option_strings}


@EACH
def test_every_command_exists_with_its_options(path: str) -> None:
    for line, is_on_function in manage_lines(read(path)):
        if line == "…":
            continue
        command, *arguments = shlex.split(line, comments=True)
        assert command in get_commands(), line
        assert not {item for item in arguments if item.startswith("--")} - options_of(command), line
        assert command in lambda_entry.ALLOWED_COMMANDS or not is_on_function, line


def test_the_table_of_commands_has_each_command_of_the_service_with_its_options() -> None:
    table = section(page("operations"), "Commands")
    rows = re.findall(r"^\| `([a-z_]+)( [^`]*)?` \|", table, re.MULTILINE)
    ours = {name for name, app in get_commands().items() if app in {"channels_app", "ondemand", "ivsvod.accounts"}}
    assert ours - {name for name, _ in rows} == set()
    for name, arguments in rows:
        assert not set(re.findall(r"--[a-z-]+", arguments)) - options_of(name), name


@EACH
def test_every_file_exists(path: str) -> None:
    folders = "|".join(["deploy", "docs", "ivsvod", "channels_app", "ondemand", "tests", "build", "dist"])
    named = set(re.findall(rf"(?<![\w/.-])(?:{folders})/[\w./<>-]*[\w>]", read(path)))
    assert not {each for each in named if not each.startswith(MADE) and not (ROOT / each).exists()} - {SCOPE}


@EACH
def test_every_link_leads_somewhere(path: str) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", read(path)):
        if "://" in link:
            continue
        target, _, anchor = link.partition("#")
        found = (ROOT / path).parent / target if target else ROOT / path
        assert found.exists(), link
        assert not anchor or anchor in heading_ids(found.read_text()), link


def test_the_pages_are_short_enough_to_be_read() -> None:
    assert len(read("README.md").encode()) <= 10_000
    glossary = page("architecture").partition("## Glossary\n")[2].partition("\n## ")[0]
    assert len(re.findall(r"^\| (?!term|---)", glossary, re.MULTILINE)) <= 20


def test_the_quick_start_has_at_most_300_words() -> None:
    words = section(read("README.md"), "Quick start").split()
    assert 100 < len(words) <= 300


def test_the_page_of_the_api_is_about_this_service_alone() -> None:
    assert "predecessor" not in page("api").lower()


def test_the_page_and_the_reference_have_one_table_of_states_in_their_order_of_precedence() -> None:
    table = re.compile(r"^\| `listing` \|.*\n(?:\|.*\n)+", re.MULTILINE)
    (of_page,), (of_reference,) = (table.findall(read(path)) for path in ("docs/api.md", "tools/openapi/guide.md"))
    assert of_page == of_reference
    assert re.findall(r"^\| `(\w+)` \|", of_page, re.MULTILINE)[1:] == Listing.values


def test_commands_are_recognised_in_the_pages() -> None:
    """The tests above would pass if the patterns found nothing."""
    assert len([line for path in PAGES for line in manage_lines(read(path))]) > 30
    assert len([line for path in PAGES for line in commands(read(path))]) > 100
