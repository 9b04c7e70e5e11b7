"""One pure function per symptom over stored facts."""
