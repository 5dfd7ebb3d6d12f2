"""Replicas, balancer and visitors as one lab: the dashboard's side of the programs that run in it."""
