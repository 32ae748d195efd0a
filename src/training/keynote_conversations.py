"""Conversations for the keynote network: simulated from single voices, and the examples drawn from them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from src.core.progress import progress_bar
from src.core.seeding import random_stream
from src.data.speech_augmentation import SAMPLE_RATE_HZ, change_speed
from src.data.speech_corpus import SpeechCorpus
from src.models.keynote_network import FRAMES_PER_TOKEN, ConversationFeatures, conversation_features
from src.models.speaker_encoder import SpeakerEncoder
from src.simulation.conversation import ConversationStyle
from src.simulation.phrases import find_phrases, silence_pauses
from src.simulation.recording import draw_setting, dry_setting, record_conversation
from src.training.keynote_config import SimulationConfig

FRAMES_PER_SECOND, FRAME_SAMPLES = 100, 160
_BABBLING_PEOPLE = 5
_UTTERANCES_AT_ONCE = 4
_SHARE_TOLERANCE = 0.05
_FEWEST_PROMPT_TOKENS = 5
_OTHER_PROMPT_SHARE = 0.4  # of prompts that come from another conversation of the same person
_ONE_STRETCH_SHARE = 0.6  # of prompts that are of one stretch of talk, as the windows of a small cluster are
_MOST_WRONG_SHARE = 0.4  # up to so many tokens for each right one are somebody else's, as a diarizer errs


@dataclass(frozen=True)
class SimulatedConversation:
    """What the network reads of one conversation, and the truth.

    bands, tokens, vectors: half-precision features, see ConversationFeatures.
    people: numbers of those who say something. active: (frames, people) bool, when they do.
    """

    bands: torch.Tensor
    tokens: torch.Tensor
    vectors: torch.Tensor
    people: tuple[int, ...]
    active: np.ndarray

    @property
    def main(self) -> int:
        """The column of who talks most."""
        return int(self.active.sum(axis=0).argmax())

    def prompt_tokens(self, column: int) -> np.ndarray:
        """Tokens in which this person alone speaks all the time."""
        tokens = self.active.reshape(-1, FRAMES_PER_TOKEN, len(self.people))
        return np.flatnonzero(tokens[:, :, column].all(axis=1) & (tokens.any(axis=1).sum(axis=1) == 1))


def simulate_conversations(
    corpus: SpeechCorpus,
    corpora: np.ndarray,
    count: int,
    encoder: SpeakerEncoder,
    config: SimulationConfig,
    seed: int,
    name: str,
) -> list[SimulatedConversation]:
    """`count` conversations among the people of `corpus`; those of one conversation are of one corpus.

    corpora: (identities,) the corpus of each identity. name: of the random stream.
    """
    utterances = defaultdict(list)
    for row, identity in enumerate(corpus.identities.tolist()):
        utterances[identity].append(row)
    present = np.array(sorted(utterances))
    people_of = [present[corpora[present] == which] for which in np.unique(corpora[present])]
    weights = np.array(config.corpus_weights or [1.0] * len(people_of))
    shares = weights / weights.sum()
    result = []
    with progress_bar(total=count, description=f"simulating {name}", unit="conversation") as bar:
        for number in range(count):
            stream = random_stream("keynote conversations", seed, name, number)
            people = people_of[stream.choice(len(people_of), p=shares)]
            voices = _Voices(corpus, utterances, config.speed_factors, stream)
            result.append(_simulate(people, voices, encoder, config, stream))
            bar.update()
    return result


class _Voices:
    """Speech of the people of one conversation; nothing is said twice while there is more to say.

    A person is an identity at a speed: number = identity × speeds + index of the speed.
    """

    def __init__(
        self,
        corpus: SpeechCorpus,
        utterances: dict[int, list[int]],
        speeds: Sequence[float],
        stream: np.random.Generator,
    ) -> None:
        self._corpus, self._utterances, self._speeds, self._stream = corpus, utterances, speeds, stream
        self._unsaid: dict[str, np.ndarray] = {}

    def speak(self, person: str, seconds: float) -> np.ndarray:
        """The next stretch of this person's speech."""
        samples = int(seconds * SAMPLE_RATE_HZ)
        if len(self._unsaid.get(person, ())) < samples:
            self._unsaid[person] = self._say_anew(person)
        spoken, self._unsaid[person] = np.split(self._unsaid[person], [samples])
        return spoken

    def _say_anew(self, person: str) -> np.ndarray:
        """A few utterances, from the beginning of a phrase on, without the background in their pauses."""
        identity, speed = divmod(int(person), len(self._speeds))
        rows = self._stream.permutation(self._utterances[identity])[:_UTTERANCES_AT_ONCE]
        speech = np.concatenate([self._corpus.utterances[row] for row in rows]).astype(np.float32) / 32768
        speech = change_speed(torch.from_numpy(speech)[None], int(len(speech) / self._speeds[speed]))[
            0
        ].numpy()
        phrases = find_phrases(speech)
        first = phrases[self._stream.integers(len(phrases)), 0] if len(phrases) else 0
        return np.roll(silence_pauses(speech, phrases), -first * FRAME_SAMPLES)


