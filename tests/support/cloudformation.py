"""The templates of `deploy/`: as they are, as CloudFormation resolves them, and as much of them as moto can make."""

import json
import os
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import cfn_flip
import pytest
from django.conf import settings

FOLDER = settings.BASE_DIR / "deploy"
NAMES = ["network", "database", "core", "edge", "forwarder"]
REGION, ACCOUNT = "eu-west-1", "111122223333"
PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": "ivsvod-production",
}
_NO_VALUE = object()
_IN_SUB = re.compile(r"\$\{([^}!]+)\}")
# What moto knows of a resource that it makes, but not by this name.
_UNKNOWN_TO_MOTO = {"MasterUserSecret.SecretArn"}
# Computed from the block of a VPC, which moto gives none; and a Ref that moto takes for the group itself.
_PROPERTIES_NOT_IN_MOTO = {"Ipv6CidrBlock", "DBParameterGroupName"}
# A route by a gateway, and an instance of a cluster, that moto does not make.
_USELESS_IN_MOTO = {"FunctionRouteOutIpv6", "ClusterInstance"}


@cache
def _json(name: str) -> str:
    return cfn_flip.to_json((FOLDER / f"{name}.yaml").read_text())


def template(name: str) -> dict[str, Any]:
    """A template, functions in their long form."""
    return json.loads(_json(name))


def of_type(document: dict[str, Any], kind: str) -> dict[str, Any]:
    """The properties of all resources of a type, by logical id."""
    return {name: item["Properties"] for name, item in document["Resources"].items() if item["Type"] == kind}


def resolved(name: str, **parameters: str) -> dict[str, Any]:
    """A template with these parameters: conditions decided, references followed, and only what is then made."""
    return resolver_of(name, **parameters).document()


def resolver_of(name: str, **parameters: str) -> "_Resolver":
    """What knows the values of these parameters, and of the others by their defaults."""
    document = template(name)
    given = {
        key: parameters.get(key, item.get("Default", f"the-{key}")) for key, item in document["Parameters"].items()
    }
    assert not set(parameters) - set(given)
    typed = {key: _typed(document["Parameters"][key]["Type"], value) for key, value in given.items()}
    return _Resolver(document, {**PSEUDO, **typed})


def _typed(kind: str, value: Any) -> Any:
    return str(value).split(",") if kind.startswith(("CommaDelimitedList", "List<")) else str(value)


class _Resolver:
    def __init__(self, document: dict[str, Any], known: dict[str, Any]) -> None:
        self.source, self.known = document, known

    def document(self) -> dict[str, Any]:
        made = {part: self._those_made(self.source[part]) for part in ("Resources", "Outputs")}
        return {part: {name: self.value(item) for name, item in items.items()} for part, items in made.items()}

    def _those_made(self, items: dict[str, Any]) -> dict[str, Any]:
        return {name: item for name, item in items.items() if self.is_made(item)}

    def is_made(self, item: dict[str, Any]) -> bool:
        return "Condition" not in item or self.holds(item["Condition"])

    def holds(self, condition: str) -> bool:
        return self.value(self.source["Conditions"][condition])

    def value(self, item: Any) -> Any:
        if isinstance(item, list):
            return [value for value in map(self.value, item) if value is not _NO_VALUE]
        if not isinstance(item, dict):
            return item
        # `Condition` is a function among conditions, and a member of statements.
        if len(item) == 1 and (name := next(iter(item))) in self._functions:
            return self._functions[name](self, item[name])
        if len(item) == 1 and isinstance(item.get("Condition"), str):
            return self.holds(item["Condition"])
        values = {key: self.value(value) for key, value in item.items()}
        return {key: value for key, value in values.items() if value is not _NO_VALUE}

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _NO_VALUE
        return self.known[name] if name in self.known else self._attribute([name, "Ref"])

    def _attribute(self, path: list[str]) -> str:
        name, attribute = path[0], ".".join(path[1:])
        return (
            self._arn(name) if attribute == "Arn" or self._is_named_by_arn(name, attribute) else f"{name}.{attribute}"
        )

    def _is_named_by_arn(self, name: str, attribute: str) -> bool:
        named = {"AWS::SecretsManager::Secret", "AWS::SNS::Topic", "AWS::IAM::ManagedPolicy"}
        return attribute == "Ref" and self.source["Resources"][name]["Type"] in named

    def _arn(self, name: str) -> str:
        properties = self.source["Resources"][name]["Properties"]
        service = self.source["Resources"][name]["Type"].split("::")[1].lower()
        place = f"arn:aws:{service}:{REGION}:{ACCOUNT}:"
        arns = {
            "s3": lambda: f"arn:aws:s3:::{name.lower()}",
            "sqs": lambda: f"{place}{self.value(properties['QueueName'])}",
            "logs": lambda: f"{place}log-group:{self.value(properties['LogGroupName'])}:*",
            "secretsmanager": lambda: f"{place}secret:{name}-a1b2c3",
            "iam": lambda: f"arn:aws:iam::{ACCOUNT}:role/{name}",
        }
        return arns.get(service, lambda: f"{place}{name}")()

    def _if(self, arguments: list[Any]) -> Any:
        condition, so, otherwise = arguments
        return self.value(so if self.holds(condition) else otherwise)

    def _sub(self, text: str) -> str:
        return _IN_SUB.sub(lambda found: str(self._named(found[1])), text)

    def _named(self, name: str) -> Any:
        return self._attribute(name.split(".")) if "." in name else self._ref(name)

    def _join(self, arguments: list[Any]) -> str:
        return arguments[0].join(self.value(arguments[1]))

    def _split(self, arguments: list[Any]) -> list[str]:
        return self.value(arguments[1]).split(arguments[0])

    def _select(self, arguments: list[Any]) -> Any:
        return self.value(arguments[1])[int(arguments[0])]

    def _equals(self, arguments: list[Any]) -> bool:
        return str(self.value(arguments[0])) == str(self.value(arguments[1]))

    _functions = {
        "Ref": _ref,
        "Fn::GetAtt": _attribute,
        "Fn::If": _if,
        "Fn::Sub": _sub,
        "Fn::Join": _join,
        "Fn::Split": _split,
        "Fn::Select": _select,
        "Fn::Equals": _equals,
        "Fn::GetAZs": lambda self, _: [f"{REGION}{zone}" for zone in "abc"],
        "Fn::Cidr": lambda self, _: [f"block-{number}" for number in range(8)],
        "Fn::Not": lambda self, arguments: not self.value(arguments[0]),
        "Fn::And": lambda self, arguments: all(self.value(arguments)),
        "Fn::Or": lambda self, arguments: any(self.value(arguments)),
    }


