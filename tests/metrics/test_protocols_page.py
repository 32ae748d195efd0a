"""The worked examples of docs/protocols.md give what the page says."""

import doctest
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs/protocols.md"


def test_every_example_gives_what_the_page_says():
    outcome = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert outcome.attempted > 25
    assert outcome.failed == 0
