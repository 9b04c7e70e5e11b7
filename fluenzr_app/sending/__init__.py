"""The one queue through which every outgoing mail goes: claim, mark, send, settle."""
