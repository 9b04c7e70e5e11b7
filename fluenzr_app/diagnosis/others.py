"""What holds up the whole installation, a workspace, or an import (campaigns.md, guarantee 10; symptoms.md, 10)."""

from dataclasses import dataclass
from datetime import datetime

from fluenzr_app.diagnosis.findings import Finding, Subject

# Share of a file's rows that were contacts before, from which on somebody has to be told.
SHARE_EXISTING = 0.5


@dataclass(frozen=True, slots=True)
class ImportFacts:
    """An import that came to an end; `failure` is the code of why it failed.

    `refused` rows were faulty; `existing` ones are contacts that were there before and were left as they are.
    """

    id: int
    file_name: str
    status: str
    failure: str
    rows_done: int
    rows_total: int
    finished_at: datetime | None
    refused: int = 0
    existing: int = 0


def held_finding(reason: str, since: datetime, waiting: int) -> Finding:
    """Return that everything waits after a restore (`restored`) or a long standstill (`stood_still`)."""
    subject = Subject("installation", None, "")
    return Finding("installation_held", "broken", subject, {"reason": reason, "waiting": waiting}, ("release",), since)


def import_finding(facts: ImportFacts) -> Finding | None:
    """Return that an import stopped half-way, or what it left out; None for one that took all or was cancelled."""
    if facts.status == "failed":
        params: dict[str, object] = {
            "failure": facts.failure, "rowsDone": facts.rows_done, "rowsTotal": facts.rows_total,
        }  # fmt: skip
        return Finding("import_failed", "slowed", _of(facts), params, ("see_import",), facts.finished_at)
    if facts.status != "done":
        return None
    if facts.refused:
        params = {"rows": facts.refused, "rowsTotal": facts.rows_total}
        remedies = ("download_errors", "see_import")
        return Finding("import_rows_refused", "advice", _of(facts), params, remedies, facts.finished_at)
    # A few that were there before are what “leave existing ones” is for; half of a file was meant to come in.
    if facts.existing and facts.existing >= SHARE_EXISTING * facts.rows_total:
        params = {"rows": facts.existing, "rowsTotal": facts.rows_total}
        return Finding("import_rows_existing", "advice", _of(facts), params, ("see_import",), facts.finished_at)
    return None


def _of(facts: ImportFacts) -> Subject:
    return Subject("import", facts.id, facts.file_name)


def address_finding(postal_address: str, active_campaigns: int) -> Finding | None:
    """Return that mails leave without the sender's postal address, which the law asks for in many countries."""
    if postal_address.strip() or active_campaigns == 0:
        return None
    subject = Subject("workspace", None, "")
    return Finding("workspace_no_address", "advice", subject, {"campaigns": active_campaigns}, ("fill_address",))
