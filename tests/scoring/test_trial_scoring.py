import json
import shutil

import numpy as np
import pytest
import torch

from src.artifacts.embedding_store import EmbeddingStore
from src.artifacts.trials import Trial
from src.core.errors import CheckpointError, ListError, StoreError
from src.models.tokens import TokenSequences
from src.scoring import trial_scoring
from src.scoring.trial_scoring import FeatureStores, TrialScorer
from tests.scoring.made_up_world import NearnessModel, write_checkpoint, write_manifest, write_store

CPU = torch.device("cpu")


def scorer_of(world, trained_on="English", **options):
    return TrialScorer.load(world.checkpoint(trained_on), FeatureStores.open(world.features), CPU, **options)


def test_scores_are_distances_in_list_order_and_lower_for_the_nearer(world):
    trials = world.trials("English")[::-1]
    scored = scorer_of(world).score(trials, "list")
    expected = {trial.trial_id: abs(world.values[trial.voice] - world.values[trial.face]) for trial in trials}
    assert list(scored.scores) == list(expected)
    assert scored.scores == pytest.approx(expected, abs=1e-6)
    assert scored.unscorable == []


def test_training_list_paths_get_their_folder_in_front(world):
    given = Trial("t", "voices/English/00001.wav", "faces/English/00002.jpg")
    short = Trial("t", "English/00001.wav", "English/00002.jpg")
    scorer = scorer_of(world)
    assert scorer.score([given], "list").scores == scorer.score([short], "list").scores


def test_each_voice_and_face_is_gathered_once(world, monkeypatch):
    gathered = []
    original = TokenSequences.gather

    def counting(vectors, first, *others):
        gathered.append(len(first))
        return original(vectors, first, *others)

    monkeypatch.setattr(TokenSequences, "gather", counting)
    scorer_of(world).score(world.trials("English"), "list")
    assert gathered == [6, 6]


def remove_voice(world, person, reason):
    """Take one voice out of the store, and give its reason in the manifest."""
    key = f"voices/English/{person:05d}.wav"
    store = EmbeddingStore.open(world.features / "voice")
    kept = [
        (name, float(token[0])) for name in store.items.index if name != key for token in store.tokens(name)
    ]
    shutil.rmtree(world.features / "voice")
    write_store(world.features / "voice", "voice", kept)
    if reason:
        row = {"key": key, "status": "failed", "reason": reason, "output": ""}
        write_manifest(world.features / "voice", [row])
    return key


@pytest.mark.parametrize(("reason", "shown"), [("no_speech", "no_speech"), (None, "never preprocessed")])
def test_media_without_embedding_are_an_error_that_gives_the_reason(world, reason, shown):
    key = remove_voice(world, 2, reason)
    with pytest.raises(StoreError, match=f"{key}: .*{shown}") as raised:
        scorer_of(world).score(world.trials("English"), "the list")
    assert "--unscorable median" in str(raised.value)


def test_unscorable_trials_get_the_median_and_are_named(world, caplog):
    key = remove_voice(world, 2, "no_speech")
    trials = world.trials("English")
    lost = [trial.trial_id for trial in trials if trial.voice == key]
    scored = scorer_of(world).score(trials, "the list", "median")
    others = [score for name, score in scored.scores.items() if name not in lost]
    assert {scored.scores[name] for name in lost} == {np.median(others)}
    assert [trial.trial_id for trial in scored.unscorable] == lost
    assert {(trial.key, trial.reason) for trial in scored.unscorable} == {(key, "no_speech")}
    assert f"{len(lost)} of {len(trials)} trials" in caplog.text
    assert lost[0] in caplog.text


def test_a_list_without_any_scorable_trial_is_an_error_whatever_the_policy(world):
    with pytest.raises(StoreError, match="not one of 1 trials"):
        scorer_of(world).score([Trial("t", "voices/x.wav", "faces/English/00000.jpg")], "list", "median")
    with pytest.raises(ListError, match="holds no trial"):
        scorer_of(world).score([], "list")
    with pytest.raises(ListError, match="lead out"):
        scorer_of(world).score([Trial("t", "../a.wav", "b.jpg")], "list", "median")


