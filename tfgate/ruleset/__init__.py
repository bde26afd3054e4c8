"""Rulesets and configuration: TOML in, checked and compiled values out. Nothing is evaluated."""

from tfgate.ruleset.approval_tables import Bind
from tfgate.ruleset.compiled import CompiledRule
from tfgate.ruleset.config import GateConfig, find_config, load_gate_config
from tfgate.ruleset.config_tables import SETTINGS, Evaluate
from tfgate.ruleset.data import DataFile
from tfgate.ruleset.effective import Effective, for_workspace, load_rulesets, resolve
from tfgate.ruleset.loader import load_ruleset
from tfgate.ruleset.params import ParamSpec, ParamType
from tfgate.ruleset.ruleset import Ruleset, RulesetFile
from tfgate.ruleset.settings import From, Origin
from tfgate.ruleset.sources import shipped_names
from tfgate.ruleset.template import MISSING, Template, TemplateError

__all__ = [
    "MISSING",
    "SETTINGS",
    "Bind",
    "CompiledRule",
    "DataFile",
    "Effective",
    "Evaluate",
    "From",
    "GateConfig",
    "Origin",
    "ParamSpec",
    "ParamType",
    "Ruleset",
    "RulesetFile",
    "Template",
    "TemplateError",
    "find_config",
    "for_workspace",
    "load_gate_config",
    "load_ruleset",
    "load_rulesets",
    "resolve",
    "shipped_names",
]
