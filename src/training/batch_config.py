"""Settings of a batch."""

from dataclasses import dataclass

from src.core.config import STRICT


@dataclass(frozen=True, kw_only=True)
class BatchConfig:
    """What a batch is made of.

    identities: people in a batch; all of them when there are fewer.
    voices_per_identity, faces_per_identity: of each, from different videos.
    voice_tokens, face_tokens: tokens drawn of each item at each step; the others are dropped (regularisation).
    """

    __pydantic_config__ = STRICT

    identities: int
    voices_per_identity: int
    faces_per_identity: int
    voice_tokens: int
    face_tokens: int

    def __post_init__(self) -> None:
        for name in ("voices_per_identity", "faces_per_identity", "voice_tokens", "face_tokens"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1")
        if self.identities < 2:
            raise ValueError("identities must be at least 2: without a second person nothing differs")

    def require_repeated_identities(self) -> None:
        """Raise ValueError unless a person has two pairs at least, which the projection loss compares."""
        if self.voices_per_identity * self.faces_per_identity < 2:
            raise ValueError("batch.voices_per_identity or batch.faces_per_identity must be at least 2")
