// One visit: Microsoft's own SignalR client, a circuit, and what became of both.

import { failureOf } from './verdict.js';

/* global signalR */
const DELAYS = [0, 2000, 10000, 30000]; // those of withAutomaticReconnect()

export class Visit {
  // `changed` is called with the whole state after each change of it.
  constructor({ choice, pageReplica, descriptor, logger, changed }) {
    this.descriptor = descriptor;
    this.choice = choice;
    this.logger = logger;
    this.changed = changed;
    this.leaving = false;
    this.state = { status: 'connecting', pageReplica, protocol: choice.protocol };
    this.connection = build(choice, logger, (retry) => this.#delay(retry));
    this.connection.onreconnecting(() => this.#set({ status: 'reconnecting', replica: null, transport: null, connectionId: null }));
    this.connection.onreconnected(() => this.#resume());
    this.connection.onclose((error) => this.#closed(error));
    this.connection.on('Pause', (state) => this.#move(state));
  }

  async start() {
    this.#set({});
    try {
      await this.connection.start();
      const circuit = await this.#whileKnowing(() => this.connection.invoke('StartCircuit', this.descriptor));
      await this.#hold(circuit, 'new');
    } catch (error) {
      this.#fail(this.#failureOf(error));
      if (this.choice.client === '3.1') this.#goOnAsBlazorOf2020(error);
    }
  }

  // Its page logged the error once more and called StartCircuit all the same (aspnetcore 3.1, Boot.Server.ts);
  // nobody caught what came of that, so the console's last line says `Uncaught (in promise)`.
  #goOnAsBlazorOf2020(error) {
    this.logger.log(signalR.LogLevel.Error, error);
    if (this.connection.state !== 'Connected') this.connection.invoke('StartCircuit', this.descriptor);
  }

  async increment() {
    await this.#using(async () => this.#set({ count: await this.connection.invoke('Increment') }));
  }

  async saveNote(note) {
    await this.#using(async () => {
      await this.connection.invoke('SetNote', note);
      this.#set({ note });
    });
  }

  async leave() {
    this.leaving = true;
    await this.connection.stop();
  }

  async #resume() {
    try {
      const kept = await this.#whileKnowing(() => this.connection.invoke('ConnectCircuit', this.state.circuit));
      if (kept) await this.#hold(this.state.circuit, 'kept');
      else this.#lose();
    } catch (error) {
      this.#interrupted(error);
    }
  }

  // The replica is to go: take the memory along, and come back wherever the balancer now sends us.
  async #move(state) {
    this.moving = true;
    this.#set({ status: 'reconnecting', moving: true, failure: null, replica: null, transport: null, connectionId: null });
    try {
      await this.connection.stop();
      await this.connection.start();
      const circuit = await this.#whileKnowing(() => this.connection.invoke('ResumeCircuit', state));
      if (circuit) await this.#hold(circuit, 'moved');
      else this.#lose();
    } catch (error) {
      this.#fail(this.#failureOf(error));
    } finally {
      this.moving = false;
    }
  }

  // The replica's name is asked for first: when the call fails, the verdict must name who refused.
  async #whileKnowing(call) {
    const { replica, connection_id: connectionId, transport, protocol } = await this.connection.invoke('GetConnection');
    this.#set({ replica, connectionId, transport, protocol });
    return call();
  }

  async #hold(circuit, memory) {
    const { replica, count, note } = await this.connection.invoke('GetState');
    this.#set({ status: 'connected', moving: false, failure: null, attempt: 0, circuit, memory, replica, holder: replica, count, note });
  }

  async #using(work) {
    try {
      await work();
    } catch (error) {
      if (/Circuit not initialized/.test(error.message)) this.#lose();
      else this.#interrupted(error);
    }
  }

  // A call that died with its connection is not a verdict: the client says next whether it reconnects.
  #interrupted(error) {
    if (this.connection.state === 'Connected') this.#fail(this.#failureOf(error));
  }

  #delay({ previousRetryCount, retryReason }) {
    const delay = DELAYS[previousRetryCount] ?? null;
    const failure = previousRetryCount ? this.#failureOf(retryReason) : null;
    this.lastFailure = failure ?? this.lastFailure;
    if (delay !== null) this.#set({ status: 'reconnecting', attempt: previousRetryCount + 1, delay, failure });
    return delay;
  }

  #closed(error) {
    if (this.leaving || this.moving || this.state.status === 'failed') return;
    if (this.state.status === 'connected' && !this.choice.reconnect) return this.#cutOff();
    this.#fail(this.state.status === 'reconnecting' ? (this.lastFailure ?? 'unreachable') : this.#failureOf(error));
  }

  // Without an id in its address a WebSocket cannot be unknown, whatever the client guesses.
  #failureOf(error) {
    const failure = failureOf(error);
    return this.choice.skipNegotiation && failure === 'connection-unknown' ? 'unreachable' : failure;
  }

  #cutOff() {
    this.#set({ lostOn: this.state.holder });
    this.#fail('cut-off');
  }

  #lose() {
    this.#set({ lostOn: this.state.holder });
    this.#fail('circuit-unknown');
  }

  #fail(failure) {
    if (!this.leaving) this.#set({ status: 'failed', failure, holder: null });
  }

  #set(change) {
    this.state = { ...this.state, ...change };
    this.changed(this.state);
  }
}

function build({ transport, protocol, skipNegotiation, reconnect }, logger, nextRetryDelayInMilliseconds) {
  const options = {};
  if (transport !== 'auto') options.transport = signalR.HttpTransportType[transport];
  if (skipNegotiation) Object.assign(options, { skipNegotiation: true, transport: signalR.HttpTransportType.WebSockets });
  const builder = new signalR.HubConnectionBuilder()
    .withUrl('/_blazor', options)
    .configureLogging(logger);
  if (reconnect) builder.withAutomaticReconnect({ nextRetryDelayInMilliseconds });
  if (protocol !== 'json') builder.withHubProtocol(binary(protocol));
  return builder.build();
}

// blazorpack is MessagePack under Blazor's name.
function binary(name) {
  const protocol = new signalR.protocols.msgpack.MessagePackHubProtocol();
  protocol.name = name;
  return protocol;
}
