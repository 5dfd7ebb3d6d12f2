"""The numbered log of a workspace: the only thing the live view is made of."""
