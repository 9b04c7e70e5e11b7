"""Every text of the interface is in the catalogues, in both languages, with the typography of each."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fluenzr_app import ui
from fluenzr_app.words import catalogue as room
from fluenzr_app.words.catalogue import CatalogueError, catalogue, french, words

UI = Path(ui.__file__).parent
SOURCES = sorted(UI.rglob("*.py"))
# Who else speaks to people out of the catalogues.
SPEAKING = [*SOURCES, *sorted((UI.parent / "diagnosis").glob("*.py")), UI.parent / "campaigns" / "waiting_words.py"]
# Names, and words that are the same everywhere.
SAME_EVERYWHERE = {
    "FluenzR", "Français", "English", "Fluenz", "R", "Enter",
    "fluenzr user add", "fluenzr release", "fluenzr support support.json",
}  # fmt: skip
# Arguments that are never read by a person.
SILENT = {
    "class_name", "style", "d", "view_box", "fill", "stroke", "points", "preserve_aspect_ratio", "custom_attrs",
    "width", "height", "auto_complete", "html_for", "id", "name", "rel", "type", "href", "transform", "template",
}  # fmt: skip
SILENT_CALLS = {
    "text",
    "Var",
    "call_script",
    "compile",
    "getLogger",
    "error",
    "warning",
    "info",
    "strftime",
    "with_name",
}


def test_a_french_text_gets_the_spaces_and_signs_of_its_typography():
    assert french("Oublié ? Reprise : 7,3 % d'envois, « demain » !") == (
        "Oublié\u202f? Reprise\u00a0: 7,3\u202f% d’envois, «\u202fdemain\u202f»\u202f!"
    )
    assert french("La fenêtre ferme à 18:00, voir http://localhost:8000") == (
        "La fenêtre ferme à 18:00, voir http://localhost:8000"
    )
    assert french("« {word} »") == "«\u202f{word}\u202f»"


def test_no_french_text_has_a_space_that_could_break_before_its_sign():
    wrong = {
        key: form
        for key, message in catalogue().items()
        for form in (message["fr"].one or "", message["fr"].other)
        if re.search(r" [:;!?%€»]|« |'", form)
    }
    assert wrong == {}


def test_the_plural_starts_at_two_in_french_and_after_one_in_english():
    assert words("fr", "common.selected", n=0) == "0 sélectionné"
    assert words("fr", "common.selected", n=2) == "2 sélectionnés"
    assert words("en", "common.selected", n=0) == "0 selected"
    assert words("fr", "common.selected", n=12480) == "12\u202f480 sélectionnés"


def test_a_key_that_is_nowhere_is_refused_with_the_file_it_belongs_in():
    with pytest.raises(CatalogueError, match=r"common\.nowhere.*locales/\*/common\.po"):
        words("fr", "common.nowhere")


def test_a_missing_value_is_refused():
    with pytest.raises(CatalogueError, match=r"common\.saved_at"):
        words("fr", "common.saved_at")


def test_an_entry_in_one_language_only_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    _write(tmp_path, fr='msgid "half.title"\nmsgstr "Titre"\n', en="")
    monkeypatch.setattr(room, "LOCALES", tmp_path)
    with pytest.raises(CatalogueError, match=r"half\.title.*both languages"):
        catalogue.__wrapped__()


@pytest.mark.parametrize(
    ("french_one", "english_one", "words_of_the_refusal"),
    [
        ('msgid "half.title"\nmsgstr "Titre"\n', 'msgid "half.title"\nmsgstr ""\n', "wholly translated"),
        ('msgid "half.title"\nmsgstr "{a}"\n', 'msgid "half.title"\nmsgstr "{b}"\n', "different places"),
        ('msgid "other.title"\nmsgstr "Titre"\n', 'msgid "other.title"\nmsgstr "Title"\n', "its area"),
        ('#, fuzzy\nmsgid "half.title"\nmsgstr "Titre"\n', 'msgid "half.title"\nmsgstr "Title"\n', "wholly translated"),
        ('msgid "half.title\nmsgstr', "", r"fr/half\.po"),
    ],
)
def test_a_catalogue_with_a_fault_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, french_one: str, english_one: str, words_of_the_refusal: str
):
    _write(tmp_path, fr=french_one, en=english_one)
    monkeypatch.setattr(room, "LOCALES", tmp_path)
    with pytest.raises(CatalogueError, match=words_of_the_refusal):
        catalogue.__wrapped__()


def _write(folder: Path, **texts: str) -> None:
    for lang, text in texts.items():
        (folder / lang).mkdir()
        (folder / lang / "half.po").write_text(text)


def test_every_key_that_the_pages_name_is_in_the_catalogues():
    known = catalogue()
    areas = {path.stem for path in room.LOCALES.glob("fr/*.po")}
    missing = [
        f"{path.name}:{line} {text}"
        for path in SPEAKING
        for line, text in _texts(path)
        if re.fullmatch(r"[a-z_]+(\.[a-z_0-9]+)+", text) and text.partition(".")[0] in areas
        if text not in known and not any(key.startswith(f"{text}.") for key in known)
    ]
    assert missing == []


def test_every_entry_is_used_somewhere():
    texts = {text for path in SPEAKING for _, text in _texts(path)}
    composed = re.compile("|".join(sorted({pattern for path in SPEAKING for pattern in _composed(path)})))
    # `common` is a stock of verbs from which pages take what they need; a room's errors are looked up by their codes
    # below the prefix that is given to `in_words`.
    unused = [
        key
        for key in catalogue()
        if not key.startswith("common.")
        and key not in texts
        and not composed.fullmatch(key)
        and key.rpartition(".")[0] not in texts
    ]
    assert unused == []


def test_no_page_has_a_text_of_its_own():
    found = [
        f"{path.relative_to(UI)}:{line} {text!r}"
        for path in SOURCES
        if path.parent.name in {"pages", "components"} or path.name == "shell.py"
        for line, text in _texts(path, readable=True)
        if _is_words(text)
    ]
    assert found == []


def test_the_search_for_texts_would_find_one(tmp_path: Path):
    page = tmp_path / "page.py"
    page.write_text('def page():\n    """Docs."""\n    return block(button("Nouvelle campagne"), title="Bonjour")\n')
    assert [text for _, text in _texts(page, readable=True) if _is_words(text)] == [
        "Nouvelle campagne",
        "Bonjour",
    ]


def _is_words(text: str) -> bool:
    if text in SAME_EVERYWHERE or text.startswith("fz-") or re.fullmatch(r"[\w.:/@#-]*[._:/@#][\w.:/@#-]*", text):
        return False
    return bool(re.search(r"[A-Za-zÀ-ÿ]{2,} [A-Za-zÀ-ÿ]{2,}|^[A-ZÀ-Ý][a-zà-ÿ]+|[à-ÿ]", text))


def _texts(path: Path, *, readable: bool = False) -> Iterator[tuple[int, str]]:
    """The string constants of a file, without docstrings; `readable` leaves out arguments nobody reads."""
    tree = ast.parse(path.read_text())
    silent = {id(part) for node in ast.walk(tree) for part in _silent(node, readable=readable)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent:
            yield node.lineno, node.value


def _composed(path: Path) -> Iterator[str]:
    """What the f-strings of a file could spell, as regular expressions; only those that begin like a key."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.JoinedStr) or not isinstance(node.values[0], ast.Constant):
            continue
        if re.match(r"[a-z_]+\.", str(node.values[0].value)):
            parts = (re.escape(str(p.value)) if isinstance(p, ast.Constant) else r"[\w.]+" for p in node.values)
            yield "".join(parts)


def _silent(node: ast.AST, *, readable: bool) -> Iterator[ast.AST]:
    if isinstance(node, ast.JoinedStr) and not readable:
        yield from node.values
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        yield node.value
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "record":
        # The audit log's own codes.
        yield from ast.walk(node)
    if readable and isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in {"tag", "alias", "library"}:
        yield from ast.walk(node)
    if readable and isinstance(node, ast.keyword) and node.arg in SILENT:
        yield from ast.walk(node)
    if readable and isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in SILENT_CALLS or name.endswith(("Error", "Exception")):
            yield from ast.walk(node)
