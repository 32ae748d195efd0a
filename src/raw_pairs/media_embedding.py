"""Files of one modality → an embedding store, each distinct file once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa

from features.batching import process_count
from features.records import lost_media_rows
from src.artifacts.clean_media import CleanMedium
from src.artifacts.embedding_store import MANIFEST_FOLDER, write_store_information
from src.artifacts.sources import Modality, SourceRecord
from src.core.device import choose_device
from src.core.stage import DONE, PartWorker, Stage, StageSummary, read_parts, run_stage, split_into_parts
from src.core.version import __version__
from src.raw_pairs.media_files import media_records
from src.raw_pairs.media_worker import MediaWorker, WeightPaths, make_media_worker
from src.raw_pairs.recipe import MediaRecipe

# Few files a part, so that all cores have work; the frames of a video stay together whatever their number.
_PART_SIZES: dict[Modality, int] = {"voice": 8, "face": 16}


@dataclass(frozen=True, kw_only=True)
class EmbeddedMedia:
    """What became of files.

    keys: of the embeddings of each file, in the store: one, or of a video among faces those of its frames with a face.
    reasons: why a file has none. summary: counts, of files and frames.
    """

    keys: dict[str, list[str]]
    reasons: dict[str, str]
    summary: StageSummary


class MediaEmbedder:
    """Embeds files as the media of a checkpoint were embedded; its networks are loaded at the first call.

    folder: for clean media, which stay there if `keep`.
    """

    def __init__(
        self,
        modality: Modality,
        recipe: MediaRecipe,
        weights: WeightPaths,
        folder: Path,
        device: str,
        *,
        keep: bool,
    ) -> None:
        self.modality, self.recipe, self.device = modality, recipe, device
        self._make = partial(make_media_worker, modality, recipe, weights, folder, device, keep)
        self._loaded: MediaWorker | None = None

    def embed(self, files: Sequence[str], out: Path, workers: int) -> EmbeddedMedia:
        """Embed files, given by `media_key`, into the store `out`.

        workers: processes, 0 for one a core. Raises WeightsError and CheckpointError as `make_media_worker` does.
        """
        if self._loaded is None:
            self._loaded = self._make()
        loaded = self._loaded
        records = media_records(files, self.modality, self.recipe.faces.settings)
        parts = split_into_parts(records.values(), _PART_SIZES[self.modality])
        processes = 1 if len(parts) < 2 else process_count(workers, choose_device(self.device))
        make: Callable[[], PartWorker[SourceRecord]] = (lambda: loaded) if processes == 1 else self._make
        stage = Stage(
            name=f"{self.modality}s",
            folder=out,
            parts=parts,
            make_worker=make,
            settings=loaded.description,
            unit="file",
            lost_rows=_lost_rows,
        )
        write_store_information(out, {**loaded.description, "version": __version__})
        summary = run_stage(stage, processes)
        return _embedded(files, records, out, summary)


def _lost_rows(records: Sequence[SourceRecord], reason: str) -> pa.Table:
    """Manifest rows of files over which a worker was lost."""
    return lost_media_rows([CleanMedium(source=record, output="", reason="") for record in records], reason)


def _embedded(
    files: Sequence[str],
    records: Mapping[str, list[SourceRecord]],
    store: Path,
    summary: StageSummary,
) -> EmbeddedMedia:
    rows = read_parts(store / MANIFEST_FOLDER, ["key", "status", "reason"]).to_pylist()
    outcome = {row["key"]: row["reason"] if row["status"] != DONE else "" for row in rows}
    keys: dict[str, list[str]] = {}
    reasons: dict[str, str] = {}
    for file in files:
        of_file = [record.key for record in records[file]]
        keys[file] = [key for key in of_file if not outcome[key]]
        if not keys[file]:
            reasons[file] = outcome[of_file[0]]
    return EmbeddedMedia(keys=keys, reasons=reasons, summary=summary)
