"""People who may be written to: contacts, consent, suppression, groups, tags, CSV import and export."""
