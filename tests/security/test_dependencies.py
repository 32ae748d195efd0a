"""Licences that are not allowed and known vulnerabilities fail; a service that does not answer is said."""

import json

import pytest

from checks import dependencies


def test_licences_that_are_not_allowed_are_named():
    licences = {
        "a": "MIT License",
        "b": "GPL-3.0-or-later",
        "c": "Apache-2.0 AND Proprietary",
        "d": "UNKNOWN",
        "e": "LGPL-2.1-or-later",
        "f": "GNU General Public License v3 (GPLv3)",
        "g": "MPL-2.0 AND MIT",
        "espeakng-loader": "MIT; holds eSpeak NG, GPL-3.0-or-later",
    }
    assert [problem[0] for problem in dependencies.licence_problems(licences)] == ["b", "c", "d", "f"]


def test_known_vulnerabilities_are_counted():
    packages = [
        {"name": "a", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]},
        {"name": "b", "version": "1", "vulns": []},
        {"name": "c", "version": "1", "skip_reason": "not found"},
    ]
    found, count = dependencies.vulnerability_report(json.dumps({"dependencies": packages}))
    assert found == ["a 1: PYSEC-1, mended in 2"]
    assert count == 2


@pytest.mark.parametrize(
    ("found", "count", "status", "words"),
    [([], 0, 0, "NOT CHECKED"), ([], 9, 0, "0 known"), (["a 1: PYSEC-1"], 9, 1, "PYSEC-1")],
)
def test_the_status_says_what_was_found(monkeypatch, capsys, found, count, status, words):
    monkeypatch.setattr(dependencies, "_looked_up", lambda path, seconds: (found, count))
    assert dependencies.main(["vulnerabilities"]) == status
    assert words in capsys.readouterr().out


def test_the_page_lists_what_is_locked(tmp_path, monkeypatch):
    monkeypatch.setattr(dependencies, "read_licences", lambda: {"numpy": "BSD-3-Clause", "stranger": "MIT"})
    assert dependencies.main(["licences", "--out", str(tmp_path / "page.md")]) == 0
    page = (tmp_path / "page.md").read_text()
    assert "| numpy | BSD-3-Clause |" in page
    assert "stranger" not in page
