"""What Microsoft's client (@microsoft/signalr 10.0) says when something fails, word for word."""

from __future__ import annotations

STICKY = "If you have multiple servers check that sticky sessions are enabled."
NOT_FOUND = "The connection could not be found on the server, either"
WEBSOCKET = (
    f"Error: WebSocket failed to connect. {NOT_FOUND} the endpoint may not be a SignalR endpoint, the "
    f"connection ID is not present on the server, or there is a proxy blocking WebSockets. {STICKY}"
)
EVENT_SOURCE = (
    f"Error: EventSource failed to connect. {NOT_FOUND} the connection ID is not present on the server, "
    f"or a proxy is refusing/buffering the connection. {STICKY}"
)
UNREACHABLE = "TypeError: Failed to fetch"
SILENT = "Error: Server timeout elapsed without receiving a message from the server."
NONE_SUPPORTED = "Error: None of the transports supported by the client are supported by the server."


def http_error(text: str, status: int) -> str:
    """A request that was answered, but not with 2xx."""
    return f"Error: {text}: Status code '{status}'"


def negotiation(why: str, status: int | None) -> str:
    """Negotiate failed; 404 has its own guess."""
    guess = " Either this is not a SignalR endpoint or there is a proxy blocking the connection."
    return f"Failed to complete negotiation with the server: {why}{guess if status == 404 else ''}"


def transport_failed(transport: str, why: str) -> str:
    """Logged for each transport that was tried."""
    return f"Failed to start the transport '{transport}': {why}"


def disabled(transport: str) -> str:
    return f"Error: '{transport}' is disabled by the client."


def not_binary(transport: str) -> str:
    return f"Error: '{transport}' does not support Binary."


def unable(reasons: list[str]) -> str:
    """The last word when no transport is left."""
    text = " ".join(reasons)
    return f"Error: Unable to connect to the server with any of the available transports. {text}"


def connection_failed(why: str) -> str:
    """Logged once, after everything was tried."""
    return f"Failed to start the connection: {why}"


def websocket_closed(code: int, reason: str) -> str:
    return f"Error: WebSocket closed with status code: {code} ({reason or 'no reason given'})."


def closed_by_server(error: str | None) -> str | None:
    return f"Error: Server returned an error on close: {error}" if error else None
