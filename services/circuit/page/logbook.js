// What the SignalR client logs, shown as text and never as markup, and in the console as its own logger writes it.

const KEPT = 300;
const LEVELS = ['trace', 'debug', 'information', 'warning', 'error', 'critical'];
const WRITES = { information: 'info', warning: 'warn', error: 'error', critical: 'error' };

// An ILogger of @microsoft/signalr; keeps the newest lines and scrolls only for a reader who is at the end.
export class Logbook {
  constructor(list, lowest) {
    this.list = list;
    this.lowest = lowest;
  }

  log(level, message) {
    if (level < this.lowest) return;
    const name = LEVELS[level] ?? 'information';
    console[WRITES[name] ?? 'log'](`[${new Date().toISOString()}] ${name[0].toUpperCase()}${name.slice(1)}: ${message}`);
    const atEnd = this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < 24;
    this.list.append(line(name, message));
    while (this.list.children.length > KEPT) this.list.firstElementChild.remove();
    if (atEnd) this.list.scrollTop = this.list.scrollHeight;
  }
}

function line(level, message) {
  const item = document.createElement('li');
  const time = document.createElement('time');
  const text = document.createElement('span');
  item.dataset.level = level === 'critical' ? 'error' : level;
  time.textContent = new Date().toISOString().slice(11, 23);
  text.textContent = message;
  item.append(time, text);
  return item;
}
