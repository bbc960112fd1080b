"""Your function."""

from time import perf_counter


def greet(event, db):
    """Greets by name, with a connection of psycopg. An event without a name asks for a report on the connection, as
    `npx cockroach-lambda doctor --function` does."""
    if "name" not in event:
        return report(db)
    return db.execute("select %s::text as greeting", [f"Hello, {event['name']}!"]).fetchone()


def report(db):
    started = perf_counter()
    db.execute("select 1")
    ms = round((perf_counter() - started) * 1000)
    about = {"host": db.info.host, "port": db.info.port, "database": db.info.dbname, "user": db.info.user}
    return {"ok": True, "connection": about, "timings": {"queryMs": ms, "totalMs": ms}}