def leave_local_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let clients ask the hosts of AWS, which moto answers for, and not the local AWS of the session."""
    for name in [name for name in os.environ if name.startswith("AWS_ENDPOINT_URL")]:
        monkeypatch.delenv(name)


def moto_types() -> set[str]:
    """The types of resources that moto makes; it passes over the others without a word."""
    from moto.cloudformation.parsing import get_model_map

    return set(get_model_map())


def for_moto(name: str, **parameters: str) -> dict[str, Any]:
    """A template without what moto cannot make, and with a word in place of what refers to that.

    Conditions are decided: moto writes None where a list has AWS::NoValue, and lists what is not made.
    """
    document, known, resolver = template(name), moto_types(), resolver_of(name, **parameters)
    made = {
        key: item
        for key, item in document["Resources"].items()
        if item["Type"] in known and key not in _USELESS_IN_MOTO and resolver.is_made(item)
    }
    left_out = set(document["Resources"]) - set(made)
    document["Resources"] = made
    document.pop("Rules", None)
    return _Pruned(resolver, left_out).value(document)


class _Pruned:
    def __init__(self, resolver: "_Resolver", left_out: set[str]) -> None:
        self.resolver, self.left_out = resolver, left_out

    def value(self, item: Any) -> Any:
        if isinstance(item, list):
            return [value for value in map(self.value, item) if value != {"Ref": "AWS::NoValue"}]
        if not isinstance(item, dict):
            return item
        if set(item) == {"Fn::If"}:
            condition, so, otherwise = item["Fn::If"]
            return self.value(so if self.resolver.holds(condition) else otherwise)
        if any(self._is_unknown(path) for path in references(item)):
            return "not-in-moto"
        return {key: self.value(value) for key, value in item.items() if key not in _PROPERTIES_NOT_IN_MOTO}

    def _is_unknown(self, path: str) -> bool:
        name, _, attribute = path.partition(".")
        return name in self.left_out or attribute in _UNKNOWN_TO_MOTO


def references(item: dict[str, Any]) -> Iterator[str]:
    """What a Ref, a GetAtt or a Sub refers to, as NAME or NAME.ATTRIBUTE; nothing for anything else."""
    if set(item) == {"Ref"}:
        yield item["Ref"]
    if set(item) == {"Fn::GetAtt"}:
        yield ".".join(item["Fn::GetAtt"])
    if set(item) == {"Fn::Sub"}:
        yield from _IN_SUB.findall(item["Fn::Sub"])
