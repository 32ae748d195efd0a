"""The page in a real browser: it loads in silence, fits a phone and a desk, and a screen reader finds its way."""

import pytest
import torch

from src.scoring.report.page import render_report
from src.scoring.report.sources import ReportSources
from src.scoring.score_commands import submit
from tests.scoring.headless_browser import browser_command, open_tab

pytestmark = pytest.mark.skipif(
    browser_command() is None, reason="needs Chromium: apt-get install chromium, or Google Chrome"
)
NARROW, WIDE = 360, 1280


@pytest.fixture
def page(world, tmp_path):
    path = tmp_path / "submission.zip"
    submit(
        lists=world.dataset,
        features=world.features,
        checkpoints=world.checkpoints,
        out=path,
        device=torch.device("cpu"),
    )
    sources = ReportSources(
        submission=path,
        truth=world.truth,
        checkpoints=world.checkpoints,
        lists=world.dataset,
        work=world.work,
        replicates=20,
    )
    (tmp_path / "report.html").write_text(render_report(sources), encoding="utf-8")
    return tmp_path / "report.html"


def test_the_page_in_a_browser(page, tmp_path):
    with open_tab(browser_command(), tmp_path / "profile") as tab:
        for width in (NARROW, WIDE):
            tab.resize(width)
            tab.open(page)
            assert tab.evaluate("document.documentElement.scrollWidth") <= width
            messages = [
                what for what in tab.events if what[0] in ("Log.entryAdded", "Runtime.exceptionThrown")
            ]
            assert messages == []
            asked = [told["request"]["url"] for how, told in tab.events if how == "Network.requestWillBeSent"]
            assert [address for address in asked if not address.startswith(("file:", "data:"))] == []

        nodes = [
            (node["role"]["value"], node.get("name", {}).get("value", ""))
            for node in tab.call("Accessibility.getFullAXTree")["nodes"]
            if not node["ignored"]
        ]
        roles = [role for role, _ in nodes]
        assert {"main", "navigation", "banner", "contentinfo"} <= set(roles)
        assert ("heading", "The hardest trials") in nodes
        named = [
            name for role, name in nodes if role in ("image", "img", "Audio", "region", "link", "heading")
        ]
        assert len(named) > 40
        assert all(named)
        assert tab.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
        wait = "await new Promise(done => audio.readyState >= 1 ? done() : audio.onloadedmetadata = done)"
        plays = f"(async () => {{const audio = document.querySelector('audio'); {wait}; return audio.duration}})()"
        assert 0.3 < tab.evaluate(plays) < 0.8

        background = "getComputedStyle(document.body).backgroundColor"
        light = tab.evaluate(background)
        tab.resize(WIDE, dark=True)
        assert tab.evaluate(background) != light
