"""The words that people read, in French and English, and numbers, dates and times in their formats."""
