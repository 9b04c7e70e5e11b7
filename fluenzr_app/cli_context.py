"""What commands start from; see `commands.context`."""

from fluenzr_app.commands.context import CommandContext, CommandRefused, open_context, open_installation

__all__ = ["CommandContext", "CommandRefused", "open_context", "open_installation"]
