"""Alembic's scripts for our tables. Alembic runs `env.py` and `versions/`; nothing else imports them."""
