"""The errors that cross a border between floors. Each says what was wrong and, where there is one, the fix."""


class PolybotError(Exception):
    """Base of all errors raised on purpose."""


class MoneyError(PolybotError, ValueError):
    """An amount that cannot be represented exactly."""


class InvalidOrderError(PolybotError, ValueError):
    """An order that the venue's own rules forbid: off the tick grid, too small, wrong decimals."""


class InvalidTransitionError(PolybotError):
    """A state change that no evidence can justify."""


class VenueError(PolybotError):
    """The venue could not be read: the answer was missing, malformed or an error status."""


class VenueUnavailableError(VenueError):
    """The venue is not serving this now (restart, maintenance, a rate limit): try again later, after `retry_after` seconds where that is known."""

    def __init__(self, text: str, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class MarketConflictError(PolybotError):
    """A market's id is already another market's."""


class JournalError(PolybotError):
    """A row definitely was not written."""


class JournalUnavailableError(JournalError):
    """A row definitely was not written, and no other can be now: the disk is full, the database read-only or away, a table gone. It may be later."""


class JournalUncertainError(JournalError):
    """It is not known whether rows were written: nothing may be sent on their strength."""


class LeaseLostError(PolybotError):
    """Another trader holds the account's lease, or ours could not be renewed in time."""


class WrongAccountError(PolybotError):
    """An intent of one account reached the gateway of another."""


class SigningError(PolybotError):
    """Something was not signed: the signer refused (`code` says why), is away, or took too long. Nothing was sent."""

    def __init__(self, text: str, code: str = "") -> None:
        super().__init__(text)
        self.code = code


class WalletError(PolybotError):
    """A wallet operation that cannot be done as asked; nothing was sent. The text names the fix."""
