"""The platform's API and its first page. Reads the database and asks `predict`; changes nothing."""
