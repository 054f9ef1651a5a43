"""The sink's half of the PostgreSQL dialect: target tables, values in their columns' types, COPY, upsert, DDL."""
