"""Whether client and server can talk: protocol, version, and what the transport carries."""

from __future__ import annotations

from services.wire.signalr import HIGHEST_VERSION, PROTOCOLS, HandshakeRequest, HubProtocol


class Disagreement(Exception):
    """They cannot; the text is the real server's."""


def agree(asked: HandshakeRequest, transport: str | None) -> HubProtocol:
    """The protocol to speak from now on; raises Disagreement."""
    protocol = PROTOCOLS.get(asked.protocol)
    if protocol is None:
        raise Disagreement(f"The protocol '{asked.protocol[:64]}' is not supported.")
    if asked.version > HIGHEST_VERSION:
        raise Disagreement(
            f"The server does not support version {asked.version} of the '{protocol.name}' protocol."
        )
    if protocol.binary and transport == "ServerSentEvents":
        raise Disagreement(
            f"Cannot use the '{protocol.name}' protocol on the current transport. "
            "The transport does not support 'Binary' transfer format."
        )
    return protocol
