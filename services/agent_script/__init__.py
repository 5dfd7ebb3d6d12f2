"""Registration scripts for Azure Pipelines agents: the right package for the processor, and why."""
