/**
 * A Messages API on loopback whose answers come from a script, so that the real Claude Code process can be run in
 * tests, benchmarks and demos without an account and without a network. Plain JavaScript: it runs without a build.
 */
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { defaultScript } from './default-script.js';
import { failure, toEvents, toMessage } from './reply.js';
import { describeRequest } from './request.js';

/**
 * @typedef {import('./request.js').ScriptedRequest} ScriptedRequest
 * @typedef {import('./reply.js').Reply} Reply
 * @typedef {(request: ScriptedRequest) => Reply | undefined | Promise<Reply | undefined>} Script
 *   undefined leaves the answer to the default script
 *
 * @typedef {object} ScriptedApi
 * @property {string} url
 * @property {number} port
 * @property {ScriptedRequest[]} requests the latest requests, oldest first
 * @property {(script?: Script) => void} setScript without an argument: the default script again
 * @property {(matches: (request: ScriptedRequest) => boolean) => Promise<ScriptedRequest>} whenAsked the first
 *   request, past or to come, that matches
 * @property {() => Promise<void>} close
 *
 * @typedef {import('node:http').IncomingMessage} IncomingMessage
 * @typedef {import('node:http').ServerResponse} ServerResponse
 */

/** Requests carry whole conversations: a benchmark that runs for an hour must not keep them all. */
const KEPT_REQUESTS = 500;
/** The real API refuses larger ones, too. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;
const MODELS = ['claude-opus-5-5', 'claude-sonnet-5', 'claude-haiku-4-5'];

/** @param {IncomingMessage} request @returns {Promise<string>} */
async function readBody(request) {
  /** @type {Buffer[]} */
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new RangeError(`request body is larger than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** @param {ServerResponse} response @param {number} status @param {unknown} value @param {Record<string, string>} [headers] */
function sendJson(response, status, value, headers = {}) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(value));
}

/** @param {ServerResponse} response @param {import('./reply.js').ErrorReply['error']} error @param {string} requestId */
function sendError(response, error, requestId) {
  const body = { type: 'error', error: { type: error.type, message: error.message }, request_id: requestId };
  sendJson(response, error.status, body, { 'request-id': requestId, ...error.headers });
}

/**
 * @param {ServerResponse} response
 * @param {import('./reply.js').MessageReply} answer
 * @param {{ id: string, model: string, inputTokens: number, cachedTokens: number }} about
 */
async function stream(response, answer, about) {
  const gone = new Promise((resolve) => response.once('close', resolve));
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache', 'request-id': about.id });
  let deltas = 0;
  for (const { event, data, isDelta } of toEvents(answer, about)) {
    if (isDelta && answer.gate !== undefined) await Promise.race([answer.gate.pass(), gone]);
    if (isDelta && answer.paceMs !== undefined) await Promise.race([delay(answer.paceMs), gone]);
    if (response.destroyed) return;
    if (isDelta && deltas === answer.dropAfterDeltas) {
      response.destroy();
      return;
    }
    if (isDelta) deltas += 1;
    if (!response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`))
      await Promise.race([new Promise((resolve) => response.once('drain', resolve)), gone]);
  }
  response.end();
}

/** Knows a retry by what it asks: the same conversation for the same model. */
function countAttempts() {
  /** @type {Map<string, number>} */
  const seen = new Map();
  /** @param {ScriptedRequest} request */
  return (request) => {
    const key = `${request.model} ${request.schema !== undefined} ${JSON.stringify(request.body.messages)}`;
    const attempt = seen.get(key) ?? 0;
    // Only the latest questions can be asked again; the keys hold whole conversations.
    if (seen.size > 50) seen.clear();
    seen.set(key, attempt + 1);
    return attempt;
  };
}

/**
 * @param {{ port?: number, host?: string, script?: Script }} [options]
 * @returns {Promise<ScriptedApi>}
 */
export async function startScriptedApi({ port = 0, host = '127.0.0.1', script } = {}) {
  /** @type {ScriptedRequest[]} */
  const requests = [];
  /** @type {Set<{ matches: (request: ScriptedRequest) => boolean, resolve: (request: ScriptedRequest) => void }>} */
  const watchers = new Set();
  const attemptOf = countAttempts();
  let currentScript = script;
  let answered = 0;

  /** @param {ScriptedRequest} asked */
  const record = (asked) => {
    requests.push(asked);
    if (requests.length > KEPT_REQUESTS) requests.shift();
    for (const watcher of watchers)
      if (watcher.matches(asked)) {
        watchers.delete(watcher);
        watcher.resolve(asked);
      }
  };

  /** @param {IncomingMessage} request @param {ServerResponse} response @param {Record<string, unknown>} body */
  const answerMessages = async (request, response, body) => {
    answered += 1;
    const id = `msg_scripted_${String(answered).padStart(6, '0')}`;
    /** @type {Record<string, string>} */
    const headers = {};
    for (const [name, value] of Object.entries(request.headers)) headers[name] = String(value);
    const asked = describeRequest(body, headers);
    asked.attempt = attemptOf(asked);
    response.once('close', () => {
      asked.isAborted = !response.writableFinished;
    });
    record(asked);
    if ((headers['x-api-key'] ?? headers.authorization ?? '').includes('invalid'))
      return sendError(response, failure(401, 'invalid x-api-key').error, id);
    const answer = (await currentScript?.(asked)) ?? defaultScript(asked);
    if ('error' in answer) return sendError(response, answer.error, id);
    const about = { id, model: asked.model, inputTokens: asked.inputTokens, cachedTokens: asked.cachedTokens };
    if (!asked.isStream) return sendJson(response, 200, toMessage(answer, about), { 'request-id': id });
    return stream(response, answer, about);
  };

  /** @param {IncomingMessage} request @param {ServerResponse} response */
  const handle = async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://scripted');
    const raw = await readBody(request);
    if (request.method === 'POST' && pathname === '/v1/messages') return answerMessages(request, response, JSON.parse(raw));
    if (request.method === 'POST' && pathname === '/v1/messages/count_tokens')
      return sendJson(response, 200, { input_tokens: describeRequest(JSON.parse(raw), {}).inputTokens });
    if (pathname === '/v1/models') return sendJson(response, 200, listModels());
    // Reachability probes, telemetry and feature switches: the client only wants to know that someone is there.
    if (pathname.startsWith('/api/')) return sendJson(response, 200, {});
    return sendError(response, failure(404, `no such path: ${pathname}`).error, 'none');
  };

  const server = createServer((request, response) => {
    handle(request, response).catch((error) => {
      // A script that throws is a mistake in a test: it must be seen there, not taken for a network fault and retried.
      if (response.headersSent) response.destroy();
      else
        sendError(response, failure(400, `the script failed: ${error instanceof Error ? error.message : error}`).error, 'none');
    });
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve(undefined));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the scripted API has no TCP address');

  return {
    url: `http://${host}:${address.port}`,
    port: address.port,
    requests,
    setScript: (next) => {
      currentScript = next;
    },
    whenAsked: (matches) => {
      const past = requests.find(matches);
      return past !== undefined ? Promise.resolve(past) : new Promise((resolve) => watchers.add({ matches, resolve }));
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listModels() {
  const data = MODELS.map((id) => ({ type: 'model', id, display_name: id, created_at: '2026-01-01T00:00:00Z' }));
  return { data, has_more: false, first_id: MODELS[0], last_id: MODELS.at(-1) };
}
