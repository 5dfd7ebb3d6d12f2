// Wires the visit to the page.

import { readChoice, writeChoice } from './choice.js';
import { Logbook } from './logbook.js';
import { colourOf, verdictOf } from './verdict.js';
import { Visit } from './visit.js';

/* global signalR */
const at = (id) => document.getElementById(id);
const choice = readChoice(location.search);
const { pageReplica, descriptor } = document.body.dataset;

const visit = new Visit({
  choice, pageReplica, descriptor,
  logger: new Logbook(at('client-log'), signalR.LogLevel.Information),
  changed: render,
});

function render(state) {
  const { mark, headline, explanation } = verdictOf(state);
  const using = state.status === 'connected';
  document.body.dataset.status = state.status;
  document.body.dataset.failure = (state.status === 'failed' && state.failure) || '';
  document.title = `${headline} · Labdeck`;
  at('verdict-mark').setAttribute('href', `#m-${mark}`);
  show({
    verdict: headline, explanation, replica: state.replica, holder: state.holder, count: state.count,
    transport: state.transport, protocol: state.protocol, circuit: state.circuit, 'connection-id': state.connectionId,
    'picture-replica': pictured(state) ?? '?', 'picture-count': remembered(state),
  });
  at('count').toggleAttribute('data-empty', state.count === undefined);
  colour(pictured(state));
  for (const id of ['increment', 'note', 'save-note']) at(id).disabled = !using;
  if (using && state.note !== shownNote) at('note').value = shownNote = state.note;
}

let shownNote = '';

// Who is on the other end of the wire: the one that refuses, or else the one that remembers.
function pictured({ status, failure, replica, holder }) {
  if (status !== 'failed') return holder;
  if (failure === 'circuit-unknown' || failure === 'page-from-elsewhere' || failure === 'draining') return replica;
  return null;
}

const remembered = ({ status, count }) => (status === 'failed' ? '–' : count);

function show(texts) {
  for (const [id, text] of Object.entries(texts)) at(id).textContent = text ?? '–';
}

function colour(replica) {
  document.body.classList.remove('r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'r7', 'r8');
  const name = colourOf(replica);
  if (name) document.body.classList.add(name);
}

function chooseAgain() {
  const skipNegotiation = at('skip-negotiation').checked;
  const [client, reconnect] = [at('client-choice').value, at('reconnect').checked];
  const transport = skipNegotiation ? 'WebSockets' : at('transport-choice').value;
  location.search = writeChoice({ transport, protocol: at('protocol-choice').value, client, skipNegotiation, reconnect });
}

at('transport-choice').value = choice.skipNegotiation ? 'WebSockets' : choice.transport;
at('protocol-choice').value = choice.protocol;
at('skip-negotiation').checked = choice.skipNegotiation;
at('client-choice').value = choice.client;
at('reconnect').checked = choice.reconnect;
at('transport-choice').disabled = choice.skipNegotiation;
at('choices').addEventListener('change', chooseAgain);
at('increment').addEventListener('click', () => visit.increment());
at('memory').addEventListener('submit', (event) => {
  event.preventDefault();
  visit.saveNote(at('note').value);
});
at('reload').addEventListener('click', () => location.reload());
addEventListener('pagehide', () => {
  visit.leave();
  navigator.sendBeacon('/goodbye');
});
addEventListener('pageshow', (event) => event.persisted && location.reload());
visit.start();
