"""Reading and checking files in a process of their own, so that a large one holds up no page and no mail.

The child gets its task as JSON on stdin and answers with JSON on stdout. Small files are read in the caller's thread.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import fluenzr_app
from fluenzr_app.contacts.checks import Plan
from fluenzr_app.contacts.csv_read import open_csv
from fluenzr_app.contacts.custom_values import FieldDefinition
from fluenzr_app.contacts.delimiters import Delimiter
from fluenzr_app.contacts.encodings import Encoding
from fluenzr_app.contacts.errors import FileRefused, NoHeader
from fluenzr_app.contacts.inspection import Inspection, inspect
from fluenzr_app.contacts.mapping import Guess
from fluenzr_app.contacts.staging import StageResult, stage

OWN_PROCESS_FROM = 1 << 20
"""Bytes from which on a file is read in a process of its own."""
LONGEST_S = 1_800
_MEMORY = 4 << 30


def inspect_file(
    path: Path,
    *,
    encoding: Encoding | None = None,
    delimiter: Delimiter | None = None,
    header_line: int | None = None,
) -> Inspection:
    """Return what is in the file; raises FileRefused and NoHeader."""
    task = {
        "do": "inspect",
        "path": str(path),
        "encoding": encoding,
        "delimiter": delimiter,
        "header_line": header_line,
    }
    return Inspection.from_data(_run(path, task))


def stage_file(
    path: Path, directory: Path, plan: Plan, *, encoding: Encoding, delimiter: Delimiter, header_line: int
) -> StageResult:
    """Check the file into ``directory`` and return the counts; raises FileRefused and NoHeader."""
    task = {
        "do": "stage",
        "path": str(path),
        "encoding": encoding,
        "delimiter": delimiter,
        "header_line": header_line,
        "directory": str(directory),
        "mapping": [[g.index, g.name, g.action, g.target, g.how] for g in plan.mapping],
        "custom_fields": [[d.name, d.type, list(d.options)] for d in plan.custom_fields],
        "repair": plan.repair,
    }
    return StageResult.from_data(_run(path, task))


def _run(path: Path, task: dict[str, Any]) -> dict[str, Any]:
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        raise FileRefused("file_missing", "The file is no longer there; choose it again.") from None
    if size < OWN_PROCESS_FROM:
        return _do(task)
    answer = _ask_child(task)
    if "refused" in answer:
        raise _as_refusal(answer["refused"])
    return dict(answer["done"])


def _ask_child(task: dict[str, Any]) -> dict[str, Any]:
    package_parent = str(Path(fluenzr_app.__path__[0]).parent)
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": package_parent}
    try:
        child = subprocess.run(
            [sys.executable, "-m", "fluenzr_app.contacts.file_worker"],
            input=json.dumps(task).encode(),
            capture_output=True,
            timeout=LONGEST_S,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise FileRefused("took_too_long", "Reading the file took too long; split it and import the parts.") from None
    if child.returncode != 0:
        raise FileRefused(
            "reader_stopped", "Reading the file was cut short, most likely for lack of memory; try a smaller file."
        )
    answer: dict[str, Any] = json.loads(child.stdout)
    return answer


def _as_refusal(data: dict[str, Any]) -> FileRefused:
    if data["code"] == "no_header":
        return NoHeader(data["details"]["line"], data["details"]["example"])
    return FileRefused(data["code"], data["message"], **data["details"])


def _do(task: dict[str, Any]) -> dict[str, Any]:
    opened = open_csv(
        Path(task["path"]),
        encoding=task["encoding"],
        delimiter=task["delimiter"],
        header_line=task["header_line"],
    )
    if task["do"] == "inspect":
        return inspect(opened).as_data()
    plan = Plan(
        tuple(Guess(*column) for column in task["mapping"]),
        tuple(FieldDefinition(name, kind, tuple(options)) for name, kind, options in task["custom_fields"]),
        task["repair"],
    )
    return stage(opened, plan, Path(task["directory"])).as_data()


def main() -> None:
    """Do the one task on stdin, with less priority than the pages and the mails of the parent."""
    _be_modest()
    task = json.load(sys.stdin)
    try:
        answer: dict[str, Any] = {"done": _do(task)}
    except FileRefused as refused:
        answer = {"refused": {"code": refused.code, "message": str(refused), "details": refused.details}}
    except MemoryError:
        answer = {"refused": {"code": "too_large", "message": "The file needs too much memory.", "details": {}}}
    json.dump(answer, sys.stdout)


def _be_modest() -> None:
    os.nice(10)
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    except (ImportError, ValueError, OSError):
        # No such limit on this system; the reader's own bounds hold all the same.
        return


if __name__ == "__main__":
    main()
