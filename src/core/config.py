"""Configurations: frozen dataclasses read from YAML, where an unknown key is an error.

A configuration class is a frozen, keyword-only dataclass that sets `__pydantic_config__ = STRICT`;
contradictions between its fields raise ValueError in its `__post_init__`.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ConfigDict, TypeAdapter, ValidationError

from src.core.errors import ConfigError


class _PlainLoader(yaml.SafeLoader):
    """Plain values alone: an alias, by which few bytes can stand for more values than memory holds, is refused."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases (*name) are not read; write the value out")
        return super().compose_node(parent, index)


STRICT = ConfigDict(extra="forbid")

Configuration = TypeVar("Configuration")


def parse_config(kind: type[Configuration], mapping: Mapping[str, Any], source: str) -> Configuration:
    """Build the dataclass `kind` from a mapping; `source` names it in the error.

    Raises ConfigError that lists every unknown key, missing key and wrong type with its path.
    """
    try:
        return TypeAdapter(kind).validate_python(dict(mapping))
    except ValidationError as error:
        problems = "\n".join(
            f"  {'.'.join(str(place) for place in problem['loc']) or '(whole)'}: {_explain(problem)}"
            for problem in error.errors()
        )
        raise ConfigError(f"{source}: this configuration cannot be used:\n{problems}") from error


def _explain(problem: Mapping[str, Any]) -> str:
    if problem["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        return "unknown key; check its spelling"
    if problem["type"] in ("missing", "missing_argument", "missing_keyword_only_argument"):
        return "missing"
    return f"{problem['msg']} (got {problem['input']!r})"


def load_config(kind: type[Configuration], path: Path, overrides: Sequence[str] = ()) -> Configuration:
    """Read a YAML file into `kind`; `overrides` are `key.path=value` strings that win over the file."""
    mapping = read_yaml_mapping(path)
    for override in overrides:
        apply_override(mapping, override)
    return parse_config(kind, mapping, str(path))


def read_yaml_mapping(path: Path) -> dict[str, Any]:
    """Read a YAML file that holds one mapping."""
    if not path.is_file():
        raise ConfigError(f"{path}: no such configuration file. The shipped ones are in configs/.")
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _PlainLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not readable as YAML: {error}") from error
    if not isinstance(content, dict):
        raise ConfigError(
            f"{path}: a configuration is a mapping of keys to values, this is {type(content).__name__}."
        )
    return content


def apply_override(mapping: dict[str, Any], override: str) -> None:
    """Set `a.b=value` inside nested mappings; the value is read as YAML (`3`, `true`, `[1, 2]`)."""
    path, separator, value = override.partition("=")
    if not separator or not path:
        raise ConfigError(
            f"--set {override}: write it as key=value, for example optimizer.learning_rate=1e-3."
        )
    *parents, leaf = path.split(".")
    target = mapping
    for parent in parents:
        target = target.setdefault(parent, {})
        if not isinstance(target, dict):
            raise ConfigError(f"--set {override}: `{parent}` is a value, not a section.")
    try:
        target[leaf] = yaml.load(value, _PlainLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"--set {override}: the value is not readable as YAML: {error}") from error


def config_mapping(config: Any) -> dict[str, Any]:
    """The configuration as plain, JSON-ready values."""
    return (
        TypeAdapter(type(config)).dump_python(config, mode="json")
        if dataclasses.is_dataclass(config)
        else config
    )
