"""Settings of the speech front end. The defaults are the best measured; benchmarks/keynote.py measures them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from src.core.config import STRICT

DiarizerName = Literal["embedded", "pyannote", "keynote"]


@dataclass(frozen=True, kw_only=True)
class VoiceActivitySettings:
    """When somebody speaks.

    level_db: root-mean-square against full scale at which the network listens: it is deaf to quiet files.
    probability: lowest speech probability of the network.
    margin_db: how far a frame of speech stands above the noise floor. The network hears babble and the
        tails of a room as speech; the energy criterion does not.
    floor_percentile: the noise floor is this percentile of the frame energies of a file.
    headroom_db: the energy criterion never asks for more than the loud frames (90th percentile) less this,
        so that a file without pauses keeps its speech.
    smoothing_seconds: span over which frame energies are averaged.
    longest_gap_seconds: shorter gaps belong to the speech around them.
    shortest_speech_seconds: shorter stretches are not speech.
    """

    __pydantic_config__ = STRICT

    level_db: float = -25.0
    probability: float = 0.5
    margin_db: float = 4.0
    floor_percentile: float = 5.0
    headroom_db: float = 6.0
    smoothing_seconds: float = 0.13
    longest_gap_seconds: float = 0.18
    shortest_speech_seconds: float = 0.15

    def __post_init__(self) -> None:
        if not 0 < self.probability < 1:
            raise ValueError(f"probability {self.probability} must lie between 0 and 1")
        if not 0 <= self.floor_percentile <= 100:
            raise ValueError(f"floor_percentile {self.floor_percentile} must lie between 0 and 100")


@dataclass(frozen=True, kw_only=True)
class DiarizationSettings:
    """Who speaks when.

    window_seconds: length of the windows that speaker vectors are taken from.
    hop_seconds: distance between windows.
    shortest_window_seconds: shorter stretches of speech take the speaker of the nearest windows.
    bridged_pause_seconds: windows run over pauses up to this long.
    merge_share: clusters whose windows have a mean cosine similarity above this share of what is usual
        within one speaker are one speaker. The usual similarity is read off the recordings themselves, since
        noise and rooms lower it: main speakers talk more than half of the time, so that it is about
        the 60th percentile of all pairs of windows.
    lowest_merge_similarity, highest_merge_similarity: limits of the similarity so found.
    most_clustered_windows: with more windows, so many evenly chosen ones are clustered and the others
        join the most similar cluster; it bounds memory on recordings of hours.
    switch_cost: what a change of speaker must gain, in units of similarity × seconds.
    ambiguity_margin: where the best two speakers are nearer than this in similarity, the frame is taken
        for overlapped speech or a change of speakers, and given to nobody.
    batch_windows: windows embedded together; more are no faster on a processor, and take more memory.
    """

    __pydantic_config__ = STRICT

    window_seconds: float = 1.5
    hop_seconds: float = 0.75
    shortest_window_seconds: float = 0.5
    bridged_pause_seconds: float = 0.3
    merge_share: float = 1.1
    lowest_merge_similarity: float = 0.1
    highest_merge_similarity: float = 0.6
    most_clustered_windows: int = 2000
    switch_cost: float = 0.1
    ambiguity_margin: float = 0.2
    batch_windows: int = 8

    def __post_init__(self) -> None:
        if not 0 < self.shortest_window_seconds <= self.window_seconds:
            raise ValueError(
                f"shortest_window_seconds {self.shortest_window_seconds} must lie between 0 and "
                f"window_seconds {self.window_seconds}"
            )
        if not 0 < self.hop_seconds <= self.window_seconds:
            raise ValueError(
                f"hop_seconds {self.hop_seconds} must lie between 0 and window_seconds {self.window_seconds}"
            )
        if not -1 <= self.lowest_merge_similarity <= self.highest_merge_similarity <= 1:
            raise ValueError(
                "lowest_merge_similarity and highest_merge_similarity must lie between -1 and 1, in this order"
            )
        if self.most_clustered_windows < 2 or self.batch_windows < 1:
            raise ValueError("most_clustered_windows must be at least 2 and batch_windows at least 1")


@dataclass(frozen=True, kw_only=True)
class PyannoteSettings:
    """The diarizer `pyannote`.

    pipeline: a pipeline of the Hugging Face hub by its name, or a local folder that holds its config.yaml.
    """

    __pydantic_config__ = STRICT

    pipeline: str = "pyannote/speaker-diarization-community-1"


@dataclass(frozen=True, kw_only=True)
class ResegmentationSettings:
    """The last step of the diarizer `embedded`: the keynote network marks each speaker again, overlap included.

    enabled: without it every frame has one speaker at most, and nothing joins the surplus clusters that a `merge_share`
        above 1 begins with: lower that then.
    smoothing_seconds: span over which the logarithms of the network's probabilities are averaged.
    activity_log_odds: what the word of voice activity counts for beside the network's answers, which find quiet people
        in noise that it does not hear, and doubt noises that it takes for speech.
    certain_margin: log likelihood by which the speaker of a frame must lead over nobody and over every other one; where
        it does not, the frame is given but not certain. Higher keeps less of the keynote speaker, and purer.
    same_speaker_correlation: clusters whose marks have this correlation or more, on average, are one person. Clustering
        may therefore begin with more clusters than there are people.
    chunk_seconds, overlap_seconds: as for the keynote diarizer.
    """

    __pydantic_config__ = STRICT

    enabled: bool = True
    smoothing_seconds: float = 0.09
    activity_log_odds: float = 1.0
    certain_margin: float = 2.0
    same_speaker_correlation: float = 0.3
    chunk_seconds: float = 20.0
    overlap_seconds: float = 5.0


@dataclass(frozen=True, kw_only=True)
class KeynoteDiarizerSettings:
    """The diarizer `keynote`.

    model: checkpoint folder; the embedded one where none is given.
    threshold: probability from which a frame is the keynote speaker's.
    certain_probability: from which it is certainly theirs, and kept.
    chunk_seconds, overlap_seconds: long recordings go through the network in chunks that overlap.
    same_speaker_similarity: cosine from which two chunks mean the same person.
    """

    __pydantic_config__ = STRICT

    model: Path | None = None
    threshold: float = 0.5
    certain_probability: float = 0.65
    chunk_seconds: float = 32.0
    overlap_seconds: float = 5.0
    same_speaker_similarity: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= self.certain_probability < 1:
            raise ValueError(
                f"threshold {self.threshold} and certain_probability {self.certain_probability} must lie between 0 and 1, "
                "in this order"
            )
        if not 0 <= self.overlap_seconds < self.chunk_seconds:
            raise ValueError(
                f"overlap_seconds {self.overlap_seconds} must be at least 0 and below chunk_seconds {self.chunk_seconds}"
            )


@dataclass(frozen=True, kw_only=True)
class KeynoteSettings:
    """Which speech of the main speaker is kept.

    shortest_segment_seconds: shorter segments are dropped.
    padding_seconds: kept before and after each segment, where nobody else speaks.
    keep_overlap: whether frames are kept in which others speak at the same time.
    cross_fade_seconds: overlap of two segments where they are joined.
    shortest_kept_seconds: a file with less of the main speaker fails with `no_keynote_speech`.
    """

    __pydantic_config__ = STRICT

    shortest_segment_seconds: float = 0.3
    padding_seconds: float = 0.0
    keep_overlap: bool = False
    cross_fade_seconds: float = 0.01
    shortest_kept_seconds: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= 2 * self.cross_fade_seconds <= self.shortest_segment_seconds:
            raise ValueError(
                f"cross_fade_seconds {self.cross_fade_seconds} must be at most half of "
                f"shortest_segment_seconds {self.shortest_segment_seconds}"
            )
        if not 0 <= self.padding_seconds < self.shortest_segment_seconds:
            raise ValueError(
                f"padding_seconds {self.padding_seconds} must be below shortest_segment_seconds {self.shortest_segment_seconds}"
            )


@dataclass(frozen=True, kw_only=True)
class CleaningSettings:
    """How kept speech is cleaned.

    band_pass: whether only the band is kept.
    lowest_hz, highest_hz: edges of the band.
    clean: "wiener" = with a Wiener filter; "none" = without.
    wiener: "tracked" = the noise spectrum is followed through the recording, the prior signal-to-noise ratio is
        decision-directed; "percentile" = the plain filter of published front ends: one noise spectrum a file.
    gain_floor_db: no bin is turned down further, which hides musical noise.
    noise_percentile: the noise spectrum, or where it starts, is that of this share of the quietest frames of the file.
    noise_bias: the quietest frames hold less noise than the mean; their mean power is multiplied by this.
    noise_memory: weight of the past in the tracked noise spectrum, a frame of 16 ms.
    smoothing: weight of the past in the decision-directed prior signal-to-noise ratio, a frame of 16 ms; 0 = none.
    level_db: root-mean-square of the result against full scale; null = the level stays as it is.
    peak_db: highest sample of the result against full scale; it wins over the level.
    trim: whether silence is taken off the beginning and the end of what is kept.
    silence_db: how far below the loud frames of the kept speech silence lies.
    """

    __pydantic_config__ = STRICT

    band_pass: bool = True
    lowest_hz: float = 80.0
    highest_hz: float = 7600.0
    clean: Literal["wiener", "none"] = "wiener"
    wiener: Literal["tracked", "percentile"] = "tracked"
    gain_floor_db: float = -15.0
    noise_percentile: float = 10.0
    noise_bias: float = 1.0
    noise_memory: float = 0.9
    smoothing: float = 0.9
    level_db: float | None = -25.0
    peak_db: float = -1.0
    trim: bool = False
    silence_db: float = 40.0

    def __post_init__(self) -> None:
        if not 0 < self.lowest_hz < self.highest_hz < 8000:
            raise ValueError(
                f"the band {self.lowest_hz} to {self.highest_hz} Hz must lie between 0 and 8000 Hz"
            )
        for name in ("smoothing", "noise_memory"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} {getattr(self, name)} must be at least 0 and below 1")
        if not 0 < self.noise_percentile <= 100:
            raise ValueError(f"noise_percentile {self.noise_percentile} must lie between 0 and 100")
        if self.gain_floor_db > 0 or self.peak_db > 0:
            raise ValueError("gain_floor_db and peak_db are at most 0")
        if self.silence_db <= 0:
            raise ValueError(f"silence_db {self.silence_db} must be above 0")


@dataclass(frozen=True, kw_only=True)
class SpeechSettings:
    """The speech half of preprocessing.

    diarizer: what finds who speaks when: "embedded" = voice activity, speaker vectors, clustering, resegmentation;
        "pyannote" = a pipeline of pyannote.audio; "keynote" = the keynote model.
    activity, diarization, resegmentation: settings of the diarizer `embedded`.
    pyannote, keynote_diarizer: settings of the two others.
    keynote, cleaning: what is kept, and how it is cleaned.
    shortest_file_seconds: a shorter file fails with `too_short`.
    """

    __pydantic_config__ = STRICT

    diarizer: DiarizerName = "embedded"
    activity: VoiceActivitySettings = field(default_factory=VoiceActivitySettings)
    diarization: DiarizationSettings = field(default_factory=DiarizationSettings)
    resegmentation: ResegmentationSettings = field(default_factory=ResegmentationSettings)
    pyannote: PyannoteSettings = field(default_factory=PyannoteSettings)
    keynote_diarizer: KeynoteDiarizerSettings = field(default_factory=KeynoteDiarizerSettings)
    keynote: KeynoteSettings = field(default_factory=KeynoteSettings)
    cleaning: CleaningSettings = field(default_factory=CleaningSettings)
    shortest_file_seconds: float = 0.5
