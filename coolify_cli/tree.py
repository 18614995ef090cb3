"""The commands of `coolify`, declared: help and completion read this table and import nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["TREE", "Branch", "Leaf"]


@dataclass(frozen=True, slots=True)
class Leaf:
    """A command, imported when it is used."""

    target: str
    """`module:attribute` below `coolify_cli`."""
    summary: str


@dataclass(frozen=True, slots=True)
class Branch:
    """A group of commands."""

    summary: str
    children: Mapping[str, Leaf | Branch]
    default: str | None = None
    """Command that runs when none is named."""


TREE: Final = Branch(
    "Release applications on Coolify and know that they work.",
    {
        "auth": Branch(
            "Log in to Coolify instances.",
            {
                "login": Leaf("auth_commands:login", "Check an address and a token, and remember them as a context."),
                "logout": Leaf("auth_commands:logout", "Forget a context and its token."),
                "status": Leaf("auth_commands:status", "Show server, version, team and abilities of the token."),
                "use": Leaf("auth_commands:use", "Make a context the current one."),
            },
        ),
        "project": Branch(
            "The project and its configuration file.",
            {
                "init": Leaf("project_commands:init", "Write .coolify/config.yml for this repository."),
                "list": Leaf("project_commands:list_projects", "List the projects of the team."),
                "delete": Leaf("project_commands:delete", "Delete the project with everything in it."),
                "config": Branch(
                    "Read and change .coolify/config.yml.",
                    {
                        "show": Leaf("config_commands:show", "Show the configuration as it applies."),
                        "get": Leaf("config_commands:get", "Print one value of the file."),
                        "set": Leaf("config_commands:set_value", "Change one value of the file, comments kept."),
                        "validate": Leaf("config_commands:validate", "Check the file for every environment."),
                        "edit": Leaf("config_commands:edit", "Open the file in an editor and check it afterwards."),
                        "push": Leaf("push_command:push", "Let the Prefect server know the file, as a block."),
                        "schema": Leaf("config_commands:schema", "Print the JSON Schema of the file, for editors."),
                    },
                ),
            },
        ),
        "environment": Branch(
            "The environments of the project.",
            {
                "set": Leaf("environment_commands:set_environment", "Choose the environment of the file."),
                "list": Leaf("environment_commands:list_environments", "List environments of the file and the server."),
            },
        ),
        "source": Branch(
            "Where the application comes from.",
            {
                "connect": Leaf(
                    "source_commands:connect", "Check access, make deploy key and webhook, write `source`."
                ),
                "status": Leaf("source_commands:status", "Show what the source points at beside what is deployed."),
            },
        ),
        "build": Branch(
            "How the application is built.",
            {
                "configure": Leaf("build_commands:configure", "Choose build pack, commands and port."),
                "diagnose": Leaf("diagnose_command:diagnose", "Tell why the latest failed deployment failed."),
            },
        ),
        "resources": Branch(
            "How much of the server the application may use.",
            {"allocate": Leaf("build_commands:allocate", "Set limits of processors and memory, volumes and ports.")},
        ),
        "database": Branch(
            "The databases of the application.",
            {
                "init": Leaf("database_commands:init", "Create, configure and start the databases of the file."),
                "list": Leaf("database_commands:list_databases", "List the databases of the file and their state."),
                "status": Leaf("database_commands:status", "Say whether the databases are there and healthy."),
            },
        ),
        "backup": Branch(
            "Backups of the databases, and proofs that they restore.",
            {
                "configure": Leaf("backup_commands:configure", "Bring buckets and schedules to what the file says."),
                "run": Leaf("backup_commands:run", "Back up now, and say what the result is worth."),
                "list": Leaf("backup_commands:list_backups", "List the backups with what the bucket holds of them."),
                "verify": Leaf("backup_commands:verify", "Restore the newest dumps into scratch servers and ask them."),
                "restore-plan": Leaf("restore_commands:restore_plan", "Print the steps of a real restore."),
                "restore": Leaf("restore_commands:restore", "Restore a dump into a given database."),
                "dr-test": Leaf("drill_command:dr_test", "Lose and recover everything in a sandbox, timed."),
            },
        ),
        "plan": Leaf("plan_commands:plan", "Show what a release would change in Coolify."),
        "apply": Leaf("plan_commands:apply", "Change it, without deploying."),
        "drift": Leaf("plan_commands:drift", "Name what was changed behind the configuration's back."),
        "release": Leaf("release_command:release", "Release the application through every phase."),
        "deploy": Branch(
            "Deployments without the other phases of a release.",
            {
                "start": Leaf("deploy_commands:start", "Deploy what is configured, and prove that it is healthy."),
                "status": Leaf("deploy_commands:status", "List the latest deployments."),
                "logs": Leaf("deploy_commands:logs", "Show the build log of a deployment."),
                "cancel": Leaf("deploy_commands:cancel", "Cancel a deployment that is queued or in progress."),
                "rollback": Leaf("rollback_command:rollback", "Bring back an earlier release."),
            },
            default="start",
        ),
        "rollback": Leaf("rollback_command:rollback", "Bring back an earlier release, configuration included."),
        "health": Branch(
            "Whether the application works, seen from the outside.",
            {
                "configure": Leaf("health_commands:configure", "Set when a new version counts as healthy."),
                "check": Leaf("health_commands:check", "Ask every domain at every address until the gate is decided."),
            },
        ),
        "domain": Branch(
            "Names under which the application is reached, seen from the outside.",
            {
                "list": Leaf("domain_commands:list_domains", "List the domains of the file and of Coolify."),
                "add": Leaf("domain_changes:add", "Lead a domain to the application: DNS, file and Coolify."),
                "remove": Leaf("domain_changes:remove", "Take a domain away, with the DNS records that are ours."),
                "verify": Leaf("domain_commands:verify", "Check DNS, CAA, DNSSEC and ports of domains."),
            },
        ),
        "security": Branch(
            "Headers, limits and access in front of the application.",
            {
                "configure": Leaf("security_commands:configure", "Set headers, limits and access in the file."),
                "check": Leaf("security_commands:check", "Compare what visitors get with what is configured."),
            },
        ),
        "ssl": Branch(
            "Certificates, as the handshake shows them.",
            {
                "enable": Leaf("ssl_commands:enable", "Serve domains over HTTPS and wait for real certificates."),
                "renew": Leaf("ssl_commands:renew", "Renew what is due, and prove it by the serial number."),
                "status": Leaf("ssl_commands:status", "Show what every address serves."),
            },
        ),
        "webhooks": Branch(
            "Pushes that start releases by themselves.",
            {
                "serve": Leaf("webhook_commands:serve", "Receive webhooks and tell Prefect of pushes."),
                "status": Leaf("webhook_commands:status", "Show what waits for the Prefect server."),
            },
        ),
        "monitor": Branch(
            "Watch applications, and tell when something is wrong.",
            {
                "status": Leaf("monitor_commands:status", "Look at everything once, what is wrong first."),
                "logs": Leaf("monitor_logs:logs", "Show what containers print, of many applications side by side."),
                "metrics": Leaf("monitor_metrics:metrics", "Look at everything once and print what was measured."),
                "serve": Leaf("monitor_metrics:serve", "Look again and again, and let Prometheus scrape it."),
                "setup": Leaf("monitor_setup:setup", "Set up Prometheus and its companions, and Coolify's own."),
                "alerts": Branch(
                    "What the deployment `watch` calls a problem now.",
                    {
                        "list": Leaf("monitor_alerts:list_alerts", "List active problems and silences."),
                        "ack": Leaf("monitor_alerts:ack", "Say that somebody knows: told no more until it is over."),
                        "silence": Leaf("monitor_alerts:silence", "Tell nothing about something for some hours."),
                        "test": Leaf("monitor_alerts:test", "Send a test message to every destination."),
                    },
                    default="list",
                ),
            },
        ),
        "server": Branch(
            "The Prefect server that runs everything unattended.",
            {
                "apply": Leaf("server_commands:apply", "Register blocks, deployments and automations there."),
                "up": Leaf("server_commands:up", "Run server, worker and receiver on this machine."),
            },
        ),
        "history": Branch(
            "The releases and rollbacks of the application.",
            {
                "list": Leaf("history_command:history", "List the releases of the application."),
                "show": Leaf("history_command:show", "Print the report of one release."),
            },
            default="list",
        ),
        "demo": Leaf("demo_command:demo", "Watch three releases and a rollback in the sandbox."),
        "sandbox": Branch(
            "An embedded Coolify to try things out.",
            {"up": Leaf("sandbox_command:up", "Start the sandbox and run until Ctrl-C.")},
        ),
        "completion": Leaf("completion_command:completion", "Print the completion script of a shell."),
    },
)
