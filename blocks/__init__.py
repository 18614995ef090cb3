"""Prefect blocks: credentials and records that live encrypted on the Prefect server.

Nouns only; a block turns into a library object and does nothing else. Importing the package registers them
(entry point group `prefect.collections`).
"""

from blocks.alert_channels import SmtpServer, TelegramBot
from blocks.application import Application
from blocks.coolify_server import CoolifyServer
from blocks.dns_providers import CloudflareDns, Rfc2136Dns, Route53Dns
from blocks.release_history import BlockRecordStore, ReleaseHistory
from blocks.restore_points import BlockRestorePointStore, RestorePoints
from blocks.watch_memory import AlertNotes, BlockWatchStore, WatchMemory

__all__ = [
    "AlertNotes",
    "Application",
    "BlockRecordStore",
    "BlockRestorePointStore",
    "BlockWatchStore",
    "CloudflareDns",
    "CoolifyServer",
    "ReleaseHistory",
    "RestorePoints",
    "Rfc2136Dns",
    "Route53Dns",
    "SmtpServer",
    "TelegramBot",
    "WatchMemory",
]
