"""The pages of the documentation, and what they name."""

import json
import re
from functools import cache
from pathlib import Path

from deploy.outputs import variable_of
from tests.support.cloudformation import NAMES, template

ROOT = Path(__file__).resolve().parents[2]
PAGES = ["README.md", "CONTRIBUTING.md", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md"))]
ZAPPA_SETTINGS = json.loads((ROOT / "zappa_settings.json").read_text())


def read(path: str) -> str:
    return (ROOT / path).read_text()


def page(name: str) -> str:
    return read(f"docs/{name}.md")


def commands(text: str) -> list[str]:
    """Return each line of the indented blocks, with its continuation lines."""
    blocks = re.findall(r"(?<=\n\n)(?: {4}.*\n)+", text)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [line.strip() for line in lines]


def quoted(text: str) -> list[str]:
    """Return what stands in backticks."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return [" ".join(item.split()) for item in re.findall(r"`([^`]+)`", prose)]


def typed(text: str) -> list[str]:
    return [*commands(text), *quoted(text)]


def blocks(text: str) -> list[tuple[str, str]]:
    """Return the language and the code of each fenced block."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def section(text: str, heading: str) -> str:
    return text.partition(f"## {heading}\n")[2].partition("\n## ")[0]


def heading_ids(text: str) -> set[str]:
    """Return the anchors of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@cache
def settings_variables() -> set[str]:
    """Return the names of the environment variables that the settings read."""
    source = read("ivsvod/settings.py") + read("ivsvod/environment.py")
    return set(re.findall(r'(?:(?:env|environment)\.\w+|secret|required)\(\s*"([A-Z][A-Z0-9_]+)"', source))


@cache
def deployed_variables() -> set[str]:
    """Return the names that zappa_settings.json and the outputs of the stacks use."""
    placeholders = set(re.findall(r"\$\{([A-Z_]+)\}", json.dumps(ZAPPA_SETTINGS)))
    return placeholders | {variable_of(output) for name in NAMES for output in template(name)["Outputs"]}
