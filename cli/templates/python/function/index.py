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


def root_certificate(secret):
    """The file to verify the server with: the layer's, unless the secret has another, by its path or in full."""
    given = secret.get("sslrootcert") or os.environ.get("PGSSLROOTCERT", "/opt/certs/root.crt")
    if "-----BEGIN" not in given:
        return given
    path = Path(tempfile.gettempdir(), "root.crt")
    path.write_text(given)
    return str(path)


def connect():
    """A new connection. The secret is read for each, so that a changed password is found."""
    answer = secrets.get_secret_value(SecretId=os.environ["COCKROACH_SECRET_ID"])
    secret = json.loads(answer["SecretString"])
    of_host = IDENTIFIER.fullmatch(secret["host"])
    cluster = secret.get("cluster") or (of_host and of_host[1])
    return psycopg.connect(
        host=secret["host"],
        port=secret["port"],
        user=secret["username"],
        password=secret["password"],
        # CockroachDB Cloud finds the cluster by the identifier in front of the database.
        dbname=f"{cluster}.{secret['dbname']}" if cluster else secret["dbname"],
        options=secret.get("options"),
        # Verifies chain and host name.
        sslmode="verify-full",
        sslrootcert=root_certificate(secret),
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
