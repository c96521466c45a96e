"""A small Impala cluster on loopback: certificates, simulated impalads, pronk, real clients.

The tests with real clients and `make demo` are both built from this, with the packages of tests/e2e/requirements.txt.
"""
