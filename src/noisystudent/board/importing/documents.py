"""Files that people write by hand: model-index.yml with what it imports, model cards, `.eval_results` beside these; or a folder of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from noisystudent.board.importing import safe_yaml, streams
from noisystudent.board.importing.fields import Fields
from noisystudent.board.importing.loss import Loss
from noisystudent.board.importing.markdown_tables import has_results
from noisystudent.board.importing.parts import Part
from noisystudent.board.importing.streams import too_deep
from noisystudent.errors import UserError

EVAL_RESULTS = ".eval_results"  # the folder of a model's repository on Hugging Face's hub that has them
YAML, MARKDOWN = (".yml", ".yaml"), (".md", ".markdown")
LARGEST = 16 << 20  # bytes
MOST_FILES = 10_000

_FRONT_MATTER = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.*?)^---[ \t]*$", re.DOTALL | re.MULTILINE)
_TYPE = re.compile(r"^[^\S\n]*+Type:[^\S\n]*+model-index[^\S\n]*+$", re.IGNORECASE | re.MULTILINE)


def holds_documents(path: Path) -> bool:
    """Whether a path is for this module: YAML or Markdown, or a folder that is not one of JSON alone."""
    if path.is_dir():
        return not streams.json_files(path) or any(_of_kind(path, suffixes) for suffixes in (YAML, MARKDOWN))
    return path.suffix.lower() in (*YAML, *MARKDOWN)


def read(path: Path) -> tuple[str, Part]:
    """The format of a file or folder, and its documents, which belong together: they are one part, each with its `file`.

    Raises:
        UserError: there is no such file, or no document in it, or a document is broken.
    """
    entries = _entries_of(path)
    files = _of_kind(path, MARKDOWN) if entries and path.is_dir() else _files_of(path)
    cards = {file: card for file in files if (card := _card(file)) is not None}
    report = Loss()
    of_hub = [{**card, "file": _name(file)} for file, card in cards.items()]
    for file, found in entries.items():
        model = _model_of(file.resolve().parent.parent, {card.resolve().parent: about for card, about in cards.items()})
        of_hub.append({"eval-results": found, "model": model, "file": _name(file)})
    tables = [] if of_hub else _texts_with_tables(files, report)
    documents = of_hub or tables or _indexes(files, report)
    part = Part([Fields(document, document["file"], report) for document in documents], report)
    return "model cards" if of_hub else "Markdown tables" if tables else "model index", part


def _texts_with_tables(files: list[Path], report: Loss) -> list[dict[str, Any]]:
    """Markdown with leaderboards in it; none where one of the files has a model index in a comment."""
    texts = {file: _text(file) for file in files if file.suffix.lower() in MARKDOWN}
    if any(_TYPE.search(comment) for text in texts.values() for comment, _ in _comments(text)):
        return []
    found = [{"text": text, "file": _name(file)} for file, text in texts.items() if has_results(text)]
    for file in texts if found else ():
        if not has_results(texts[file]):
            report.lost("file", _name(file), "there is no table of models in it")
    return found


def _entries_of(path: Path) -> dict[Path, list[Any]]:
    """The entries of `.eval_results/*.yaml` files: of those of a folder, or of the file itself if it is one, wherever it lies."""
    files = [file for file in _of_kind(path, YAML) if file.parent.name == EVAL_RESULTS] if path.is_dir() else [path]
    found = {file: _load(_text(file), file, 1) for file in files if file.suffix.lower() in YAML}
    for file, entries in found.items():
        if file.parent.name == EVAL_RESULTS and not isinstance(entries, list):
            raise UserError(f"{file}, line 1: evaluation results are a list of entries with a dataset and a value")
    return {
        file: entries for file, entries in found.items() if file.parent.name == EVAL_RESULTS or _are_entries(entries)
    }


def _are_entries(data: Any) -> bool:
    return isinstance(data, list) and any(isinstance(entry, dict) and "dataset" in entry for entry in data)


def _model_of(repository: Path, cards: dict[Path, dict[str, Any]]) -> str:
    """What the model of a repository is called: by its card, else by the folder."""
    index = cards.get(repository, {}).get("model-index")
    first = index[0] if isinstance(index, list) and index else None
    named = first.get("name") if isinstance(first, dict) else None
    return named if isinstance(named, str) and named else _name(repository)


def _files_of(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return [] if folder.suffix.lower() in YAML and _entries_of(folder) else [folder]
    for suffixes in (YAML, MARKDOWN):
        if files := _of_kind(folder, suffixes):
            return files
    raise UserError(
        f"{folder}: a folder is imported if it holds model-index files (.yml, .yaml), model cards (.md) or JSON (.json)"
    )


def _of_kind(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.suffix.lower() in suffixes and file.is_file())


def _card(file: Path) -> dict[str, Any] | None:
    """The front matter of a model card; None where the file is none, or says nothing of results."""
    if file.suffix.lower() not in MARKDOWN or not (found := _FRONT_MATTER.match(_text(file))):
        return None
    data = _load(found[1], file, 2)
    return data if isinstance(data, dict) and data.get("model-index") else None


def _indexes(files: list[Path], report: Loss) -> Iterator[dict[str, Any]]:
    """The documents of model-index files and of those that they import, each file once."""
    waiting, done = [(file, file.parent) for file in files], set[Path]()
    while waiting:
        file, root = waiting.pop(0)
        if file.resolve() in done:
            continue
        done.add(file.resolve())
        if len(done) > MOST_FILES:
            raise UserError(f"{file}: more than {MOST_FILES:,} files are imported")
        for document in _documents(file):
            index = {str(key).lower(): value for key, value in document.items()}
            yield {**index, "file": _name(file)}
            waiting[:0] = [(found, root) for found in _imported(index.get("import"), file, root, report)]


def _documents(file: Path) -> list[dict[str, Any]]:
    text = _text(file)
    if file.suffix.lower() in YAML:
        parts = [(text, 1)]
    else:
        parts = [(comment, line) for comment, line in _comments(text) if _TYPE.search(comment)]
        if not parts:
            raise UserError(
                f"{file}, line 1: neither front matter with `model-index:` nor a comment `<!-- Type: model-index ... -->`"
            )
    loaded = [(_load(part, file, line), line) for part, line in parts]
    for data, line in loaded:
        if not isinstance(data, dict):
            raise UserError(f"{file}, line {line}: a model index is a mapping with Models, Collections or Import")
    return [data for data, _ in loaded]


def _comments(text: str) -> Iterator[tuple[str, int]]:
    """The comments of a Markdown text, and the line that each begins on. Where one has no end, none that follows has."""
    line, at = 1, 0
    while (start := text.find("<!--", at) + 4) >= 4 and (end := text.find("-->", start)) >= 0:
        line += text.count("\n", at, start)
        yield text[start:end], line
        line, at = line + text.count("\n", start, end), end


def _imported(patterns: Any, file: Path, root: Path, report: Loss) -> list[Path]:
    """The files that an index imports, by patterns relative to it; none outside of the folder of the first index."""
    found: list[Path] = []
    for pattern in patterns if isinstance(patterns, list) else [patterns] if patterns else []:
        try:
            matches = sorted(file.parent.glob(pattern)) if isinstance(pattern, str) else []
        except (ValueError, NotImplementedError, OSError) as error:  # absolute, empty, or no pattern
            report.lost("import", file.name, f"{pattern!r}: {error}")
            continue
        inside = [match for match in matches if match.resolve().is_relative_to(root.resolve()) and match.is_file()]
        if not inside:
            report.lost(
                "import",
                file.name,
                f"{pattern!r}: " + ("leads out of the folder" if matches else "there is no such file"),
            )
        found += inside
    return found


def _name(file: Path) -> str:
    return file.name.encode("utf-8", "replace").decode()


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > LARGEST:
            raise UserError(f"{file}: more than {LARGEST:,} bytes")
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UserError(f"{file}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{file}, byte {error.start + 1:,}: not UTF-8 ({error.reason})") from error


def _load(text: str, file: Path, first_line: int) -> Any:
    data = safe_yaml.load(text, str(file), first_line)
    if too_deep(data):
        raise UserError(f"{file}, line {first_line} and on: nested too deeply through its aliases")
    return data
