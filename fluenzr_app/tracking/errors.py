"""What can be refused in the tracking room, in words a user could read."""


class TrackingError(Exception):
    """A public link cannot be used."""


class BadLink(TrackingError):
    """The link is damaged or was not made by this installation; nothing else is told about it."""

    def __init__(self) -> None:
        super().__init__("This link is damaged or incomplete.")
