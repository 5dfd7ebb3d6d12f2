"""One workspace, its ordered jobs, its services, and how they are found again after a restart."""
