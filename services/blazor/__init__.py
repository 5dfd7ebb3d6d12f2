"""The real Blazor Server app as another choice for the replicas: its image, and what tells of it."""
