"""Pages, HTTP API and live view: the only room that knows Flask."""
