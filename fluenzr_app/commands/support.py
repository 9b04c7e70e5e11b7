"""`fluenzr support`: one file for whoever helps, without secrets, mails or people (symptoms.md, 26)."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from fluenzr_app.clock import utc_now
from fluenzr_app.commands.context import open_context
from fluenzr_app.commands.output import answer, refusals_in_words
from fluenzr_app.diagnosis.support import support_document
from fluenzr_app.logs import last_warnings


def support(
    file: Path,
    describe: Annotated[str, typer.Option("--describe", help="what is wrong, in your words")] = "",
    steps: Annotated[str, typer.Option("--steps", help="what you did before it happened")] = "",
    workspace: Annotated[str | None, typer.Option("--workspace", help="id or name")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="answer as one JSON object")] = False,
) -> None:
    """Write what somebody who helps has to know; look it through, then send it."""
    with refusals_in_words(), open_context(workspace) as context:
        with context.db.read() as session:
            document = support_document(
                session, context.settings, context.workspace_id, context.clock.now(), utc_now(),
                description=describe, steps=steps, lang="en", warnings=last_warnings(context.settings.data_dir),
            )  # fmt: skip
        content = json.dumps(document, ensure_ascii=False, indent=1).encode()
        # Never over another file, and for nobody else to read.
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as target:
            target.write(content)
        words = (
            f"{file}: {len(content):,} bytes, without passwords, mails or contacts' addresses; look it through first"
        )
        answer({"file": str(file), "bytes": len(content)}, as_json=as_json, lines=(words,))