def test_a_model_that_gives_no_finite_score_is_refused(world, monkeypatch):
    monkeypatch.setattr(NearnessModel, "encode_voices", lambda self, tokens: tokens[..., :1] * float("nan"))
    with pytest.raises(CheckpointError, match="not finite"):
        scorer_of(world).score(world.trials("English"), "list")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"encoder": "another"}, "voice encoder: trained on 'tiny-voice', the store has 'another'"),
        ({"weights_sha256": "f00"}, "voice weights_sha256: trained on None, the store has 'f00'"),
    ],
)
def test_a_checkpoint_of_other_embeddings_is_refused(world, change, message):
    path = world.features / "voice" / "store.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(CheckpointError, match=message):
        scorer_of(world)


def test_a_checkpoint_of_embeddings_of_another_dimension_is_refused(world):
    stores = {
        name: json.loads((world.features / name / "store.json").read_text()) for name in ("voice", "face")
    }
    stores["voice"]["dimension"] = 3
    write_checkpoint(world, "English", encoders=stores)
    with pytest.raises(CheckpointError, match="voice dimension: trained on 3, the store has 2"):
        scorer_of(world)


def test_embeddings_made_with_other_settings_are_warned_of(world, caplog):
    path = world.features / "voice" / "store.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"tokens": {"window_seconds": 3}}))
    scorer_of(world)
    assert "voice embeddings that were made with other settings (tokens)" in caplog.text


def test_what_does_not_change_a_vector_may_differ(world, caplog):
    path = world.features / "voice" / "store.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": "9.9", "counts": {"done": 1}}))
    assert scorer_of(world).score(world.trials("Urdu"), "list").scores
    assert caplog.text == ""


def test_of_a_section_what_the_checkpoint_states_is_compared(world, caplog):
    path, config = (
        world.features / "voice" / "store.json",
        world.checkpoint("English") / "config.json",
    )
    tokens = {"window_seconds": 2.0, "most_windows": 32}
    path.write_text(json.dumps(json.loads(path.read_text()) | {"tokens": tokens}))
    for stated, differs in (({"window_seconds": 2.0}, False), ({"window_seconds": 1.5}, True)):
        content = json.loads(config.read_text())
        content["encoders"]["voice"]["tokens"] = stated
        config.write_text(json.dumps(content))
        scorer_of(world)
        assert ("other settings (tokens)" in caplog.text) == differs


def test_a_checkpoint_of_another_kind_or_language_is_refused(world):
    with pytest.raises(CheckpointError, match="trained on English, but is given"):
        scorer_of(world, "English", language="Urdu")
    write_checkpoint(world, "Urdu", recipe="speaker_recognition")
    with pytest.raises(CheckpointError, match="speaker_recognition"):
        scorer_of(world, "Urdu")


def test_the_shipped_head_scores_as_it_does_directly(world, monkeypatch):
    """Parity of the whole path with the model called on one trial at a time."""
    from src.artifacts.checkpoints import save_checkpoint
    from src.models.registry import build_model

    config = {"name": "cafnet", "voice_dimension": 2, "face_dimension": 2, "aligned_width": None}
    config |= {"width": 8, "heads": 2, "hidden": 8, "dropout": 0.1}
    torch.manual_seed(0)
    model = build_model(config).eval()
    stores = FeatureStores.open(world.features)
    whole = {"recipe": "association", "model": config, "language": "English"}
    whole["encoders"] = {"voice": stores.voice.information, "face": stores.face.information}
    save_checkpoint(world.checkpoint("English"), model.state_dict(), whole, {})
    monkeypatch.setattr(trial_scoring, "build_model", build_model)
    trials = world.trials("English")
    scored = scorer_of(world).score(trials, "list")
    for trial in trials[:6]:
        voice, face = (
            torch.from_numpy(store.tokens(key).copy())[None]
            for store, key in ((stores.voice, trial.voice), (stores.face, trial.face))
        )
        with torch.inference_mode():
            similarity = model.similarity(
                voice, torch.ones(voice.shape[:2], dtype=bool), face, torch.ones(face.shape[:2], dtype=bool)
            )
        assert scored.scores[trial.trial_id] == pytest.approx(-float(similarity), abs=1e-5)
