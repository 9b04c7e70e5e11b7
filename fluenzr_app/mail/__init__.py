"""What an e-mail is and how it travels: composing, transports, SMTP, probing, presets, sandbox."""
