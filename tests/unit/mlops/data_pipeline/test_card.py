"""The card: what stands on it, and that a page made of hostile names stays a page."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from mlops.config import Workspace
from mlops.data_pipeline import Dataset, read_dataset, steps
from mlops.data_pipeline.card import Card, collect, content, files, markdown, page
from mlops.data_pipeline.versioning import versions
from mlops.errors import IntegrityError, UsageError
from mlops.records import decode


def walk(places: Workspace, dataset: Dataset, folder: Path, source: str | None = None) -> Card:
    steps.ingest(places, dataset, folder, source)
    for step in (steps.validate, steps.process, steps.check, steps.version):
        step(places, dataset, folder)
    return collect(places, versions.find(places, dataset.name))


@pytest.fixture
def declared(change: Any, tree: Path) -> Dataset:
    """The people's data set with all that a card may say."""
    told = "origin: Made up by `a test`.\nlicence: CC0\nlimits: [Nobody, 'x < y']\n"
    change("simulated: true\n", f"simulated: true\n{told}")
    change("  age: {type: integer}", "  age: {type: integer, unit: years, description: since birth}")
    change("maximum_share: 0.5, severity: warn", "maximum_share: 0.01, severity: warn")
    return read_dataset(tree, "people")


@pytest.fixture
def card(places: Workspace, declared: Dataset, work: Path) -> Card:
    return walk(places, declared, work)


def test_it_says_what_the_version_is(card: Card, places: Workspace) -> None:
    record = versions.find(places, "people").record
    assert (card.version, card.fingerprint, card.rows, card.target) == (
        record.version, record.fingerprint, 60, "wage")
    assert card.simulated and (card.title, card.licence) == ("People", "CC0")
    assert card.origin == "Made up by `a test`." and card.limits == ["Nobody", "x < y"]
    columns = {each.name: each for each in card.columns}
    assert (columns["age"].unit, columns["age"].description) == ("years", "since birth")
    assert columns["height"].nullable and columns["height"].figures.missing == 7
    assert columns["wage"].target and [each.name for each in card.columns if each.target] == ["wage"]
    assert [each.name for each in card.checks if not each.success] == ["missing height"]
    assert 0 < card.quality < 1 and sum(each.held < each.asked for each in card.aspects) == 1
    assert [(each.version, each.this) for each in card.history] == [(record.version, True)]
    assert card.made and card.made[0].source == record.source.sha256


def test_the_page_and_the_markdown_say_it_too(card: Card) -> None:
    html, text = page.render(card), markdown.render(card)
    for told in (card.version, card.fingerprint, "years", "CC0", "missing height", "data/raw/people.csv", "simulated"):
        assert told in html and told in text, told
    assert "<code>a test</code>" in html and "x &lt; y" in html and "x &lt; y" in text
    assert decode(Card, card.to_json(), where="card") == card


def test_rows_given_by_hand_are_not_called_the_data_sets_own(
    places: Workspace, declared: Dataset, work: Path, tree: Path
) -> None:
    own = tree.parent / "own.csv"
    own.write_text((tree / "data/raw/people.csv").read_text().replace("p1,21,", "p1,22,"))
    card = walk(places, declared, work, str(own))
    assert (card.simulated, card.origin, card.licence) == (False, content.BY_HAND, "")


class Tags(HTMLParser):
    """Every tag must close in order; what is loaded or run is collected."""

    VOID = {"meta", "br"}

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "img", "link", "iframe", "object") or any(
            name.startswith("on") or name in ("src", "href") for name, _ in attrs
        ):
            self.wrong.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"/{tag}")


HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)> | `x` & \''


def test_hostile_names_and_values_stay_text(places: Workspace, card: Card, declared: Dataset, change: Any) -> None:
    import msgspec

    column = card.columns[0]
    bars = [content.summaries.Bar(label=HOSTILE, rows=3)]
    evil = msgspec.structs.replace(
        card, title=HOSTILE, description=HOSTILE, limits=[HOSTILE], licence=HOSTILE, origin=HOSTILE, by_hand=HOSTILE,
        failures=[content.Failure(expectation=HOSTILE, found=HOSTILE)],
        columns=[
            msgspec.structs.replace(
                each, name=HOSTILE, description=HOSTILE, unit=HOSTILE,
                figures=msgspec.structs.replace(each.figures, bars=bars if each is column else each.figures.bars),
            ) for each in card.columns
        ],
    )
    for text in (page.render(evil), page.render(card)):
        tags = Tags()
        tags.feed(text)
        assert tags.wrong == [] and tags.open == []
    assert "default-src 'none'" in page.render(card)
    outside_code = re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", markdown.render(evil))
    assert not re.search(r"<(script|img)", outside_code) and "&lt;script" in outside_code
    rows = [line for line in markdown.render(evil).splitlines() if line.startswith("|") and "float" in line]
    assert rows and {line.replace(r"\|", "").count("|") for line in rows} == {10}


def test_forms_and_places(places: Workspace, card: Card, tmp_path: Path) -> None:
    written = files.write(places, card)
    assert [path.suffix for path in written] == [".html", ".md", ".json"]
    assert all(path.is_file() and path.is_relative_to(places.reports) for path in written)
    assert files.write(places, card, tmp_path / "own.md") == [tmp_path / "own.md"]
    with pytest.raises(UsageError, match="own.pdf"):
        files.write(places, card, tmp_path / "own.pdf")


def test_a_damaged_version_has_no_card(places: Workspace, card: Card) -> None:
    found = versions.find(places, "people")
    (found.folder / "train.parquet").write_bytes(b"x")
    with pytest.raises(IntegrityError):
        collect(places, found)
