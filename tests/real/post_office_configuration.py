"""The configuration files of the post office."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.real.certificates import Certificates

# Owner of all mailboxes: a number without an entry in the password file does, and owns nothing else.
MAIL_ID = 5000

# What happens to a recipient whose local part begins with the word and a hyphen.
BEHAVIOURS: dict[str, str] = {
    "unknown": "550 5.1.1 User unknown in virtual mailbox table",
    "full": "452 4.2.2 Mailbox full",
    "overquota": "552 5.2.2 Mailbox over quota",
    "greylisted": "450 4.2.0 Greylisted, come back later",
    "policy": "554 5.7.1 Message refused by policy",
    "spam": "550 5.7.1 Message looks like spam",
    "closing": "421 4.3.2 Service closing, come back later",
    # Accepted, but only after two seconds.
    "slow": "slow",
}
# Refused only after the final dot, with the same kinds of answers.
AFTER_DATA: dict[str, str] = {
    "dataunknown": "550 5.1.1 User unknown, noticed late",
    "datapolicy": "554 5.7.1 Content refused by policy",
    "datatemporary": "451 4.3.0 Cannot store the message now",
}
# Accepted here, refused by the next server: the delivery report comes by mail within seconds.
LATE = "late"

# What Postfix would make itself at a start by its own script, which takes seconds.
_QUEUES = ["active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved", "trace"]


@dataclass(frozen=True)
class Plan:
    """Where everything lies and listens."""

    folder: Path
    certificates: Certificates
    smtp_port: int
    smtps_port: int
    imap_port: int
    imaps_port: int
    late_port: int
    inbound_port: int

    @property
    def postfix_folder(self) -> Path:
        return self.folder / "postfix"

    @property
    def queue(self) -> Path:
        return self.folder / "queue"

    @property
    def dovecot_file(self) -> Path:
        return self.folder / "dovecot.conf"

    @property
    def lmtp_socket(self) -> Path:
        return self.queue / "private" / "dovecot-lmtp"


def write(plan: Plan) -> None:
    """Writes every file and makes every directory that must be there before the servers start."""
    for folder in (plan.postfix_folder, plan.queue, plan.folder / "mail"):
        folder.mkdir()
    plan.queue.joinpath("pid").mkdir()
    # Dovecot puts its sockets into `private`, where Postfix, which starts later, looks for them.
    for name in _QUEUES:
        _folder_of("postfix", plan.queue / name)
    for name in ("public", "maildrop"):
        shutil.chown(_folder_of("postfix", plan.queue / name, 0o730), group="postdrop")
    _folder_of("postfix", plan.folder / "data")
    passwords = _folder_of("dovecot", plan.folder / "passwords")
    shutil.chown(plan.folder / "mail", MAIL_ID, MAIL_ID)
    main_cf = plan.postfix_folder / "main.cf"
    main_cf.write_text(_main_cf(plan))
    # Postfix waits for a file younger than two seconds, which somebody may still be writing.
    os.utime(main_cf, (0, 0))
    plan.postfix_folder.joinpath("master.cf").write_text(_master_cf(plan))
    for name, lines in _maps(plan).items():
        plan.postfix_folder.joinpath(name).write_text("\n".join(lines) + "\n")
    plan.dovecot_file.write_text(_dovecot_conf(plan))
    plan.folder.joinpath("passwords.conf").write_text(
        f"uri = fs:posix:prefix={passwords}/\n"
        "default_pass_scheme = PLAIN\n"
        "key passdb {\n  key = %u\n  format = value\n}\n"
        "passdb_fields {\n  password = %{dict:passdb}\n}\n"
    )


def _folder_of(user: str, folder: Path, mode: int = 0o700) -> Path:
    folder.mkdir()
    folder.chmod(mode)
    shutil.chown(folder, user)
    return folder


def _main_cf(plan: Plan) -> str:
    maps = plan.postfix_folder
    return f"""
