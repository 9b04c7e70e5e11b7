"""What holds up the whole installation, a workspace, or an import (campaigns.md, guarantee 10; symptoms.md, 10)."""

from dataclasses import dataclass
from datetime import datetime

from fluenzr_app.diagnosis.findings import Finding, Subject


@dataclass(frozen=True, slots=True)
class ImportFacts:
    """An import that came to an end; `failure` is the code of why it failed, `errors` rows that were refused."""

    id: int
    file_name: str
    status: str
    failure: str
    rows_done: int
    rows_total: int
    finished_at: datetime | None


def held_finding(reason: str, since: datetime, waiting: int) -> Finding:
    """Return that everything waits after a restore (`restored`) or a long standstill (`stood_still`)."""
    subject = Subject("installation", None, "")
    return Finding("installation_held", "broken", subject, {"reason": reason, "waiting": waiting}, ("release",), since)


def import_finding(facts: ImportFacts) -> Finding | None:
    """Return that an import stopped half-way; None for one that ended well or was cancelled by somebody."""
    if facts.status != "failed":
        return None
    params = {"failure": facts.failure, "rowsDone": facts.rows_done, "rowsTotal": facts.rows_total}
    subject = Subject("import", facts.id, facts.file_name)
    return Finding("import_failed", "slowed", subject, params, ("see_import",), facts.finished_at)


def address_finding(postal_address: str, active_campaigns: int) -> Finding | None:
    """Return that mails leave without the sender's postal address, which the law asks for in many countries."""
    if postal_address.strip() or active_campaigns == 0:
        return None
    subject = Subject("workspace", None, "")
    return Finding("workspace_no_address", "advice", subject, {"campaigns": active_campaigns}, ("fill_address",))
