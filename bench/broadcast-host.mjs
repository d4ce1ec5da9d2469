// What api.bench.mjs holds the server against: `ws` and `node:http` with nothing behind them. A WebSocket message goes to everyone
// who is connected; every request is answered with the same JSON.
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const answer = Buffer.from(JSON.stringify({ sessions: Array.from({ length: 10 }, (_, n) => ({ n, text: 'x'.repeat(400) })) }));
const http = createServer((_request, response) => response.writeHead(200, { 'content-type': 'application/json' }).end(answer));
const server = new WebSocketServer({ server: http, perMessageDeflate: false });
server.on('connection', (socket) => {
  socket.on('message', (data) => {
    for (const client of server.clients) client.send(data);
  });
});
http.listen(0, '127.0.0.1', () => process.stdout.write(`${http.address().port}\n`));
