"""Runs with `python3 -m unittest`, and needs no packages, neither AWS nor a database."""

import unittest
from types import SimpleNamespace

from function.greet import greet


class Database:
    info = SimpleNamespace(host="db.example.com", port=26257, dbname="defaultdb", user="app")

    def execute(self, _text, values=(None,)):
        return SimpleNamespace(fetchone=lambda: {"greeting": values[0]})


class Greet(unittest.TestCase):
    def test_greets_by_name(self):
        self.assertEqual(greet({"name": "Rex"}, Database()), {"greeting": "Hello, Rex!"})

    def test_reports_to_an_event_without_a_name(self):
        self.assertTrue(greet({}, Database())["ok"])
