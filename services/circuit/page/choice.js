// How to connect, as the address of the page says it:
// ?transport=…&protocol=…&skipNegotiation=1&reconnect=0&client=3.1 (routes.py gives the page that client)

const TRANSPORTS = ['auto', 'WebSockets', 'ServerSentEvents', 'LongPolling'];
const PROTOCOLS = ['json', 'messagepack', 'blazorpack'];
const CLIENTS = ['10.0', '3.1'];

// Anything unknown is taken as the first of the list, so that an old link still opens.
export function readChoice(search) {
  const query = new URLSearchParams(search);
  const one = (name, known) => (known.includes(query.get(name)) ? query.get(name) : known[0]);
  return {
    transport: one('transport', TRANSPORTS),
    protocol: one('protocol', PROTOCOLS),
    client: one('client', CLIENTS),
    skipNegotiation: query.get('skipNegotiation') === '1',
    reconnect: query.get('reconnect') !== '0',
  };
}

export function writeChoice({ transport, protocol, client, skipNegotiation, reconnect }) {
  const query = new URLSearchParams({ transport, protocol });
  if (skipNegotiation) query.set('skipNegotiation', '1');
  if (!reconnect) query.set('reconnect', '0');
  if (client !== CLIENTS[0]) query.set('client', client);
  return `?${query}`;
}
