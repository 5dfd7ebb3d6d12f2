"""The part of a page that Blazor draws: a small tree, changed by batches as in BrowserRenderer.ts."""

from __future__ import annotations

from dataclasses import dataclass, field

from services.visitors.render_batch import Change, Edit, Frame, RenderBatch
from services.wire.messages import BadFrame


@dataclass(slots=True)
class Node:
    """An element, a component's place (no name), or text."""

    name: str = ""
    text: str = ""
    attributes: dict[str, str | None] = field(default_factory=dict)
    handlers: dict[str, int] = field(default_factory=dict)
    children: list[Node] = field(default_factory=list)

    def content(self) -> str:
        """All text in it, as a reader sees it."""
        return self.text + "".join(child.content() for child in self.children)

    def find(self, id: str) -> Node | None:
        """The element with this id; markup that is sent as one text is not looked into."""
        if self.attributes.get("id") == id:
            return self
        return next((found for child in self.children if (found := child.find(id))), None)


class Document:
    """Empty until the first batch."""

    def __init__(self) -> None:
        self._root = Node()
        self._components: dict[int, Node] = {}

    def attach(self, component: int) -> None:
        """A root component gets its place."""
        self._components[component] = node = Node()
        self._root.children.append(node)

    def find(self, id: str) -> Node | None:
        return self._root.find(id)

    def apply(self, batch: RenderBatch) -> None:
        """Raises BadFrame when it does not fit to what was there."""
        try:
            for component, changes in batch.components():
                _Editor(self._components, batch, self._components[component]).do(changes)
        except (IndexError, KeyError) as error:
            raise BadFrame(f"A render batch changes what is not there ({error!r}).") from error
        for component in batch.gone():
            self._components.pop(component, None)


class _Editor:
    """One component's part of a batch."""

    def __init__(self, components: dict[int, Node], batch: RenderBatch, place: Node) -> None:
        self._components = components
        self._batch = batch
        self._path = [place]
        self._moves: list[tuple[int, int]] = []

    def do(self, changes: list[Change]) -> None:
        for change in changes:
            self._edit(change, self._path[-1].children)

    def _edit(self, change: Change, siblings: list[Node]) -> None:
        match change.kind:
            case Edit.PREPEND:
                self._insert(siblings, change.sibling, change.frame)
            case Edit.REMOVE:
                del siblings[change.sibling]
            case Edit.SET_ATTRIBUTE:
                self._set(siblings[change.sibling], change.frame)
            case Edit.REMOVE_ATTRIBUTE:
                siblings[change.sibling].attributes.pop(change.name or "", None)
                siblings[change.sibling].handlers.pop(change.name or "", None)
            case Edit.UPDATE_TEXT | Edit.UPDATE_MARKUP:
                siblings[change.sibling].text = self._batch.text(change.frame)
            case Edit.STEP_IN:
                self._path.append(siblings[change.sibling])
            case Edit.STEP_OUT:
                self._path.pop()
            case Edit.MOVE:
                self._moves.append((change.sibling, change.frame))
            case Edit.MOVES_END:
                self._permute(siblings)

    def _permute(self, siblings: list[Node]) -> None:
        moved = [(place, siblings[before]) for before, place in self._moves]
        self._moves = []
        for place, node in moved:
            siblings[place] = node

    def _insert(self, siblings: list[Node], at: int, index: int) -> int:
        """One frame with all that belongs to it; how many siblings that made."""
        batch = self._batch
        match batch.kind(index):
            case Frame.ELEMENT:
                node = Node(name=batch.text(index))
                self._fill(node, index)
            case Frame.TEXT | Frame.MARKUP:
                node = Node(text=batch.text(index))
            case Frame.COMPONENT:
                node = self._components[batch.component(index)] = Node()
            case Frame.REGION:
                return self._insert_all(siblings, at, index + 1, index + batch.length(index))
            case _:
                return 0
        siblings.insert(at, node)
        return 1

    def _fill(self, node: Node, index: int) -> None:
        end = index + self._batch.length(index)
        index += 1
        while index < end and self._batch.kind(index) is Frame.ATTRIBUTE:
            self._set(node, index)
            index += 1
        self._insert_all(node.children, 0, index, end)

    def _insert_all(self, siblings: list[Node], at: int, index: int, end: int) -> int:
        before = at
        while index < end:
            at += self._insert(siblings, at, index)
            nested = self._batch.kind(index) in (Frame.ELEMENT, Frame.COMPONENT, Frame.REGION)
            index += self._batch.length(index) if nested else 1
        return at - before

    def _set(self, node: Node, index: int) -> None:
        name = self._batch.text(index)
        if handler := self._batch.handler(index):
            node.handlers[name] = handler
        else:
            node.attributes[name] = self._batch.value(index)
