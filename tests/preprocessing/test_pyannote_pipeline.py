import copy
import warnings

import huggingface_hub
import numpy as np
import pytest
import torch
import yaml
from huggingface_hub.errors import GatedRepoError

from preprocessing.pyannote_diarizer import PyannoteDiarizer, load_pyannote_diarizer
from preprocessing.pyannote_pipeline import load_pipeline, quiet_pyannote
from preprocessing.speech_settings import PyannoteSettings
from src.artifacts.checkpoints import file_sha256
from src.core.errors import WeightsError
from tests.preprocessing.pyannote_folders import CONFIG_31, CONFIG_COMMUNITY, write_pipeline, write_plda

CPU = torch.device("cpu")
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def version_31(tmp_path_factory):
    # words in the path that make pyannote.audio take an embedding model for another format
    folder = tmp_path_factory.mktemp("models") / "speechbrain-wespeaker"
    return write_pipeline(folder, CONFIG_31, "segmentation-3.0", "wespeaker-voxceleb-resnet34-LM")


@pytest.fixture(scope="module")
def community(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "community-1"
    write_pipeline(folder, CONFIG_COMMUNITY, "segmentation", "embedding")
    write_plda(folder / "plda")
    return folder


@pytest.fixture
def no_network(monkeypatch, tmp_path):
    """An empty cache, and a hub that must not be asked."""

    def refuse(*arguments, **options):
        raise AssertionError("the hub was asked")

    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *arguments, **options: None)
    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", refuse)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", refuse)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def noise(seconds):
    return (0.1 * np.random.default_rng(0).normal(size=round(seconds * 16000))).astype(np.float32)


@pytest.mark.parametrize("folder", ["version_31", "community"])
def test_a_local_pipeline_runs_in_silence(folder, request, no_network, monkeypatch, capfd):
    folder = request.getfixturevalue(folder)
    monkeypatch.setenv("PYANNOTE_METRICS_ENABLED", "1")
    with quiet_pyannote():
        from pyannote.audio.telemetry import metrics

    class Tracer:
        def start_as_current_span(self, name):
            raise AssertionError(f"telemetry: {name}")

    monkeypatch.setattr(metrics, "tracer", Tracer())
    diarizer = load_pyannote_diarizer(PyannoteSettings(pipeline=str(folder)), CPU)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ((first, second), (silent,)) = diarizer([[noise(1.5), noise(0.71)], [np.zeros(9000, np.float32)]])
    assert not metrics.is_metrics_enabled()
    assert (len(first.active), len(second.active), len(silent.active)) == (150, 71, 57)
    assert first.active.shape[1] == second.active.shape[1]
    assert first.active.any()
    assert capfd.readouterr() == ("", "")


def test_a_pipeline_is_described_by_its_files(version_31):
    description = PyannoteDiarizer(None, load_pipeline(str(version_31), CPU).description).description()
    assert description["name"] == "pyannote"
    assert description["config"]["params"]["clustering"]["threshold"] == pytest.approx(0.70456, abs=1e-5)
    assert description["config"]["pipeline"]["params"]["segmentation"] == "pyannote/segmentation-3.0"
    weights = version_31 / "segmentation-3.0/pytorch_model.bin"
    assert description["sha256"]["segmentation/pytorch_model.bin"] == file_sha256(weights)
    assert yaml.safe_load(yaml.safe_dump(description)) == description


def test_parts_may_lie_beside_the_folder_or_where_the_configuration_says(version_31, tmp_path):
    (tmp_path / "segmentation-3.0").symlink_to(version_31 / "segmentation-3.0")
    folder = tmp_path / "pipeline"
    folder.mkdir()
    config = copy.deepcopy(CONFIG_31)
    embedding = version_31 / "wespeaker-voxceleb-resnet34-LM/pytorch_model.bin"
    config["pipeline"]["params"]["embedding"] = str(embedding)
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    described = load_pipeline(str(folder / "config.yaml"), CPU).description["sha256"]
    assert described == load_pipeline(str(version_31), CPU).description["sha256"]


def refused(name):
    with pytest.raises(WeightsError) as caught:
        load_pipeline(str(name), CPU)
    return str(caught.value)


def test_what_is_missing_is_explained(version_31, no_network, tmp_path):
    message = refused("pyannote/speaker-diarization-3.1")
    assert "HF_HUB_OFFLINE" in message
    assert "accept the conditions at https://huggingface.co/pyannote/speaker-diarization-3.1" in message
    assert "hf auth login" in message
    assert "--diarizer-model FOLDER" in message
    assert "no such pipeline folder" in refused(tmp_path / "absent")
    assert "holds no config.yaml" in refused(tmp_path)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(CONFIG_31))
    assert "pyannote/segmentation-3.0: pytorch_model.bin is not in the cache" in refused(tmp_path)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(CONFIG_COMMUNITY))
    assert f"its segmentation is to be at {tmp_path / 'segmentation'}" in refused(tmp_path)


def test_the_hub_is_asked_once_and_its_refusal_explained(no_network, monkeypatch):
    monkeypatch.delenv("HF_HUB_OFFLINE")
    asked = []

    def answer(error):
        def ask(url, timeout):
            asked.append(url)
            raise error

        monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", ask)

    answer(OSError("no route to host"))
    assert "cannot be downloaded (OSError: no route to host)" in refused("pyannote/some-pipeline")
    assert asked == ["https://huggingface.co/pyannote/some-pipeline/resolve/main/config.yaml"]
    gated = GatedRepoError.__new__(GatedRepoError)
    answer(gated)
    assert "the hub refuses config.yaml (GatedRepoError)" in refused("pyannote/some-pipeline")


def test_files_of_the_hub_come_from_its_cache(community, monkeypatch, no_network):
    def cached(repository, file, revision):
        assert repository == "pyannote/speaker-diarization-community-1"
        return str(community / file)

    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", cached)
    found = load_pipeline("pyannote/speaker-diarization-community-1", CPU).description["sha256"]
    assert found == load_pipeline(str(community), CPU).description["sha256"]
    assert len(found) == 4


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("[1, 2", "not the configuration"),
        ("pipeline: 3", "not the configuration"),
        ("pipeline: {name: os.system}", "is a pipeline os.system"),
    ],
)
def test_other_configurations_are_refused(tmp_path, content, reason):
    (tmp_path / "config.yaml").write_text(content)
    assert reason in refused(tmp_path)


def test_damaged_weights_are_an_error_that_says_so(version_31, tmp_path):
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(CONFIG_31))
    (tmp_path / "segmentation-3.0").mkdir()
    weights = (version_31 / "segmentation-3.0/pytorch_model.bin").read_bytes()
    (tmp_path / "segmentation-3.0/pytorch_model.bin").write_bytes(weights[: len(weights) // 2])
    (tmp_path / "wespeaker-voxceleb-resnet34-LM").symlink_to(version_31 / "wespeaker-voxceleb-resnet34-LM")
    assert "it is damaged" in refused(tmp_path)
