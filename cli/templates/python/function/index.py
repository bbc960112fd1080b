"""Connects with the secret and with the certificate of the cockroach-lambda layer; boto3 is in Lambda's runtime."""

import json
import os
import re
import tempfile
from pathlib import Path

import boto3
import psycopg
from greet import greet
from psycopg.rows import dict_row

secrets = boto3.client("secretsmanager")

# Basic and Standard clusters of CockroachDB Cloud: their identifier is the first part of the host's name.
IDENTIFIER = re.compile(r"(?!internal-|private-)([a-z0-9-]+-\d+)\.[a-z0-9]{3}\..+\.(?:cockroachlabs\.cloud|crdb\.io)")


def read_secret():
    """The fields, as `npx cockroach-lambda secret put` stores them."""
    answer = secrets.get_secret_value(SecretId=os.environ["COCKROACH_SECRET_ID"])
    try:
        return json.loads(answer["SecretString"])
    except json.JSONDecodeError:
        raise ValueError("the secret is no JSON: store it with npx cockroach-lambda secret put") from None


def file_of(name, given):
    """The path of a certificate or key, which the secret may have in full."""
    if given is None or "-----BEGIN" not in given:
        return given
    path = Path(tempfile.gettempdir(), name)
    path.touch(mode=0o600)
    path.write_text(given)
    return str(path)


def connect():
    """A new connection. The secret is read for each, so that a changed password is found."""
    secret = read_secret()
    of_host = IDENTIFIER.fullmatch(secret["host"])
    cluster = secret.get("cluster") or (of_host and of_host[1])
    # The layer's certificate, unless the secret has another.
    root = secret.get("sslrootcert") or os.environ.get("PGSSLROOTCERT", "/opt/certs/root.crt")
    return psycopg.connect(
        host=secret["host"],
        port=secret["port"],
        user=secret["username"],
        password=secret.get("password"),
        # CockroachDB Cloud finds the cluster by the identifier in front of the database.
        dbname=f"{cluster}.{secret['dbname']}" if cluster else secret["dbname"],
        options=secret.get("options"),
        # Verifies chain and host name.
        sslmode="verify-full",
        sslrootcert=file_of("root.crt", root),
        sslcert=file_of("client.crt", secret.get("sslcert")),
        sslkey=file_of("client.key", secret.get("sslkey")),
        connect_timeout=5,
        # Milliseconds: a connection that was lost while the function was frozen is found out soon, not after minutes.
        tcp_user_timeout=2000,
        autocommit=True,
        row_factory=dict_row,
    )


def handler(event, _context):
    global connection
    try:
        connection.execute("select 1")
    except psycopg.OperationalError:
        connection = connect()
    return greet(event, connection)


# While Lambda starts the function, where the processor is whole.
connection = connect()
