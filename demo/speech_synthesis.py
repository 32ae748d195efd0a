"""Speech from text by espeak-ng, called through ctypes from the `espeakng-loader` package (GPL-3.0).

The library keeps global state: one synthesizer a process, and a fresh process for whatever must come
out the same bytes again, since flutter and phase go on from one utterance to the next.
"""

import ctypes
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

import espeakng_loader
import numpy as np
import soxr

from demo.sentences import LANGUAGES, Language
from demo.voice_description import VoiceDescription, variant_file
from src.media.audio import SAMPLE_RATE_HZ

_SYNCHRONOUS, _UTF8, _CHARACTER_POSITION, _RATE = 2, 1, 1, 1
_CALLBACK_BUFFER_MILLISECONDS = 2_000
# One name for all voices: the file is read again each time, and espeak-ng warns beyond 350 of them.
_VARIANT = "person"
_SHARED_FILES = ("phondata", "phonindex", "phontab", "intonations")

_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class SpeechSynthesizer:
    """espeak-ng with the given languages; a context manager that owns a temporary voice folder.

    Open one a process: the library underneath is global.
    """

    def __init__(self, languages: Iterable[str]) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="voxface_espeak_"))
        variant_path = _make_data_folder(
            self._folder / "espeak-ng-data", [LANGUAGES[name] for name in languages]
        )
        self._variant_file = variant_path.open("w", encoding="ascii")  # rewritten in place: opening is dear
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        self._library.espeak_Synth.argtypes = [
            ctypes.c_char_p,
            ctypes.c_size_t,
            ctypes.c_uint,
            ctypes.c_int,
            ctypes.c_uint,
            ctypes.c_uint,
            ctypes.c_void_p,
            ctypes.c_void_p,
        ]
        self._native_rate_hz = self._library.espeak_Initialize(
            _SYNCHRONOUS, _CALLBACK_BUFFER_MILLISECONDS, str(self._folder).encode(), 0
        )
        if self._native_rate_hz <= 0:
            raise RuntimeError(f"espeak_Initialize failed with {self._native_rate_hz}")
        self._chunks: list[np.ndarray] = []
        self._callback = _Callback(self._receive)  # kept: the library holds only a bare pointer
        self._library.espeak_SetSynthCallback(self._callback)

    def __enter__(self) -> "SpeechSynthesizer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._library.espeak_Terminate()
        self._variant_file.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def say(self, text: str, voice: VoiceDescription, language: str, seed: int) -> np.ndarray:
        """Speak `text`; float32 mono of shape (samples,) at 16 kHz.

        seed: of espeak's noise, which otherwise follows the clock; another one for each utterance.
        """
        self._variant_file.seek(0)
        self._variant_file.write(variant_file(voice, _VARIANT))
        self._variant_file.truncate()
        self._variant_file.flush()
        self._library.espeak_ng_SetRandSeed(ctypes.c_long(seed % 2**31))
        name = f"{LANGUAGES[language].espeak_voice}+{_VARIANT}"
        status = self._library.espeak_SetVoiceByName(name.encode())
        if status != 0:
            raise RuntimeError(f"espeak_SetVoiceByName({name}) failed with {status}")
        self._library.espeak_SetParameter(_RATE, int(voice.words_per_minute), 0)
        self._chunks = []
        encoded = text.encode("utf-8") + b"\0"
        self._library.espeak_Synth(encoded, len(encoded), 0, _CHARACTER_POSITION, 0, _UTF8, None, None)
        self._library.espeak_Synchronize()
        if not self._chunks:
            raise RuntimeError(f"espeak-ng returned no sound for {text!r}")
        spoken = np.concatenate(self._chunks).astype(np.float32) / 32768
        return np.asarray(soxr.resample(spoken, self._native_rate_hz, SAMPLE_RATE_HZ))

    def _receive(self, samples: "ctypes._Pointer[ctypes.c_short]", count: int, _events: int) -> int:
        if samples and count > 0:
            self._chunks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0


def _make_data_folder(folder: Path, languages: list[Language]) -> Path:
    """Link only what the languages need, which makes starting cheap; returns the variant file's path."""
    source = Path(espeakng_loader.get_data_path())
    variants = folder / "voices" / "!v"
    variants.mkdir(parents=True)
    (folder / "lang").mkdir()
    for name in _SHARED_FILES:
        (folder / name).symlink_to(source / name)
    for language in languages:
        (folder / language.dictionary).symlink_to(source / language.dictionary)
        (folder / "lang" / language.espeak_voice).symlink_to(source / "lang" / language.voice_file)
    return variants / _VARIANT
