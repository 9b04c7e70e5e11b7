"""What comes back: mailboxes are read, mails classified, sequences stopped, conversations kept and answered."""
