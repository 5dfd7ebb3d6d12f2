"""Checks: questions asked of state and events. Each module here adds its own to the registry."""

from services.exercises.checks import affinity, agent_script, hello_go
from services.exercises.checks.registry import CHECKS, Check, Evidence, Result

__all__ = ["CHECKS", "Check", "Evidence", "Result", "affinity", "agent_script", "hello_go"]
