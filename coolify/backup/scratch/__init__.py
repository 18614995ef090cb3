"""Servers that live as long as one proof: private socket, own directory, no network, gone whatever happens."""

from coolify.backup.scratch.process import Finished, ScratchServer, ToolMissingError, find_tool, run_tool

__all__ = ["Finished", "ScratchServer", "ToolMissingError", "find_tool", "run_tool"]
