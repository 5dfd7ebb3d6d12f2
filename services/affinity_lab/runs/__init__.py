"""Runs: the matrix of affinity, transport and situation measured with real visitors, kept and compared."""
