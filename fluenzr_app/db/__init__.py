"""The database: engine, transactions, column types, public ids and the list of all tables."""
