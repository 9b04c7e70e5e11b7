"""The subcommands of `fluenzr`, by subject; `cli` puts them together."""
