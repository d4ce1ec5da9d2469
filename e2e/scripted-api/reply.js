/**
 * What a script answers, and how it becomes the events of the Messages API.
 *
 * @typedef {{ type: 'text', text: string }} TextBlock
 * @typedef {{ type: 'thinking', thinking: string }} ThinkingBlock
 * @typedef {{ type: 'tool_use', name: string, input: Record<string, unknown>, id?: string }} ToolUseBlock
 * @typedef {TextBlock | ThinkingBlock | ToolUseBlock} Block
 *
 * @typedef {object} MessageReply
 * @property {Block[]} blocks
 * @property {string} [stopReason] default: tool_use if a block is one, else end_turn
 * @property {import('./gate.js').Gate} [gate] every delta waits here
 * @property {number} [paceMs] milliseconds between deltas; 0 when absent
 * @property {number} [dropAfterDeltas] cut the connection after this many deltas
 * @property {{ input?: number, cacheRead?: number, output?: number }} [usage] tokens, where a test needs exact ones
 *
 * @typedef {object} ErrorReply
 * @property {{ status: number, type: string, message: string, headers?: Record<string, string> }} error
 *
 * @typedef {MessageReply | ErrorReply} Reply
 *
 * @typedef {{ event: string, data: Record<string, unknown>, isDelta: boolean }} SseEvent
 */

/** Characters per text delta at most; about what the real API sends. */
const DELTA_CHARS = 24;
/** Tool input is streamed as JSON text in larger pieces than prose. */
const INPUT_DELTA_CHARS = 64;
/** Rough, and the same in both directions: what matters is that the numbers are plausible and repeatable. */
const CHARS_PER_TOKEN = 4;

/** @param {string} value @returns {TextBlock} */
export const text = (value) => ({ type: 'text', text: value });

/** @param {string} value @returns {ThinkingBlock} */
export const thinking = (value) => ({ type: 'thinking', thinking: value });

/** @param {string} name @param {Record<string, unknown>} input @param {string} [id] @returns {ToolUseBlock} */
export const toolUse = (name, input, id) => ({ type: 'tool_use', name, input, ...(id === undefined ? {} : { id }) });

/** @param {Block[]} blocks @param {Omit<MessageReply, 'blocks'>} [how] @returns {MessageReply} */
export const reply = (blocks, how = {}) => ({ blocks, ...how });

/**
 * @param {number} status
 * @param {string} message
 * @param {Record<string, string>} [headers]
 * @returns {ErrorReply}
 */
export function failure(status, message, headers) {
  /** @type {Record<number, string>} */
  const types = {
    400: 'invalid_request_error',
    401: 'authentication_error',
    403: 'permission_error',
    404: 'not_found_error',
    413: 'request_too_large',
    429: 'rate_limit_error',
    529: 'overloaded_error',
  };
  return { error: { status, type: types[status] ?? 'api_error', message, ...(headers === undefined ? {} : { headers }) } };
}

/** @param {unknown} value @returns {number} */
export const estimateTokens = (value) =>
  Math.max(1, Math.ceil((typeof value === 'string' ? value : JSON.stringify(value ?? '')).length / CHARS_PER_TOKEN));

/** @param {string} value @param {number} size @returns {string[]} */
function cut(value, size) {
  /** @type {string[]} */
  const pieces = [];
  let piece = '';
  // By code points, so that no delta ends in half a surrogate pair; after white space where there is some.
  for (const char of value) {
    piece += char;
    if (piece.length >= size || (char === '\n' && piece.length > size / 2)) {
      pieces.push(piece);
      piece = '';
    }
  }
  if (piece !== '') pieces.push(piece);
  return pieces;
}

/** @param {MessageReply} answer @returns {string} */
const stopReasonOf = (answer) =>
  answer.stopReason ?? (answer.blocks.some((block) => block.type === 'tool_use') ? 'tool_use' : 'end_turn');

/** @param {Block} block @returns {string} */
const textOf = (block) =>
  block.type === 'text' ? block.text : block.type === 'thinking' ? block.thinking : JSON.stringify(block.input);

/**
 * @param {MessageReply} answer
 * @param {{ inputTokens: number, cachedTokens: number }} counted
 */
function usageOf(answer, counted) {
  const output = answer.usage?.output ?? answer.blocks.reduce((sum, block) => sum + estimateTokens(textOf(block)), 0);
  const cacheRead = answer.usage?.cacheRead ?? counted.cachedTokens;
  return {
    input_tokens: answer.usage?.input ?? Math.max(1, counted.inputTokens - cacheRead),
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cacheRead,
    output_tokens: output,
    service_tier: 'standard',
  };
}

/** @param {Block} block @param {string} id */
function startedBlock(block, id) {
  if (block.type === 'text') return { type: 'text', text: '' };
  if (block.type === 'thinking') return { type: 'thinking', thinking: '', signature: '' };
  return { type: 'tool_use', id: block.id ?? id, name: block.name, input: {} };
}

/** @param {Block} block @returns {Record<string, unknown>[]} */
function deltasOf(block) {
  if (block.type === 'text') return cut(block.text, DELTA_CHARS).map((piece) => ({ type: 'text_delta', text: piece }));
  if (block.type === 'thinking')
    return [
      ...cut(block.thinking, DELTA_CHARS).map((piece) => ({ type: 'thinking_delta', thinking: piece })),
      { type: 'signature_delta', signature: Buffer.from(`signed:${block.thinking.length}`).toString('base64') },
    ];
  return cut(JSON.stringify(block.input), INPUT_DELTA_CHARS).map((piece) => ({ type: 'input_json_delta', partial_json: piece }));
}

/**
 * @param {MessageReply} answer
 * @param {{ id: string, model: string, inputTokens: number, cachedTokens: number }} about
 * @returns {Iterable<SseEvent>}
 */
export function* toEvents(answer, about) {
  const usage = usageOf(answer, about);
  /** @param {string} type @param {Record<string, unknown>} data @returns {SseEvent} */
  const event = (type, data) => ({ event: type, data: { type, ...data }, isDelta: type === 'content_block_delta' });

  yield event('message_start', {
    message: {
      id: about.id,
      type: 'message',
      role: 'assistant',
      model: about.model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { ...usage, output_tokens: 1 },
    },
  });
  yield event('ping', {});
  for (const [index, block] of answer.blocks.entries()) {
    yield event('content_block_start', { index, content_block: startedBlock(block, `toolu_${about.id}_${index}`) });
    for (const delta of deltasOf(block)) yield event('content_block_delta', { index, delta });
    yield event('content_block_stop', { index });
  }
  yield event('message_delta', {
    delta: { stop_reason: stopReasonOf(answer), stop_sequence: null },
    usage: { output_tokens: usage.output_tokens },
  });
  yield event('message_stop', {});
}

/**
 * The same answer for a request that did not ask for a stream.
 *
 * @param {MessageReply} answer
 * @param {{ id: string, model: string, inputTokens: number, cachedTokens: number }} about
 */
export function toMessage(answer, about) {
  return {
    id: about.id,
    type: 'message',
    role: 'assistant',
    model: about.model,
    content: answer.blocks.map((block, index) =>
      block.type === 'tool_use'
        ? { type: 'tool_use', id: block.id ?? `toolu_${about.id}_${index}`, name: block.name, input: block.input }
        : block.type === 'thinking'
          ? { ...block, signature: Buffer.from(`signed:${block.thinking.length}`).toString('base64') }
          : block,
    ),
    stop_reason: stopReasonOf(answer),
    stop_sequence: null,
    usage: usageOf(answer, about),
  };
}
