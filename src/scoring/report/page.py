"""The report of a submission: one self-contained page of what was measured, and how."""

import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from src.core.files import write_text
from src.core.progress import progress_bar
from src.core.version import __version__
from src.scoring.evaluation import measure, overall
from src.scoring.evaluation_intervals import list_intervals
from src.scoring.report.calibration_plots import calibration_section
from src.scoring.report.cell_names import cell_column
from src.scoring.report.hardest_trials import hardest_section
from src.scoring.report.matching_plots import matching_section
from src.scoring.report.model_view import open_models
from src.scoring.report.sources import Absent, Model, ReportData, ReportSources, read_sources
from src.scoring.report.space_map import space_maps
from src.scoring.report.strata_tables import strata_section
from src.scoring.report.training_plots import training_plots
from src.scoring.report.verification_plots import verification_plots
from src.scoring.trial_people import UNITS
from src.scoring.unscorable_file import read_unscorable

TEMPLATE_FOLDER, TEMPLATE = Path(__file__).parent / "templates", "page.html"
SECTIONS = {
    "matrix": "Error by language",
    "numbers": "All numbers",
    "curves": "Trade between the errors",
    "scores": "Scores",
    "calibration": "Calibration",
    "matching": "Matching",
    "strata": "Strata",
    "training": "Training",
    "map": "Map",
    "hardest": "Hardest trials",
    "method": "Method",
}


def write_report(path: Path, sources: ReportSources) -> None:
    """Write the page, atomically. Raises the errors of what it reads, and ConfigError for contradictions."""
    write_text(path, render_report(sources))


def render_report(sources: ReportSources) -> str:
    """The page as HTML; the same sources give the same text."""
    data = read_sources(sources)
    with progress_bar(total=len(SECTIONS), description="report", unit="section") as bar:
        context = {"version": __version__, "sections": SECTIONS, "data": data, **_numbers(sources, data)}
        bar.update(2)
        context["plots"] = verification_plots(data.cells, context["measures"])
        bar.update(2)
        context["calibration"] = calibration_section(data)
        views = open_models(sources, data)
        context["matching"] = matching_section(data, views, sources.replicates)
        bar.update(2)
        context["strata"] = strata_section(data, sources.by, sources.replicates)
        context["training"] = [training_plots(place, model) for place, model in enumerate(data.models)]
        context["maps"] = space_maps(data, views)
        bar.update(3)
        context["hardest"] = hardest_section(data, sources.work, views)
        text = _environment().get_template(TEMPLATE).render(context)
        bar.update(2)
    return text


def _numbers(sources: ReportSources, data: ReportData) -> dict[str, Any]:
    measures = {cell: measure(frame) for cell, frame in data.cells.items()}
    return {
        "measures": measures,
        "overall": overall(list(measures.values())),
        "spread": list_intervals(data.cells, UNITS, sources.replicates),
        "models": [_model_facts(model) for model in data.models],
        "unscorable": read_unscorable(sources.submission),
    }


def _model_facts(model: Model) -> dict[str, Any]:
    config, metrics = model.checkpoint.config, model.checkpoint.metrics
    identities = config.get("identities", {})
    return {
        "language": model.language,
        "folder": model.checkpoint.folder.name,
        "name": config.get("model", {}).get("name", "unnamed"),
        "encoders": {
            modality: information.get("encoder", "unnamed")
            for modality, information in config.get("encoders", {}).items()
        },
        "training_identities": len(identities.get("training", [])),
        "validation_identities": len(identities.get("validation", [])),
        "weights": sum(tensor.numel() for tensor in model.checkpoint.weights.values()),
        "validation_eer": metrics.get("validation_eer"),
        "settings": json.dumps(
            {"model": config.get("model"), "training": config.get("training")}, indent=2, ensure_ascii=False
        ),
    }


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATE_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": _percent, "number": _number, "column": cell_column}
    environment.tests["absent"] = lambda section: isinstance(section, Absent)
    return environment


def _percent(rate: float | None, digits: int = 1) -> str:
    return "–" if rate is None else f"{100 * rate:.{digits}f}"


def _number(value: int) -> str:
    return f"{value:,}".replace(",", "\u202f")
