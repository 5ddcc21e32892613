"""Texts that no page of `test_translations.py` happens to show: in templates, and where code hands one on."""

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings

from tests.ivsvod.test_translations import assert_all_translated, untranslated

_ROOT = Path(settings.BASE_DIR)
# The API speaks English.
_OF_THE_API = {path for app in ("channels_app", "ondemand") for path in (_ROOT / app / "api").glob("*.py")}
_EDGES = [
    path
    for app in ("channels_app", "ondemand", "ivsvod/accounts", "ivsvod/site", "ivsvod/console")
    for path in sorted((_ROOT / app).rglob("*.py"))
    if not {"migrations", "management", "reconcile"} & set(path.parts) and path not in _OF_THE_API
]
_TRANSLATORS = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy"}
_TOLD_BY_NAME = {
    *("description", "label", "help_text", "verbose_name", "verbose_name_plural", "search_help_text"),
    *("title", "create_title", "create_help", "index_title", "empty_label", "question", "done"),
}
_TOLD_BY_PLACE = {"ValidationError": 0, "message_user": 1, "add_error": 1}


def template_texts(source: str) -> str:
    """Return the text of a template without its tags, variables and translated parts."""
    translated = r"{%\s*blocktranslate\b.*?{%\s*endblocktranslate\s*%}"
    classes = r"{%\s*block \w*class\w*\s*%}.*?{%\s*endblock\b.*?%}"
    for left_out in (r"{#.*?#}", r"{%\s*comment\b.*?{%\s*endcomment\s*%}", translated, classes, r"{%.*?%}|{{.*?}}"):
        source = re.sub(left_out, "", source, flags=re.DOTALL)
    return source


@pytest.mark.parametrize("folder", ["admin", "catalogue"])
def test_templates_hold_no_text_outside_of_translations(folder: str) -> None:
    sources = sorted((_ROOT / "templates" / folder).rglob("*.html"))
    assert sources
    found = {text: str(path) for path in sources for text in untranslated(template_texts(path.read_text("utf-8")))}
    assert_all_translated(found)


@cache
def nodes_of(path: Path) -> list[ast.AST]:
    """Return all nodes of a module."""
    return list(ast.walk(ast.parse(path.read_text("utf-8"))))


def called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def handed_to_people(nodes: Iterable[ast.AST]) -> Iterator[ast.expr]:
    """The expressions of a module that people read as they are."""
    for node in nodes:
        match node:
            case ast.keyword(arg=name, value=value) if name in _TOLD_BY_NAME:
                yield value
            # An app has a `label` that is none for people.
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in _TOLD_BY_NAME - {"label"}:
                yield value
            case ast.Dict(keys=keys, values=values):
                named = ((getattr(key, "value", None), value) for key, value in zip(keys, values, strict=True))
                yield from (value for key, value in named if key in _TOLD_BY_NAME)
            case ast.Call() if called(node) in _TOLD_BY_PLACE:
                yield from node.args[_TOLD_BY_PLACE[called(node)] :][:1]


def is_plain(node: ast.expr) -> bool:
    """Whether it is a text with letters that is written down as it is."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    texts = (part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str))
    return any(re.search("[A-Za-z]", text) for text in texts)


def test_code_hands_no_plain_text_to_people() -> None:
    assert not [
        f"{path}:{node.lineno}" for path in _EDGES for node in handed_to_people(nodes_of(path)) if is_plain(node)
    ]


def test_makemessages_finds_every_text_that_is_translated() -> None:
    # It knows the functions by their names, and reads no variables.
    renamed = [
        f"{path}:{node.lineno}"
        for path in _EDGES
        for node in nodes_of(path)
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        if {name.asname for name in node.names} - {None, "_"}
    ]
    unread = [
        f"{path}:{node.lineno}"
        for path in _EDGES
        for node in nodes_of(path)
        if isinstance(node, ast.Call) and called(node) in _TRANSLATORS
        if not isinstance(node.args[0], ast.Constant)
    ]
    assert (renamed, unread) == ([], [])