compatibility_level = 3.6
queue_directory = {plan.queue}
data_directory = {plan.folder}/data
maillog_file = {plan.folder}/postfix.log
maillog_file_prefixes = {plan.folder}
myhostname = mail.fluenzr.test
mydestination =
mynetworks =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
local_transport = error:5.1.1 no local mailboxes
smtp_host_lookup = native
smtp_dns_support_level = disabled
smtpd_peername_lookup = no
# Nothing leaves this machine: only the domains below have a way to go.
default_transport = error:5.4.4 this post office delivers to test domains only
relay_domains =
virtual_mailbox_domains = regexp:{maps}/domains
virtual_mailbox_maps = static:all
virtual_transport = lmtp:unix:private/dovecot-lmtp
transport_maps = regexp:{maps}/transport
lmtp_destination_recipient_limit = 1
smtpd_tls_cert_file = {plan.certificates.certificate_file}
smtpd_tls_key_file = {plan.certificates.key_file}
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_tls_session_cache_database =
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_restriction_classes = slow
slow = sleep 2, permit_sasl_authenticated
smtpd_sender_restrictions = check_sender_access regexp:{maps}/senders
smtpd_recipient_restrictions =
  check_recipient_access regexp:{maps}/recipients, permit_sasl_authenticated, reject
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_end_of_data_restrictions = check_recipient_access regexp:{maps}/after_data
smtpd_client_connection_count_limit = 0
smtpd_error_sleep_time = 0
smtpd_timeout = 60s
message_size_limit = 30000000
queue_run_delay = 2s
minimal_backoff_time = 2s
maximal_backoff_time = 4s
# A mail that waits is reported as delayed at its first attempt after this.
delay_warning_time = 1s
in_flow_delay = 0
"""


def _master_cf(plan: Plan) -> str:
    late = (
        "-o myhostname=late.fluenzr.test -o smtpd_reject_unlisted_recipient=no "
        "-o smtpd_sender_restrictions= -o smtpd_end_of_data_restrictions= -o smtpd_relay_restrictions= "
        "-o smtpd_sasl_auth_enable=no "
        f"-o smtpd_recipient_restrictions=check_recipient_access,regexp:{plan.postfix_folder}/late,reject"
    )
    inbound = (
        "-o smtpd_sasl_auth_enable=no -o smtpd_sender_restrictions= -o smtpd_end_of_data_restrictions= "
        "-o smtpd_relay_restrictions=reject_unauth_destination -o smtpd_recipient_restrictions="
    )
    tls = "-o smtpd_tls_wrappermode=yes"
    rows = [
        f"127.0.0.1:{plan.smtp_port} inet n - n - - smtpd",
        f"127.0.0.1:{plan.smtps_port} inet n - n - - smtpd {tls}",
        f"127.0.0.1:{plan.late_port} inet n - n - - smtpd {late}",
        f"127.0.0.1:{plan.inbound_port} inet n - n - - smtpd {inbound}",
        "cleanup unix n - n - 0 cleanup",
        "qmgr unix n - n 300 1 qmgr",
        "tlsmgr unix - - n 1000? 1 tlsmgr",
        "rewrite unix - - n - - trivial-rewrite",
        "bounce unix - - n - 0 bounce",
        "defer unix - - n - 0 bounce",
        "trace unix - - n - 0 bounce",
        "verify unix - - n - 1 verify",
        "flush unix n - n 1000? 0 flush",
        "proxymap unix - - n - - proxymap",
        "smtp unix - - n - - smtp",
        "relay unix - - n - - smtp",
        "showq unix n - n - - showq",
        "error unix - - n - - error",
        "retry unix - - n - - error",
        "discard unix - - n - - discard",
        "lmtp unix - - n - - lmtp",
        "anvil unix - - n - 1 anvil",
        "scache unix - - n - 1 scache",
        "postlog unix-dgram n - n - 1 postlogd",
    ]
    return "\n".join(rows) + "\n"


def _maps(plan: Plan) -> dict[str, list[str]]:
    return {
        "domains": [r"/^[^@]+\.(test|example)$/ OK"],
        "senders": [
            "/^$/ DUNNO",
            r"/^refused-[^@]*@/ 553 5.7.1 Sender address rejected: not owned by user",
            r"/@fluenzr\.test$/ DUNNO",
            "/./ 553 5.7.1 Sender address rejected: not owned by user",
        ],
        "recipients": [f"/^{word}-[^@]*@/ {answer}" for word, answer in BEHAVIOURS.items()],
        "after_data": [f"/^{word}-[^@]*@/ {answer}" for word, answer in AFTER_DATA.items()],
        "transport": [f"/^{LATE}-[^@]*@/ smtp:[127.0.0.1]:{plan.late_port}"],
        "late": [
            f"/^{LATE}-full-/ 552 5.2.2 Mailbox full",
            f"/^{LATE}-busy-/ 450 4.2.1 Mailbox busy, try again later",
            "/./ 550 5.1.1 The email account that you tried to reach does not exist",
        ],
    }


def _dovecot_conf(plan: Plan) -> str:
    run_folder = plan.folder / "run"
    return f"""
base_dir = {run_folder}
state_dir = {plan.folder}/state
log_path = {plan.folder}/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
ssl = required
ssl_cert = <{plan.certificates.certificate_file}
ssl_key = <{plan.certificates.key_file}
ssl_dh =
auth_mechanisms = plain login
auth_username_format = %Lu
auth_failure_delay = 0
first_valid_uid = {MAIL_ID}
mail_fsync = never
mail_location = maildir:~/Maildir
maildir_stat_dirs = no
quota_full_tempfail = no
postmaster_address = postmaster@fluenzr.test
hostname = mail.fluenzr.test
# A password of its own goes first; who has one is then refused, and all others follow the common rule.
passdb {{
  driver = dict
  args = {plan.folder}/passwords.conf
}}
passdb {{
  driver = dict
  args = {plan.folder}/passwords.conf
  deny = yes
}}
passdb {{
  driver = static
  args = password=secret-%n
}}
userdb {{
  driver = static
  args = uid={MAIL_ID} gid={MAIL_ID} home={plan.folder}/mail/%Ld/%Ln allow_all_users=yes
}}
namespace inbox {{
  inbox = yes
  mailbox Junk {{
    auto = create
    special_use = \\Junk
  }}
  mailbox Sent {{
    auto = create
    special_use = \\Sent
  }}
}}
protocol lmtp {{
  mail_plugins = sieve
}}
plugin {{
  sieve = file:~/.dovecot.sieve
  sieve_extensions = +editheader
  sieve_vacation_min_period = 0
  sieve_vacation_send_from_recipient = yes
}}
submission_host = 127.0.0.1:{plan.inbound_port}
service auth {{
  unix_listener {plan.queue}/private/auth {{
    mode = 0660
    user = postfix
  }}
}}
service lmtp {{
  process_min_avail = 1
  unix_listener {plan.lmtp_socket} {{
    mode = 0600
    user = postfix
  }}
}}
service imap-login {{
  process_min_avail = 1
  inet_listener imap {{
    port = {plan.imap_port}
  }}
  inet_listener imaps {{
    port = {plan.imaps_port}
    ssl = yes
  }}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
"""
