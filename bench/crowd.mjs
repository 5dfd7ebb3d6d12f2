// The crowd's peer: Microsoft's own client in node, as many connections as asked for, each with cookies of its own.
// node crowd.mjs <folder with node_modules> <url> <count>; says what it does in lines of JSON.

import { createRequire } from "node:module";
import readline from "node:readline";

const [folder, url, count] = process.argv.slice(2);
const { HubConnectionBuilder, LogLevel } = createRequire(`${folder}/`)("@microsoft/signalr");
const AT_ONCE = 50;

const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
let here = 0, back = 0, lost = 0;

async function visit() {
  const connection = new HubConnectionBuilder()
    .withUrl(`${url}/_blazor`).withAutomaticReconnect().configureLogging(LogLevel.None).build();
  let circuit;
  connection.onreconnected(async () => {
    await connection.invoke("GetConnection");
    if (await connection.invoke("ConnectCircuit", circuit)) back++; else lost++;
    await connection.invoke("GetState");
    if (back + lost === Number(count)) say({ back, lost });
  });
  await fetch(url).then((page) => page.text());
  await connection.start();
  await connection.invoke("GetConnection");
  circuit = await connection.invoke("StartCircuit", null);
  await connection.invoke("GetState");
  here++;
  return connection;
}

say({ ready: true });
for await (const line of readline.createInterface({ input: process.stdin })) {
  if (line !== "visit") break;
  const waiting = Array.from({ length: Number(count) });
  const come = async () => { while (waiting.length) { waiting.pop(); await visit(); } };
  await Promise.all(Array.from({ length: AT_ONCE }, come));
  say({ here });
}
process.exit(0);
