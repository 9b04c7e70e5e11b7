"""What cannot be done with a diagnosis, in words for a user."""


class DiagnosisError(Exception):
    """Something about a diagnosis cannot be done; the message says what."""


class NoSuchFinding(DiagnosisError):
    """There is nothing of that kind to put aside, or not any more."""


class SnoozeRefused(DiagnosisError):
    """A finding cannot be put aside until that time."""
