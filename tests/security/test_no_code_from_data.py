"""A file that would run code where pickles are run: refused at every place that takes weights, and nothing runs."""

import pickle
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from features.__main__ import main as extract
from preprocessing.__main__ import main as preprocess
from preprocessing.pyannote_checkpoint import harmless_checkpoint
from preprocessing.pyannote_pipeline import load_pipeline
from src.artifacts.checkpoints import CONFIG_FILE, WEIGHTS_FILE, load_checkpoint
from src.artifacts.feature_arrays import read_feature_arrays
from src.core.config import read_yaml_mapping
from src.core.errors import CheckpointError, ConfigError, ListError, TrainingError, VoxfaceError, WeightsError
from src.encoders.embedded_weights import EMBEDDED_FOLDER
from src.encoders.keynote_weights import KEYNOTE_FOLDER, load_keynote
from src.encoders.registry import ENCODERS, load_encoder
from src.encoders.state_files import read_state
from src.training.published_import import import_fop
from src.training.training_progress import TrainingProgress
from tests.preprocessing.pyannote_folders import CONFIG_31, write_pipeline
from tests.test_import_law import ROOT, source_files

CPU = torch.device("cpu")
FORMATS = ("pickle", "torch", "old torch")


class Malicious:
    """Makes a file where it is unpickled."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


@pytest.fixture
def mark(tmp_path):
    """The file that must not come to be."""
    path = tmp_path / "code has run"
    yield path
    assert not path.exists()


def write_malicious(path, mark, form, content=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"weight": torch.zeros(2), **(content or {}), "payload": Malicious(mark)}
    if form == "pickle":
        path.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=form == "torch")
    return path


@pytest.mark.parametrize("form", FORMATS)
def test_the_payload_is_live(tmp_path, form):
    mark = tmp_path / "mark"
    path = write_malicious(tmp_path / "weights", mark, form)
    if form == "pickle":
        pickle.loads(path.read_bytes())
    else:
        torch.load(path, weights_only=False)
    assert mark.exists()


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("suffix", [".pt", ".pkl", ".ckpt", ".model"])
def test_state_files(tmp_path, mark, form, suffix):
    with pytest.raises(WeightsError, match=r"never run|holds int, not"):
        read_state(write_malicious(tmp_path / f"weights{suffix}", mark, form))


@pytest.mark.parametrize("form", FORMATS)
def test_published_checkpoints_of_fop(tmp_path, mark, form):
    with pytest.raises(WeightsError, match="never run"):
        import_fop(write_malicious(tmp_path / "a.pth", mark, form), tmp_path, "English", tmp_path / "out")


@pytest.mark.parametrize("name", sorted(name for name, entry in ENCODERS.items() if entry.published))
def test_weights_of_every_published_encoder(tmp_path, mark, name):
    with pytest.raises(WeightsError, match="never run"):
        load_encoder(name, weights=write_malicious(tmp_path / "weights.pt", mark, "torch"))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", ["ecapa-compact", "face-compact"])
def test_weights_of_our_own_encoders(tmp_path, mark, name, form):
    shutil.copytree(EMBEDDED_FOLDER / name, tmp_path / name)
    write_malicious(tmp_path / name / WEIGHTS_FILE, mark, form)
    with pytest.raises(WeightsError):
        load_encoder(name, weights=tmp_path / name)


@pytest.mark.parametrize("form", FORMATS)
def test_checkpoints_and_the_keynote_diarizer(tmp_path, mark, form):
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    shutil.copy(KEYNOTE_FOLDER / CONFIG_FILE, folder)
    write_malicious(folder / WEIGHTS_FILE, mark, form)
    with pytest.raises(CheckpointError, match="not a safetensors file"):
        load_checkpoint(folder)
    with pytest.raises(WeightsError):
        load_keynote(folder, CPU)


@pytest.mark.parametrize("form", FORMATS)
def test_the_state_of_a_stopped_training(tmp_path, mark, form):
    progress = TrainingProgress(tmp_path, {})
    write_malicious(progress.path, mark, form)
    with pytest.raises(TrainingError, match="damaged"):
        progress.load()


@pytest.fixture(scope="module")
def pyannote_pipeline(tmp_path_factory):
    return write_pipeline(
        tmp_path_factory.mktemp("pyannote") / "model",
        CONFIG_31,
        "segmentation-3.0",
        "wespeaker-voxceleb-resnet34-LM",
    )


@pytest.mark.parametrize("part", ["segmentation-3.0", "wespeaker-voxceleb-resnet34-LM"])
def test_pyannote_checkpoints(tmp_path, mark, pyannote_pipeline, part):
    """pyannote.audio itself would run them."""
    folder = tmp_path / "model"
    shutil.copytree(pyannote_pipeline, folder)
    path = folder / part / "pytorch_model.bin"
    content = torch.load(path, weights_only=False)
    for place in ({"payload": Malicious(mark)}, {"hyper_parameters": {"payload": Malicious(mark)}}):
        torch.save({**content, **place}, path)
        with pytest.raises(WeightsError, match="never run"):
            load_pipeline(str(folder), CPU)


def test_a_pyannote_checkpoint_names_no_class_of_another_module(tmp_path, mark, pyannote_pipeline):
    path = tmp_path / "pytorch_model.bin"
    content = torch.load(pyannote_pipeline / "segmentation-3.0/pytorch_model.bin", weights_only=False)
    content["pyannote.audio"]["architecture"]["module"] = "pyannote.audio.models_of_a_stranger"
    torch.save(content, path)
    with pytest.raises(WeightsError, match="no model of pyannote"):
        harmless_checkpoint(path)


def test_remains_of_training_are_left_out_of_pyannote_checkpoints(tmp_path, pyannote_pipeline):
    from lightning.pytorch.callbacks import EarlyStopping

    path = tmp_path / "pytorch_model.bin"
    content = torch.load(pyannote_pipeline / "segmentation-3.0/pytorch_model.bin", weights_only=False)
    torch.save({**content, "callbacks": {EarlyStopping: {"patience": 3}}}, path)
    kept = torch.load(harmless_checkpoint(path), weights_only=False)
    assert "callbacks" not in kept
    assert kept["hyper_parameters"] == content["hyper_parameters"]
    assert kept["pyannote.audio"]["specifications"] == content["pyannote.audio"]["specifications"]
    for name, tensor in content["state_dict"].items():
        assert torch.equal(kept["state_dict"][name], tensor)


def test_pyannote_configurations_name_no_code(tmp_path, mark):
    config = {**CONFIG_31, "preprocessors": {"waveform": {"name": "pathlib.Path.touch"}}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    with pytest.raises(WeightsError, match="preprocessors"):
        load_pipeline(str(tmp_path), CPU)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--modality", "voice", "--voice-encoder", "ecapa", "--voice-weights", "WEIGHTS"),
        ("--modality", "face", "--face-encoder", "vggface2", "--face-weights", "WEIGHTS"),
        ("--modality", "voice", "--diarizer", "keynote", "--diarizer-model", "FOLDER"),
        ("--modality", "voice", "--diarizer", "pyannote", "--diarizer-model", "FOLDER"),
    ],
)
def test_the_command_line_of_preprocessing(tmp_path, mark, tiny_world, arguments):
    folder = tmp_path / "folder"
    weights = write_malicious(folder / "pytorch_model.bin", mark, "torch")
    write_malicious(folder / WEIGHTS_FILE, mark, "torch")
    shutil.copy(KEYNOTE_FOLDER / CONFIG_FILE, folder)
    config = yaml.safe_dump(CONFIG_31).replace("pyannote/segmentation-3.0", str(weights))
    (folder / "config.yaml").write_text(config)
    given = [{"WEIGHTS": str(weights), "FOLDER": str(folder)}.get(word, word) for word in arguments]
    with pytest.raises(WeightsError):
        preprocess([str(tiny_world.dataset), "--out", str(tmp_path / "work"), *given])


@pytest.mark.parametrize(("modality", "encoder"), [("voice", "ecapa"), ("face", "vggface2")])
def test_the_command_line_of_features(tmp_path, mark, tiny_features, modality, encoder):
    weights = write_malicious(tmp_path / "weights.pt", mark, "torch")
    options = [
        "--modality",
        modality,
        f"--{modality}-encoder",
        encoder,
        f"--{modality}-weights",
        str(weights),
    ]
    with pytest.raises(VoxfaceError):
        extract([str(tiny_features.work), "--out", str(tmp_path / "features"), *options])


def test_arrays_of_objects(tmp_path, mark):
    np.savez(tmp_path / "a.npz", key=np.array(["a"]), vector=np.array([[Malicious(mark)]], object))
    with pytest.raises(ListError, match="plain arrays"):
        read_feature_arrays(tmp_path / "a.npz", "voice", "English", "train")


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system", "!!python/name:os.system", "!stranger"])
def test_configurations(tmp_path, tag):
    (tmp_path / "a.yaml").write_text(f"a: {tag} ['true']\n")
    with pytest.raises(ConfigError, match="not readable as YAML"):
        read_yaml_mapping(tmp_path / "a.yaml")


FORBIDDEN = {
    r"weights_only=False": (),
    r"allow_pickle=True": (),
    r"torch\.load\((?!.*weights_only=True)": (),
    r"np\.load\((?!.*allow_pickle=False)": ("benchmarks/scoring.py",),  # whose default refuses pickles
    r"yaml\.(unsafe_|full_)?load\((?!.*_PlainLoader)": (),  # a SafeLoader
    r"\bpickle\.loads?\(": (),
    r"read_pickle|joblib|\bshelve\b|\bmarshal\b|\bdill\b": (),
    r"\b(eval|exec)\((?!\))": (),
    r"shell=True|os\.system": ("benchmarks/fuzz_mutations.py",),  # a word of malicious files,
    r"tarfile|extractall|unpack_archive": (),
    r"trust_remote_code|torch\.hub": (),
    r"torch\.jit\.load": ("preprocessing/voice_activity.py",),  # a file of an installed package
}


@pytest.mark.parametrize("pattern", FORBIDDEN)
def test_nothing_in_the_source_loads_code(pattern):
    found = {
        str(path.relative_to(ROOT))
        for path in source_files()
        if any(re.search(pattern, line) for line in path.read_text(encoding="utf-8").splitlines())
    }
    assert found == set(FORBIDDEN[pattern])
