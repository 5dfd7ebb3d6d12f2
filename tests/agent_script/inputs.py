"""Inputs that several tests share."""

from dataclasses import replace

from services.agent_script.registration import Registration, Target

ARTICLE = Registration(
    "2.173.0", "linux-arm", "https://dev.azure.com/torben/", Target("deployment_pool", "SandboxDeploy")
)
"""What the article registers."""
TODAY = replace(ARTICLE, version="5.278.0")
TARGETS = (
    Target("deployment_pool", "SandboxDeploy"),
    Target("deployment_group", "Web servers", "Shop", ("web", "eu west")),
    Target("environment", "production", "Shop", ("arm",)),
    Target("agent_pool", "Default"),
)
