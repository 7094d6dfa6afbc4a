"""Why a statement or a connection failed, in our words: a driver's may quote the URL, and so a password."""

from __future__ import annotations

# https://www.postgresql.org/docs/16/errcodes-appendix.html
_STATES = {
    "23503": "what it belongs to was removed at the same time: run it again",
    "23505": "somebody else wrote the same at the same time: run it again",
    "28": "it does not accept this user or password",
    "3D": "there is no database of this name",
    "42P01": "it holds no record of this version: run `cds-service record migrate`",
    "42501": "this user may not do that",
    "53": "it has no room left, or no connection",
    "57014": "it did not answer in time",
    "57P": "it is being started or stopped",
    "25006": "it is read-only",
}
# https://www.sqlite.org/rescode.html
_SQLITE = {
    "UNIQUE constraint failed": "somebody else wrote the same at the same time: run it again",
    "FOREIGN KEY constraint failed": "what it belongs to was removed at the same time: run it again",
    "unable to open database file": "there is no such folder, or it may not be opened",
    "file is not a database": "the file is no SQLite database",
    "no such table": "it holds no record of this version: run `cds-service record migrate`",
    "no such column": "it holds no record of this version: run `cds-service record migrate`",
    "readonly database": "it may not be written",
    "database is locked": "somebody else holds it",
    "disk is full": "the disk is full",
    "disk I/O error": "its disk cannot be read or written",
    "QueuePool limit": "every connection to it is in use",
}
# What libpq says of a connection that was not made, which has no SQLSTATE; PgBouncer's words beside PostgreSQL's.
_CONNECTING = {
    "password authentication failed": "it does not accept this user or password",
    "no password supplied": "it asks for a password, and the URL has none",
    "not permitted to log in": "this user may not sign in",
    "no pg_hba.conf entry": "its pg_hba.conf lets this user into this database from here in no way",
    "no such user": "it knows no user of this name",
    "no such database": "there is no database of this name",
    "Connection refused": "nothing listens there: look at host and port, and whether it runs",
    "failed to resolve host": "nobody knows its host name",
    "No such file or directory": "there is no socket of it in this folder",
    "in time": "it did not answer in time",
    "timeout expired": "it did not answer in time",
    "too many clients": "it has no connection left",
    "connection slots": "it has no connection left",
    "starting up": "it is being started or stopped",
    "shutting down": "it is being started or stopped",
    "invalid sslmode": "the URL asks for an sslmode that there is not",
    "invalid connection option": "the URL has a parameter that there is not",
    "certificate": "its certificate is not trusted",
    "SSL": "it and the URL do not agree about TLS: look at sslmode",
    "Network is unreachable": "there is no way to its network",
    "No route to host": "there is no way to its network",
    "server closed the connection": "it closed the connection",
    "FATAL": "it refuses the connection",
}
_ABSENT = {"role": "it knows no user of this name", "database": "there is no database of this name"}
_NO_ANSWER = "it does not answer: look at host and port, and whether it runs"


def reason(error: Exception) -> str:
    """The reason of a driver's error, or of SQLAlchemy's around it."""
    raw = getattr(error, "orig", None) or error
    state = str(getattr(raw, "sqlstate", None) or "")
    for beginning, words in _STATES.items():
        if state.startswith(beginning):
            return words
    told = str(raw)
    if state:
        return f"it refuses, with SQLSTATE {state}"
    if "does not exist" in told:
        for what, words in _ABSENT.items():
            if f'{what} "' in told:
                return words
    return next((words for written, words in (_SQLITE | _CONNECTING).items() if written in told), _NO_ANSWER)
