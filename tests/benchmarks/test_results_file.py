from benchmarks.results_file import write_results
from src.core.files import read_json


def test_figures_stand_beside_commit_and_hardware(tmp_path):
    write_results(tmp_path / "deep" / "r.json", {"purity": 0.5})
    written = read_json(tmp_path / "deep" / "r.json")
    assert written["purity"] == 0.5
    assert written["commit"]
    assert written["hardware"]["cores"] >= 1
