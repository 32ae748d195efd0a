"""Errors meant for users: each says what is wrong, where, and how to mend it.

Code that finds a user's mistake raises one of these; command lines print the message without a
traceback and exit with status 2. `assert` is kept for what the code itself guarantees.
"""


class VoxfaceError(Exception):
    """Base of every error that a user can mend."""


class ConfigError(VoxfaceError):
    """A configuration has an unknown key, a wrong type or a contradiction."""


class DatasetError(VoxfaceError):
    """A data set folder is missing, empty or in a layout that is not recognised."""


class ListError(VoxfaceError):
    """A list of pairs, trials, scores or truths is malformed or contradicts itself."""


class MediaError(VoxfaceError):
    """A media file cannot be used; `reason` is the short code that goes into the manifest."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason

    def __reduce__(self) -> tuple[type["MediaError"], tuple[str, str]]:
        return type(self), (self.reason, str(self))


class WeightsError(VoxfaceError):
    """Weights of a published encoder are missing, damaged or of another shape."""


class StoreError(VoxfaceError):
    """An embedding store is missing, incomplete, inconsistent, or lacks keys that were asked for."""


class CheckpointError(VoxfaceError):
    """A checkpoint folder is missing, incomplete or does not fit the embeddings."""


class TrainingError(VoxfaceError):
    """Training cannot start or go on: too few identities, a loss that is not finite."""


class SubmissionError(VoxfaceError):
    """A submission that the challenge's scorer would reject."""


class OutputError(VoxfaceError):
    """An output cannot be written: the disk is full, the folder cannot be written to, or another run writes there."""


class StageError(VoxfaceError):
    """A stage cannot go on: every part fails, for a reason that is not in the files."""


class EngineError(VoxfaceError):
    """What carries out the parts of a stage is missing, or cannot be reached."""
