"""The names of `coolify.config`."""

from coolify.config.access import Application, Auth, Project
from coolify.config.build import Build, BuildPack
from coolify.config.coordinates import DEFAULT_PATH, Coordinates
from coolify.config.domain_entries import DomainEdit, NewDomain, add_domain, remove_domain
from coolify.config.domains import Domain
from coolify.config.edit import Edit, edit_config, parse_path
from coolify.config.env import EnvValue, ResolvedVariable
from coolify.config.errors import ConfigError, Problem
from coolify.config.finding import find_config, load_coordinates
from coolify.config.health import ContainerHealth, Health, VersionProof
from coolify.config.interpolation import Reference
from coolify.config.load import load_config, resolve_variables
from coolify.config.model import Config
from coolify.config.monitoring import Alerts, Monitoring
from coolify.config.network import Network, ResolverAddress
from coolify.config.operation import Release
from coolify.config.pushes import OnPush
from coolify.config.resources import Resources, VolumeMount
from coolify.config.security import BasicAuth, BasicAuthUser, Cors, Headers, Hsts, RateLimit, Security
from coolify.config.source import GitHostKind, RegistryAccess, Source, Webhook
from coolify.config.writer import ConfigDocument

__all__ = [
    "DEFAULT_PATH",
    "Alerts",
    "Application",
    "Auth",
    "BasicAuth",
    "BasicAuthUser",
    "Build",
    "BuildPack",
    "Config",
    "ConfigDocument",
    "ConfigError",
    "ContainerHealth",
    "Coordinates",
    "Cors",
    "Domain",
    "DomainEdit",
    "Edit",
    "EnvValue",
    "GitHostKind",
    "Headers",
    "Health",
    "Hsts",
    "Monitoring",
    "Network",
    "NewDomain",
    "OnPush",
    "Problem",
    "Project",
    "RateLimit",
    "Reference",
    "RegistryAccess",
    "Release",
    "ResolvedVariable",
    "ResolverAddress",
    "Resources",
    "Security",
    "Source",
    "VersionProof",
    "VolumeMount",
    "Webhook",
    "add_domain",
    "edit_config",
    "find_config",
    "load_config",
    "load_coordinates",
    "parse_path",
    "remove_domain",
    "resolve_variables",
]
