"""The `SubmissionLog` port in memory; `saved` is every submission in order."""

from domain.wallet import Submission


class MemoryLog:
    def __init__(self) -> None:
        self.kept: dict[str, Submission] = {}
        self.saved: list[Submission] = []

    def load(self, wallet: str) -> Submission | None:
        return self.kept.get(wallet)

    def save(self, submission: Submission) -> None:
        self.saved.append(submission)
        self.kept[submission.wallet] = submission

    def clear(self, wallet: str) -> None:
        self.kept.pop(wallet, None)
