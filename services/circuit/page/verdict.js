// From the state of a visit to what a person reads: pure, no page, no connection.

// How 3.1.31 words a 404 of each transport.
const OF_2020 = /Error: Not Found|There was an error with the transport|Error: Error occurred/;

// Tells the three failures apart (and the two that are none of them) by the client's own error.
export function failureOf(error) {
  const text = String(error?.message ?? error ?? '');
  if (/circuit failed to initialize/i.test(text)) return 'page-from-elsewhere';
  if (/is draining/i.test(text)) return 'draining';
  if (!/negotiat/i.test(text) && OF_2020.test(text)) return 'connection-unknown';
  if (/does not support binary|cannot use the '/i.test(text)) return 'no-binary';
  if (/negotiat/i.test(text)) return 'unreachable';
  if (/\b404\b|No Connection with that ID|could not be found on the server/i.test(text)) return 'connection-unknown';
  return 'unreachable';
}

const FAILED = {
  'connection-unknown': () => [
    'Nobody here knows your connection',
    'One replica gave you a connection id, then another one was asked for it and answered 404. The page is not missing: the connection is elsewhere. Affinity would have brought you back to the right replica.',
  ],
  'circuit-unknown': ({ replica, lostOn }) => [
    `Connected, but ${replica} has no memory of you`,
    `The connection works. ${lost(replica, lostOn)} Reload to start with a new memory.`,
  ],
  'page-from-elsewhere': ({ pageReplica, replica }) => [
    `${replica ?? 'This replica'} cannot read your page`,
    `${pageReplica} made this page and signed it with a key of its own. You are connected to ${replica ?? 'another replica'}, which does not have that key, so it starts no circuit.`,
  ],
  'draining': ({ replica }) => [
    `${replica ?? 'This replica'} is draining`,
    'It serves the visitors it has and takes no new ones. Reload to be sent to another replica.',
  ],
  'no-binary': () => [
    'Server-sent events cannot carry binary',
    'They are text only, and the chosen protocol is binary. Choose JSON, or another transport.',
  ],
  'cut-off': ({ lostOn }) => [
    'The connection was cut, and nobody reconnects',
    `Automatic reconnect is off. Your memory waits on ${lostOn ?? 'a replica'} until it is given up; this page will not come back to it. Reload to start anew.`,
  ],
  'unreachable': () => [
    'No replica answers',
    'The connection could not be made at all. Is the lab running? Reload to try again.',
  ],
};

function lost(replica, lostOn) {
  if (replica === lostOn) return `Your counter and your note were here, and ${replica} has forgotten them: it restarted, or you were away for too long.`;
  return `Your counter and your note were on ${lostOn}, and ${replica} has never seen them.`;
}

// {mark, headline, explanation} for each state that visit.js can be in.
export function verdictOf(state) {
  if (state.status === 'failed') {
    const [headline, explanation] = FAILED[state.failure](state);
    return { mark: state.failure === 'circuit-unknown' ? 'warn' : 'refused', headline, explanation };
  }
  if (state.status === 'reconnecting') return { mark: 'warn', ...reconnecting(state) };
  if (state.status === 'connected') return { mark: 'ok', ...connected(state) };
  return { mark: 'info', headline: 'Connecting', explanation: `The page came from ${state.pageReplica}. Now it asks for a connection.` };
}

function connected({ replica, memory, count }) {
  if (memory === 'kept') {
    return {
      headline: `Back on ${replica}, your memory was kept`,
      explanation: `The connection is new, the memory is the old one: the counter still says ${count}.`,
    };
  }
  if (memory === 'moved') {
    return {
      headline: `Moved to ${replica}, your memory came along`,
      explanation: `The replica that held it is going. It gave your memory to this page, signed, and ${replica} could read it: the counter still says ${count}.`,
    };
  }
  return {
    headline: `Connected to ${replica}, which holds your memory`,
    explanation: 'Only this replica knows your counter and your note. Break the connection and see whether you come back to it.',
  };
}

function reconnecting({ holder, attempt, delay, failure, moving }) {
  if (moving) return { headline: `${holder} is going, your memory comes along`, explanation: 'It gave your memory to this page, signed. Now the page asks for another replica.' };
  const before = failure === 'connection-unknown' ? 'The last try got a 404: the replica asked did not know the connection. ' : '';
  const next = delay ? `Try ${attempt} starts in ${delay / 1000} s.` : `Try ${attempt} is under way.`;
  return { headline: `Connection lost, looking for ${holder ?? 'a replica'}`, explanation: `${before}${next} Your memory waits on ${holder ?? 'a replica'}.` };
}

// replica-9 wears the colour of replica-1 again.
export function colourOf(replica) {
  const number = Number(/(\d+)$/.exec(replica ?? '')?.[1] ?? 0);
  return number ? `r${((number - 1) % 8) + 1}` : null;
}
