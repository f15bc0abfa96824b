"""Runnable examples, one folder each; every one of them is executed by a test."""
