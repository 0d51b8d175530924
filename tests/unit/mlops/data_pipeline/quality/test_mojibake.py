"""Text in a wrong encoding is found with its rows, and text with accents is left alone."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops.config import Workspace
from mlops.data_pipeline import Dataset
from mlops.data_pipeline.quality import checks
from mlops.data_pipeline.quality.mojibake import of_table, repaired

RIGHT = [
    "José", "Zürich", "Crème brûlée", "São Paulo", "CORAÇÃO", "AMANHÃ…", "«IRMû", "IRMû", "IRMÔ", "XÃ HỘI", "NÃO",
    "«CAFÉ»", "CAFÉ»", "»Spaß«", "MENÜ–KARTE", "Café…”", "“où…”", "voilà…", "l’été", "naïve", "Ångström", "BORл", "Ã",
    "À la carte", "10 °C", "½ Ä", "№ 5", "Привет, мир", "Ελλάδα", "日本語", "😀👍🏽", "Đà Nẵng", "İstanbul", "Ærø", "ÀÉÎÕÜ",
    "§ 3 ¿Qué? ¡Sí!", "“Ça va ?”", "5 € – 7 £", "SMÅ™", "É»É…", "Å\u00a0gå", "Â", "â€", "à “…”", "FOR ÅRET – 2024",
    "é…” é…”", "TÊN XÃ–", "Łódź", "Ä–Ö",
]
WORDS = [
    "José", "Zürich", "Crème", "São", "Łódź", "Привет", "Ελλάδα", "日本語", "😀", "l’été", "5 €", "Österreich", "물",
    "Ångström", "España", "Müller", "ESPAÑA", "ÉCOLE", "10 °C", "à la", "“oui”", "petrović", "Dvořák", "naïve", "שלום",
    "سلام", "a – b", "\u00a0x",
]


def found(values: list[str | None], dataset: Dataset) -> Any:
    (result,) = of_table(dataset, pl.DataFrame({"name": values}))
    assert result.severity == "warn"
    return result


def test_no_right_text_is_called_wrong(dataset: Dataset) -> None:
    wrong = [text for text in RIGHT + WORDS if not found([text], dataset).success]
    assert wrong == []
    assert of_table(dataset, pl.DataFrame({"age": [1]})) == []


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_utf_8_read_as_something_else_is_found(dataset: Dataset, encoding: str) -> None:
    missed = []
    for text in WORDS:
        content = text.encode()
        misread = "".join(bytes([byte]).decode(encoding, "ignore") or chr(byte) for byte in content)
        if found([misread], dataset).success:
            missed.append(misread)
        assert repaired(misread) == text
    assert missed == []


def test_the_rows_are_named_and_what_they_may_have_been(dataset: Dataset, places: Workspace) -> None:
    values = ["José"] * 9 + ["JosÃ©", None, "caf\ufffd", "quote\x92s"] + ["Müller"] * 9
    table = pl.DataFrame({"name": values, "age": range(22), "height": [1.5] * 22, "wage": [1.0] * 22})
    result = next(each for each in checks.of_table(dataset, table, places=places) if each.name == "encoding")
    assert not result.success and result.severity == "warn"
    assert result.details == {"name": {"count": 3, "rows": [10, 12, 13]}}
    assert "3 cells of name look misread: 'JosÃ©' (for 'José'?), 'caf\ufffd', 'quote\\x92s'" in result.message
    assert "rows 10, 12, 13" in result.message


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x17F, exclude_categories=["Cc"]), max_size=12))
def test_what_is_repaired_reads_as_it_was(text: str) -> None:
    misread = text.encode().decode("latin-1")
    assert repaired(misread) in (text, misread)
