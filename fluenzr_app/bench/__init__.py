"""What `fluenzr bench` measures: each figure as a ratio to a limit measured in the same run."""
