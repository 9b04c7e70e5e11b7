"""The sandbox post office and the sample data of the demo."""
