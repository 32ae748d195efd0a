"""How much of everything a generated world has."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from demo.sentences import LANGUAGES
from src.core.errors import ConfigError

DEFAULT_PRETRAINING_IDENTITIES = 1200


@dataclass(frozen=True, kw_only=True)
class WorldSize:
    """Counts; clips and photographs are an identity's in each language.

    name: `tiny`, `small` or `large`; the numbers may differ from those of SIZES.
    training_identities, test_identities: people of the training lists and of the test lists.
    videos: training videos; clips_per_video, photographs_per_video: what each has.
    test_clips, test_photographs: of a test identity.
    clip_seconds: range of the clips' lengths.
    trials: wanted length of each test list, half of it same-person.
    """

    name: str
    training_identities: int
    test_identities: int
    videos: int
    clips_per_video: int
    photographs_per_video: int
    test_clips: int
    test_photographs: int
    clip_seconds: tuple[float, float]
    trials: int


SIZES = {
    "tiny": WorldSize(
        name="tiny",
        training_identities=10,
        test_identities=6,
        videos=2,
        clips_per_video=1,
        photographs_per_video=2,
        test_clips=2,
        test_photographs=3,
        clip_seconds=(5.5, 6.5),
        trials=60,
    ),
    "small": WorldSize(
        name="small",
        training_identities=280,
        test_identities=40,
        videos=2,
        clips_per_video=1,
        photographs_per_video=2,
        test_clips=3,
        test_photographs=5,
        clip_seconds=(7.0, 10.5),
        trials=1000,
    ),
    "large": WorldSize(
        name="large",
        training_identities=1200,
        test_identities=400,
        videos=3,
        clips_per_video=1,
        photographs_per_video=2,
        test_clips=5,
        test_photographs=6,
        clip_seconds=(8.0, 12.0),
        trials=20000,
    ),
}


@dataclass(frozen=True, kw_only=True)
class WorldSettings:
    """Everything that decides a generated world, to the byte.

    seed: another seed, another world. languages: names of LANGUAGES.
    """

    seed: int
    languages: tuple[str, ...]
    size: WorldSize

    def __post_init__(self) -> None:
        unknown = [language for language in self.languages if language not in LANGUAGES]
        if unknown:
            raise ConfigError(
                f"--languages {' '.join(unknown)}: not spoken here; there are {', '.join(LANGUAGES)}"
            )
        if not self.languages or len(set(self.languages)) != len(self.languages):
            raise ConfigError("--languages: name each language once, and at least one")
        if self.size.training_identities < 2 or self.size.test_identities < 2:
            raise ConfigError("--identities and --test-identities: at least 2 of each are needed")

    def as_json(self) -> dict[str, Any]:
        """The settings as they stand in the world's marker."""
        return {
            "seed": self.seed,
            "languages": list(self.languages),
            "size": asdict(self.size) | {"clip_seconds": list(self.size.clip_seconds)},
        }


def choose_size(
    name: str, training_identities: int | None = None, test_identities: int | None = None
) -> WorldSize:
    """A size of SIZES, with other numbers of identities where given."""
    size = SIZES[name]
    return replace(
        size,
        training_identities=size.training_identities if training_identities is None else training_identities,
        test_identities=size.test_identities if test_identities is None else test_identities,
    )
