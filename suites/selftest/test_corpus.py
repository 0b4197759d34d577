"""The corpus is whole: enough of each kind, every row readable, every check of the suites turned red by something."""

import ast
from pathlib import Path

import pytest

from faults import record, score
from faults.corpus import CorpusError, Fault, Kind, Selection, load, read
from faults.inject import FOLDER_OF, IMAGES
from reports.causes import LAYERS

ROOT = Path(__file__).parents[2]
CORPUS = load()


def of(kind: Kind) -> list[Fault]:
    """The entries of a kind."""
    return [fault for fault in CORPUS if fault.kind is kind]


def test_there_is_enough_of_each_kind() -> None:
    """90 faults, 12 of them double, 6 that cannot be told; 20 controls; 25 mutants; no two of one title."""
    faults = of(Kind.FAULT)

    assert len(faults) >= 90
    assert sum(fault.is_double for fault in faults) >= 12
    assert sum(fault.is_unknown for fault in faults) >= 6
    assert len(of(Kind.CONTROL)) >= 20
    assert len(of(Kind.MUTANT)) >= 25
    assert len({fault.title for fault in CORPUS}) == len(CORPUS)


def test_every_layer_has_its_faults() -> None:
    """No layer of a deployment is left out, and no moment."""
    assert {fault.layer for fault in of(Kind.FAULT)} >= set(LAYERS) - {"registry-semantics"}
    assert {fault.when for fault in CORPUS} == {
        "before start",
        "while running",
        "on a used stack",
        "between two releases",
    }


@pytest.mark.parametrize(
    "fault", [fault for fault in CORPUS if any("path" in row for row in fault.inject)], ids=lambda f: f.id
)
def test_a_patch_fits_the_code_that_is_there(fault: Fault) -> None:
    """The text that an entry changes stands in its file exactly once, and Python still reads the changed file."""
    for row in fault.inject:
        if "path" in row:
            text = (IMAGES / FOLDER_OF[row["service"]] / row["path"]).read_text(encoding="utf-8")
            assert text.count(row["old"]) == 1
            changed = text.replace(row["old"], row["new"])
            assert changed != text
            if fault.kind is Kind.MUTANT and row["path"].endswith(".py"):
                ast.parse(changed)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("kind = 1 =", "line 1"),
        ('kind = "fault"', "inject, source, title, when is missing"),
        ('kind = "slip"\ntitle = ""\nsource = ""\nwhen = "before start"\ninject = []', "kind 'slip' is not one of"),
        ('kind = "fault"\ntitle = ""\nsource = ""\nwhen = "never"\ninject = []', "when 'never' is not one of"),
        ('kind = "fault"\ntitle = ""\nsource = ""\nwhen = "before start"\ninject = []\nword = 1', "word is not known"),
        (
            'kind = "control"\ntitle = ""\nsource = ""\nwhen = "before start"\ninject = [{kind = "hammer"}]',
            "injector 'hammer' is not one of",
        ),
        (
            'kind = "control"\ntitle = ""\nsource = ""\nwhen = "before start"\ninject = [{kind = "sql"}]',
            "injector sql takes ['statement']",
        ),
        (
            'kind = "control"\ntitle = ""\nsource = ""\nwhen = "before start"\ninject = [{kind = "overlay", file = "x.yml"}]',
            "there is no file x.yml beside it",
        ),
        (
            (
                'kind = "fault"\nlayer = "host"\ntitle = ""\nsource = ""\nwhen = "before start"\ninject = []\n'
                'expect = [{cause = "witchcraft", component = "x"}]'
            ),
            "cause 'witchcraft' is not in reports/causes.toml",
        ),
        (
            (
                'kind = "fault"\nlayer = "host"\ntitle = ""\nsource = ""\nwhen = "before start"\ninject = []\n'
                'expect = [{cause = "unknown", component = "x"}]'
            ),
            "nothing proves that it fired",
        ),
        (
            (
                'kind = "fault"\nlayer = "host"\ntitle = ""\nsource = ""\nwhen = "before start"\ninject = []\n'
                'expect = [{cause = "unknown", component = "x"}]\nfired = [{port = 1}]'
            ),
            "a proof has one of",
        ),
        (
            (
                'kind = "fault"\nlayer = "moon"\ntitle = ""\nsource = ""\nwhen = "before start"\ninject = []\n'
                'expect = [{cause = "unknown", component = "x"}]\nfired = [{port = 1, matches = "held"}]'
            ),
            "layer 'moon' is not one of",
        ),
        (
            'kind = "fault"\nlayer = "host"\ntitle = ""\nsource = ""\nwhen = "before start"\ninject = []',
            "says what to expect",
        ),
    ],
)
def test_a_slip_in_an_entry_is_one_clear_line(tmp_path: Path, content: str, said: str) -> None:
    """What is wrong, where, and what instead."""
    (tmp_path / "fault.toml").write_text(content, encoding="utf-8")

    with pytest.raises(CorpusError, match=r"^faults/") as error:
        read(tmp_path)

    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_selection_means_what_it_says() -> None:
    """Ids and key=value, joined by or; shards share the corpus out; a word that means nothing is refused."""
    proxies = Selection(("layer=proxy",)).of(CORPUS)
    shards = [Selection((), (number, 3), every=True).of(CORPUS) for number in (1, 2, 3)]

    assert {fault.layer for fault in proxies} == {"proxy"}
    assert len(Selection(("control-plain", "layer=proxy")).of(CORPUS)) == len(proxies) + 1
    assert sorted(fault.id for shard in shards for fault in shard) == [fault.id for fault in CORPUS]
    with pytest.raises(CorpusError, match="neither an id"):
        Selection(("no-such",)).of(CORPUS)
    with pytest.raises(CorpusError, match="'colour' is not one of"):
        Selection(("colour=red",)).of(CORPUS)


def test_the_record_is_of_this_corpus() -> None:
    """Enough entries of each kind were run, blind first runs are kept beside the latest, and none is of an entry that is gone."""
    recorded = record.load()
    kinds = {fault.id: fault.kind for fault in CORPUS}
    ran = [kinds[name] for name in recorded]

    assert recorded.keys() <= kinds.keys()
    assert all({"latest"} <= entry.keys() <= {"first", "latest"} for entry in recorded.values())
    assert sum("first" in entry for entry in recorded.values()) >= 90
    assert ran.count(Kind.FAULT) >= 90
    assert ran.count(Kind.CONTROL) >= 15


def test_readme_and_table_are_the_records() -> None:
    """Nobody types a figure: what README and table say is what `./airworthy campaign --write` writes."""
    kept = record.load()
    text = record.README.read_text(encoding="utf-8")

    assert record.placed(text, record.figures(kept, CORPUS)) == text
    assert record.TABLE.read_text(encoding="utf-8") == record.table(kept)


def checks() -> list[str]:
    """Every check of the suites, by its node id without parameters."""
    return [
        f"suites/{file.name}::{node.name}"
        for file in sorted((ROOT / "suites").glob("test_*.py"))
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]


@pytest.mark.parametrize("nodeid", checks())
def test_every_check_was_turned_red(nodeid: str) -> None:
    """A check that nothing turned red is no evidence: some fault or mutant of the record made it fail."""
    red = {name.partition("[")[0] for which in ("first", "latest") for name in score.reddened(record.results(which))}

    assert nodeid in red
