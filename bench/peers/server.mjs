// The servers that sync.bench.mjs holds the relay against, each a process of its own: `node server.mjs bare | y-websocket |
// hocuspocus`. Tells its port. None of them keeps anything on a disk. `bare` hands each message on to everybody else at the same path.
import { createServer } from 'node:http';

const servers = { bare, 'y-websocket': yWebsocket, hocuspocus };
const name = process.argv[2] ?? '';
if (!(name in servers)) throw new Error(`no server ${name}; there are ${Object.keys(servers).join(', ')}`);
process.once('disconnect', () => process.exit(0));
process.send({ port: await servers[name]() });

async function bare() {
  const { WebSocketServer } = await import('ws');
  const rooms = new Map();
  return await served(WebSocketServer, (socket, { url }) => {
    const room = rooms.get(url) ?? new Set();
    rooms.set(url, room.add(socket));
    socket.on('message', (data) => {
      for (const other of room) if (other !== socket) other.send(data, { binary: true });
    });
    socket.on('close', () => room.delete(socket));
  });
}

async function yWebsocket() {
  const [{ WebSocketServer }, { setupWSConnection }] = await Promise.all([import('ws'), import('@y/websocket-server/utils')]);
  return await served(WebSocketServer, setupWSConnection);
}

async function hocuspocus() {
  const [{ WebSocketServer }, { Hocuspocus }] = await Promise.all([import('ws'), import('@hocuspocus/server')]);
  const hocuspocus = new Hocuspocus({ quiet: true });
  return await served(WebSocketServer, (socket, request) => hocuspocus.handleConnection(socket, request));
}

/** As the programs of these packages do it, on loopback only. */
function served(WebSocketServer, onConnection) {
  const server = createServer();
  new WebSocketServer({ server, perMessageDeflate: false }).on('connection', onConnection);
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)));
}
