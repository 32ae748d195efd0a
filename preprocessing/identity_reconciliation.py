"""Who is who: voice folders and face folders of one person may be numbered differently.

In MAV-Celeb v1 voice ids were renumbered 1 to 64 while face ids kept their gaps. The rows of the training lists say
which voice id and which face id are one person. The person is called by the face id.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from preprocessing.layouts import modality_of_folder
from src.artifacts.sources import Modality
from src.artifacts.trials import TrainingPair
from src.core.errors import ListError

_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Reconciliation:
    """Names of persons by modality and folder name, and how they came about.

    names: person's name of each voice folder and of each face folder.
    rows: rows of training lists that were read.
    paired: persons whom rows give both a voice id and a face id.
    renumbered: those of them whose two ids differ.
    voice_only, face_only: persons with folders of one modality alone.
    """

    names: Mapping[Modality, Mapping[str, str]]
    rows: int
    paired: int
    renumbered: int
    voice_only: tuple[str, ...]
    face_only: tuple[str, ...]

    def line(self) -> str:
        """The reconciliation in a line."""
        people = len({*self.names["voice"].values(), *self.names["face"].values()})
        alone = f"{len(self.voice_only)} with voices alone, {len(self.face_only)} with faces alone"
        if not self.rows:
            return f"identities: {people} (no training list: folders of one name are one person; {alone})"
        numbering = (
            f"{self.renumbered} have another number as a voice than as a face"
            if self.renumbered
            else "voices and faces are numbered alike"
        )
        return f"identities: {people} ({self.paired} paired by {self.rows} rows of the training lists; {numbering}; {alone})"

    def summary(self) -> dict[str, Any]:
        """The same, ready for JSON."""
        return {
            "people": len({*self.names["voice"].values(), *self.names["face"].values()}),
            "training_rows": self.rows,
            "paired": self.paired,
            "renumbered": self.renumbered,
            "voice_only": list(self.voice_only),
            "face_only": list(self.face_only),
            "voice_names": {folder: name for folder, name in self.names["voice"].items() if folder != name},
        }


def reconcile_identities(
    pairs: Iterable[TrainingPair], voice_folders: Iterable[str], face_folders: Iterable[str]
) -> Reconciliation:
    """Name the person of every voice folder and every face folder.

    Where all rows agree that both modalities are numbered alike, or there are no rows, folders of one name are
    one person. Where any row says otherwise, only rows make two folders one person, and a voice folder in no
    row is called `voice-<folder>`, which no face folder can be taken for.
    Raises ListError for a row without a person's folder, or when rows contradict each other.
    """
    faces_of_voice: dict[str, dict[str, TrainingPair]] = defaultdict(dict)
    voices_of_face: dict[str, dict[str, TrainingPair]] = defaultdict(dict)
    rows = 0
    for pair in pairs:
        voice, face = person_folder(pair.voice), person_folder(pair.face)
        faces_of_voice[voice].setdefault(face, pair)
        voices_of_face[face].setdefault(voice, pair)
        rows += 1
    _refuse_contradictions(faces_of_voice, voices_of_face)
    face_of_voice = {voice: next(iter(faces)) for voice, faces in faces_of_voice.items()}
    renumbered = sum(voice != face for voice, face in face_of_voice.items())
    faces = {folder: folder for folder in sorted({*face_folders, *voices_of_face})}
    voices = {}
    for folder in sorted({*voice_folders, *face_of_voice}):
        alone = _name_of_its_own(folder, faces) if renumbered else folder
        voices[folder] = face_of_voice.get(folder, alone)
    return Reconciliation(
        names={"voice": voices, "face": faces},
        rows=rows,
        paired=len(face_of_voice),
        renumbered=renumbered,
        voice_only=tuple(sorted({*voices.values()} - {*faces.values()})),
        face_only=tuple(sorted({*faces.values()} - {*voices.values()})),
    )


def person_folder(path: str) -> str:
    """The person's folder in a path of a training list, with or without `voices/` or `faces/` in front."""
    parts = PurePosixPath(path).parts
    if parts and modality_of_folder(parts[0]):
        parts = parts[1:]
    if len(parts) < 2:
        raise ListError(
            f"the training lists name {path!r}; a path needs the person's folder: id0001/English/VIDEO/00000.wav"
        )
    return parts[0]


def _name_of_its_own(folder: str, faces: Mapping[str, str]) -> str:
    name = f"voice-{folder}"
    while name in faces:
        name = f"voice-{name}"
    return name


def _refuse_contradictions(
    faces_of_voice: Mapping[str, Mapping[str, TrainingPair]],
    voices_of_face: Mapping[str, Mapping[str, TrainingPair]],
) -> None:
    contradictions = []
    for kind, table in (("voice", faces_of_voice), ("face", voices_of_face)):
        for folder, others in sorted(table.items()):
            if len(others) > 1:
                partners = [f"{other} ({pair.voice} {pair.face})" for other, pair in others.items()]
                contradictions.append(f"{kind} {folder} is paired with {' and with '.join(partners)}")
    if contradictions:
        shown = "\n  ".join(contradictions[:_SHOWN])
        raise ListError(
            f"the training lists contradict themselves about who is who, {len(contradictions)} times; mend the rows, or "
            f"name other lists with --lists DIR:\n  {shown}"
        )
