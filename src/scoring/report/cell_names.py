"""What cells are called on the page, and how their lines are drawn: a model has its colour, a condition its dashes."""

from collections.abc import Iterable

from src.scoring.cells import Cell
from src.scoring.report.inline_svg import DASHED, MODEL_COLOURS, SOLID, LineStyle


def cell_title(cell: Cell) -> str:
    """A heading.

    >>> cell_title(Cell("English", "Urdu"))
    'Trained on English, tested on Urdu (unheard)'
    """
    return f"Trained on {cell.training_language}, tested on {list_title(cell)} ({cell.condition})"


def cell_column(cell: Cell) -> str:
    """The head of a column.

    >>> cell_column(Cell("English", "Urdu", "gender"))
    'English → Urdu, gender (unheard)'
    """
    return f"{cell.training_language} → {list_title(cell)} ({cell.condition})"


def list_title(cell: Cell) -> str:
    """The test list, with the track where there are some."""
    return cell.test_language + (f", {cell.track}" if cell.track else "")


class CellStyles:
    """Colours, dashes and key entries of the cells of a submission."""

    def __init__(self, cells: Iterable[Cell]) -> None:
        languages = dict.fromkeys(cell.training_language for cell in cells)
        self._places = {language: place for place, language in enumerate(languages)}

    def colour(self, cell: Cell) -> str:
        """Of the cell's model."""
        return MODEL_COLOURS[self._places[cell.training_language]]

    def line(self, cell: Cell) -> LineStyle:
        """Solid where the language was heard in training."""
        return SOLID if cell.condition == "heard" else DASHED

    def css_class(self, cell: Cell) -> str:
        """Of the cell's sample in a key."""
        return f"line model-{self._places[cell.training_language] + 1} {cell.condition}"