def _simulate(
    people: np.ndarray,
    voices: _Voices,
    encoder: SpeakerEncoder,
    config: SimulationConfig,
    stream: np.random.Generator,
) -> SimulatedConversation:
    others = 0 if stream.random() < config.alone_share else int(stream.integers(1, config.most_others + 1))
    speeds = len(config.speed_factors)
    drawn = stream.permutation(people) * speeds + stream.integers(speeds, size=len(people))
    talking = [str(person) for person in drawn[: 1 + others]]
    babbling = [str(person) for person in drawn[1 + others : 1 + others + _BABBLING_PEOPLE]] or talking[:1]
    low, high = config.main_share
    recording = record_conversation(
        draw_setting(stream) if stream.random() < config.room_share else dry_setting(stream),
        talking[0],
        talking[1:],
        voices.speak,
        lambda: [voices.speak(person, 5.0) for person in babbling],
        config.seconds,
        stream,
        ConversationStyle(
            main_share=config.main_share, accepted_share=(low - _SHARE_TOLERANCE, high + _SHARE_TOLERANCE)
        ),
        config.signal_to_noise_db,
    )
    with torch.inference_mode():
        features = conversation_features(encoder, torch.from_numpy(recording.samples)[None])
    active = np.zeros((features.bands.shape[1], len(talking)), bool)
    for turn in recording.turns:
        span = slice(*(round(edge * FRAMES_PER_SECOND) for edge in (turn.start_seconds, turn.end_seconds)))
        active[span, talking.index(turn.speaker)] = True
    said_something = np.flatnonzero(active.any(axis=0))
    return SimulatedConversation(
        bands=features.bands[0].half(),
        tokens=features.tokens[0].half(),
        vectors=features.vectors[0].half(),
        people=tuple(int(talking[column]) for column in said_something),
        active=active[:, said_something],
    )


class ExampleDrawer:
    """Draws what to ask about each conversation, and the answer."""

    def __init__(
        self, conversations: Sequence[SimulatedConversation], unprompted_share: float, absent_share: float
    ) -> None:
        self._conversations = conversations
        self._unprompted_share, self._absent_share = unprompted_share, absent_share
        self._heard: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for index, conversation in enumerate(conversations):
            for column, person in enumerate(conversation.people):
                self._heard[person].append((index, column))

    def batch(
        self, indices: Sequence[int], stream: np.random.Generator
    ) -> tuple[ConversationFeatures, torch.Tensor, torch.Tensor]:
        """Features, prompts (batch, dimension) and answers (batch, frames, 2) of the conversations of these indices."""
        chosen = [self._conversations[index] for index in indices]
        asked = [self._ask(index, stream) for index in indices]
        features = ConversationFeatures(
            *(
                torch.stack([getattr(one, name) for one in chosen]).float()
                for name in ("bands", "tokens", "vectors")
            )
        )
        answers = [_answer(one.active, column) for one, (_, column) in zip(chosen, asked, strict=True)]
        return features, torch.stack([prompt for prompt, _ in asked]), torch.from_numpy(np.stack(answers))

    def _ask(self, index: int, stream: np.random.Generator) -> tuple[torch.Tensor, int | None]:
        """A prompt, and the column that it asks for; None for somebody who is not there."""
        conversation = self._conversations[index]
        kind = stream.random()
        if kind < self._unprompted_share:
            return torch.zeros(conversation.vectors.shape[1]), conversation.main
        if kind < self._unprompted_share + self._absent_share:
            other = int(stream.integers(len(self._conversations)))
            column = int(stream.integers(len(self._conversations[other].people)))
            if self._conversations[other].people[column] not in conversation.people:
                return self._prompt(other, column, stream), None
        column = int(stream.integers(len(conversation.people)))
        if stream.random() < _OTHER_PROMPT_SHARE:
            heard = self._heard[conversation.people[column]]
            return self._prompt(*heard[stream.integers(len(heard))], stream), column
        return self._prompt(index, column, stream), column

    def _prompt(self, index: int, column: int, stream: np.random.Generator) -> torch.Tensor:
        """The mean of some of a person's local vectors, as a diarizer finds them: some are somebody else's."""
        conversation = self._conversations[index]
        tokens = conversation.prompt_tokens(column)
        if not len(tokens):
            # only ever a word, or interrupted
            tokens = np.unique(np.flatnonzero(conversation.active[:, column]) // FRAMES_PER_TOKEN)
        fewest = min(_FEWEST_PROMPT_TOKENS, len(tokens))
        count = round(fewest * (len(tokens) / fewest) ** stream.random())
        other = int(stream.integers(len(conversation.people)))
        wrong = conversation.prompt_tokens(other) if other != column else tokens[:0]
        wrong_count = round(_MOST_WRONG_SHARE * stream.random() * count)
        rows = np.concatenate([_some(tokens, count, stream), _some(wrong, wrong_count, stream)])
        vectors = conversation.vectors[torch.from_numpy(rows.astype(np.int64))].float()
        return torch.nn.functional.normalize(vectors.mean(dim=0), dim=0)


def _some(tokens: np.ndarray, count: int, stream: np.random.Generator) -> np.ndarray:
    """So many of these tokens, or all where they are fewer: of one stretch of talk, or from everywhere."""
    if len(tokens) and stream.random() < _ONE_STRETCH_SHARE:
        return np.roll(tokens, -stream.integers(len(tokens)))[:count]
    return stream.permutation(tokens)[:count]


def _answer(active: np.ndarray, column: int | None) -> np.ndarray:
    """Whether the marked speaker speaks, and whether anybody else does: (frames, 2) float32."""
    if column is None:
        return np.stack([np.zeros(len(active)), active.any(axis=1)], axis=1).astype(np.float32)
    others = np.delete(active, column, axis=1).any(axis=1)
    return np.stack([active[:, column], others], axis=1).astype(np.float32)
