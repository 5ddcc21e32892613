"""Texts of code, templates and scripts: all can be translated, and all are, to German and Spanish."""

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from gettext import GNUTranslations
from pathlib import Path
from typing import NamedTuple

import pytest
from django.conf import settings
from django.utils.translation.template import templatize

from tests.ivsvod.test_translations import assert_all_translated, untranslated

_ROOT = Path(settings.BASE_DIR)
_APPS = ("common", "channels_app", "ondemand", "ivsvod", "tools")
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
    tags = r"{%.*?%}|{{.*?}}"
    attributes = r"""\b(dir|lang)="[^"]*\""""
    for left_out in (r"{#.*?#}", r"{%\s*comment\b.*?{%\s*endcomment\s*%}", translated, classes, tags, attributes):
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


_COMMENT = re.compile(r"^\s*//.*|/\*.*?\*/", re.DOTALL | re.MULTILINE)
_SENTENCE = re.compile(r"""(?<!Error\()["'`][A-Z][a-z]+,? [a-z{$][^"'`\n]*["'`]""")


def test_scripts_take_their_texts_from_templates() -> None:
    scripts = [path for app in _APPS for path in (_ROOT / app).rglob("static/**/*.js") if "vendor" not in path.parts]
    found = {path.name: _SENTENCE.findall(_COMMENT.sub("", path.read_text("utf-8"))) for path in scripts}
    assert {name: texts for name, texts in found.items() if texts} == {}


class Text(NamedTuple):
    """A text of the code; the context and the plural are empty if it has none."""

    context: str
    singular: str
    plural: str


def text_of(call: ast.Call) -> Text:
    texts = [node.value for node in call.args if isinstance(node, ast.Constant)]
    context = str(texts.pop(0)) if "pgettext" in called(call) else ""
    return Text(context, str(texts[0]), str(texts[1]) if called(call).startswith(("ngettext", "npgettext")) else "")


_CALL = re.compile(r"""\b(?:_|n?p?gettext)\((?:u?'(?:\\.|[^'\\])*'|u?"(?:\\.|[^"\\])*"|[,\s]|count)*\)""")


@cache
def texts_of_code() -> set[Text]:
    """Return what `make messages` finds, without the programs of gettext."""
    modules = [path for app in _APPS for path in (_ROOT / app).rglob("*.py")]
    calls = [node for path in modules for node in nodes_of(path) if isinstance(node, ast.Call)]
    templates = [path for folder in ("templates", *_APPS) for path in (_ROOT / folder).rglob("*.html")]
    for path in templates:
        for found in _CALL.finditer(templatize(path.read_text("utf-8"))):
            calls += [node for node in ast.walk(ast.parse(found[0])) if isinstance(node, ast.Call)]
    return {text_of(call) for call in calls if called(call) in _TRANSLATORS and isinstance(call.args[0], ast.Constant)}


_ENTRY = re.compile(r'^(msgctxt|msgid|msgid_plural|msgstr(?:\[\d\])?) ((?:"(?:\\.|[^"\\])*"\n?)+)', re.MULTILINE)


def catalogue(language: str) -> dict[Text, list[str]]:
    """Return the translations of a `django.po` that are not fuzzy; a plural has one for each form."""
    source = (_ROOT / "locale" / language / "LC_MESSAGES" / "django.po").read_text("utf-8")
    entries = {}
    for block in source.split("\n\n")[1:]:
        parts = {name: ast.literal_eval(f"({written})") for name, written in _ENTRY.findall(block)}
        forms = [text for name, text in parts.items() if name.startswith("msgstr")]
        if parts and all(forms) and "#, fuzzy" not in block:
            entries[Text(parts.get("msgctxt", ""), parts["msgid"], parts.get("msgid_plural", ""))] = forms
    return entries


_MARK = re.compile(r"%\(\w+\)[sd]|%[sd%]|\{\w*\}|</?\w[^<>]*>")


@pytest.mark.parametrize("language", ["de", "es"])
def test_every_text_is_translated_with_its_placeholders(language: str) -> None:
    translated, used = catalogue(language), texts_of_code()
    assert len(used) > 1000
    assert used - translated.keys() == set(), "make messages, then translate (docs/admin.md)"
    assert translated.keys() - used == set(), "make messages"
    for text, forms in translated.items():
        originals = [text.singular, text.plural] if text.plural else [text.singular]
        for original, form in zip(originals, forms, strict=True):
            assert Counter(_MARK.findall(form)) == Counter(_MARK.findall(original)), form


@pytest.mark.parametrize("language", ["de", "es"])
def test_what_is_compiled_is_what_is_translated(language: str) -> None:
    with (_ROOT / "locale" / language / "LC_MESSAGES" / "django.mo").open("rb") as file:
        compiled = GNUTranslations(file)
    for text, forms in catalogue(language).items():
        key = f"{text.context}\4{text.singular}" if text.context else text.singular
        found = [compiled.ngettext(key, "", number) for number in (1, 2)] if text.plural else [compiled.gettext(key)]
        assert found == forms, "make install"
