"""`bounces`: how many real delivery reports are read right, in folds, and how fast against bare parsing."""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Sequence
from email import message_from_bytes
from typing import Any
from zlib import crc32

from fluenzr_app.bench.bounce_corpus import NoCorpus, RealReport, agrees, real_reports
from fluenzr_app.bench.bounce_samples import own_samples
from fluenzr_app.mail.bounces import delivery_report

FOLDS = 5
ROUNDS = 3


def measure_bounces(folds: int = FOLDS) -> dict[str, Any]:
    """Return shares of mails read right (recipients; recipients and class) in public and own mails, and the speed.

    `ratio`: mails a second read as reports, to mails a second through the standard parser. Without the public
    packages the public part holds `unavailable` and says why.
    """
    own = [_as_report(name, raw, expected) for name, raw, expected in _own()]
    found: dict[str, Any] = {"own": _score(own, folds)}
    try:
        real = real_reports()
    except NoCorpus as error:
        real = []
        found["public"] = {"unavailable": str(error)}
    else:
        found["public"] = _score(real, folds)
    return {**found, **_speed([each.raw for each in (real or own)])}


def _own() -> list[tuple[str, bytes, tuple[tuple[str, str], ...]]]:
    return [
        (each.name, each.raw, each.expected) for each in own_samples() if len({kind for _, kind in each.expected}) < 2
    ]


def _as_report(name: str, raw: bytes, expected: tuple[tuple[str, str], ...]) -> RealReport:
    kind = expected[0][1] if expected else None
    return RealReport(name, raw, frozenset(address for address, _ in expected), kind)


def _score(reports: Sequence[RealReport], folds: int) -> dict[str, Any]:
    """Shares over all and, as `min` and `mean`, over folds; a fold keeps mails of one kind apart by their names."""
    by_fold: dict[int, list[tuple[bool, bool]]] = defaultdict(list)
    for each in reports:
        by_fold[crc32(each.name.encode()) % folds].append(agrees(delivery_report(each.raw), each))
    recipients = [_share([right for right, _ in fold]) for fold in by_fold.values()]
    classes = [_share([both for _, both in fold]) for fold in by_fold.values()]
    return {
        "mails": len(reports),
        "recipients": {"min": min(recipients), "mean": round(statistics.mean(recipients), 4)},
        "recipients_and_class": {"min": min(classes), "mean": round(statistics.mean(classes), 4)},
    }


def _share(right: list[bool]) -> float:
    return round(sum(right) / len(right), 4)


def _speed(mails: Sequence[bytes]) -> dict[str, float]:
    read, parsed = [], []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for raw in mails:
            delivery_report(raw)
        between = time.perf_counter()
        for raw in mails:
            message_from_bytes(raw)
        read.append(len(mails) / (between - began))
        parsed.append(len(mails) / (time.perf_counter() - between))
    reports, bare = statistics.median(read), statistics.median(parsed)
    return {"reports_s": round(reports, 1), "parser_s": round(bare, 1), "ratio": round(reports / bare, 3)}
