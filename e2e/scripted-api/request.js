/**
 * Reads what a script wants to know out of a Messages API request. The requests come from the real Claude Code
 * process, which surrounds the user's words with reminders of its own; those are taken off here.
 *
 * @typedef {{ toolUseId: string, toolName: string, text: string, isError: boolean }} ToolResult
 * @typedef {{ mediaType: string, bytes: number }} SentImage
 *
 * @typedef {object} ScriptedRequest
 * @property {string} model
 * @property {boolean} isStream
 * @property {string} prompt what the user last typed
 * @property {SentImage[]} images images that came with that prompt
 * @property {ToolResult[][]} rounds tool results since that prompt, one list per answer that called tools
 * @property {string[]} tools names of the tools that may be called
 * @property {Record<string, unknown> | undefined} schema JSON schema the answer must have (titles and the like)
 * @property {boolean} isCompaction the request asks for a summary of the conversation
 * @property {string} system the system prompt as one text
 * @property {number} attempt 0 for the first time that this request comes, 1 for its first retry
 * @property {number} inputTokens
 * @property {number} cachedTokens tokens up to the latest answer, which a real API would read from its cache
 * @property {boolean} isAborted the client went away before the answer was whole
 * @property {Record<string, string>} headers
 * @property {Record<string, unknown>} body the whole request
 */
import { estimateTokens } from './reply.js';

const REMINDER = /<system-reminder>[\s\S]*?<\/system-reminder>\s*/g;
/** Stands before the next prompt, in the same message, after an interrupted turn. */
const INTERRUPTED = /^\[Request interrupted by user[^\]]*\]$/;
const LOCAL_COMMAND = /^<(?:local-command-|command-)[\s\S]*>$/;
/** Where Claude Code has put a copy of an image. */
const IMAGE_SOURCE = /^\[Image: source: [^\]]*\]$/;
const NOT_TYPED = [INTERRUPTED, LOCAL_COMMAND, IMAGE_SOURCE];
const COMPACTION = /create a detailed summary of (?:the|this) conversation/i;

/** @param {unknown} value @returns {value is Record<string, unknown>} */
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

/** @param {unknown} content @returns {Record<string, unknown>[]} */
function blocksOf(content) {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return Array.isArray(content) ? content.filter(isObject) : [];
}

/** @param {unknown} content @returns {string} */
export function plainText(content) {
  return blocksOf(content)
    .filter((block) => block.type === 'text')
    .map((block) => String(block.text))
    .join('\n');
}

/**
 * The words of the latest prompt. A message can hold several: those that were refused or interrupted come again with the
 * next one, each as a block of its own, as do the traces of slash commands.
 *
 * @param {unknown} content
 * @returns {string}
 */
const typedText = (content) =>
  blocksOf(content)
    .filter((block) => block.type === 'text')
    .map((block) => String(block.text).replace(REMINDER, '').trim())
    .filter((value) => value !== '' && !NOT_TYPED.some((pattern) => pattern.test(value)))
    .at(-1) ?? '';

/** @param {unknown} content @returns {SentImage[]} */
function imagesOf(content) {
  return blocksOf(content).flatMap((block) => {
    if (block.type !== 'image' || !isObject(block.source)) return [];
    const encoded = String(block.source.data ?? '');
    return [{ mediaType: String(block.source.media_type ?? 'unknown'), bytes: Buffer.from(encoded, 'base64').length }];
  });
}

/** @param {Record<string, unknown>[]} messages @returns {Map<string, string>} */
function toolNames(messages) {
  /** @type {Map<string, string>} */
  const names = new Map();
  for (const message of messages)
    for (const block of blocksOf(message.content)) if (block.type === 'tool_use') names.set(String(block.id), String(block.name));
  return names;
}

/** @param {unknown} content @param {Map<string, string>} names @returns {ToolResult[]} */
function toolResultsOf(content, names) {
  return blocksOf(content)
    .filter((block) => block.type === 'tool_result')
    .map((block) => ({
      toolUseId: String(block.tool_use_id),
      toolName: names.get(String(block.tool_use_id)) ?? 'unknown',
      text: plainText(block.content).replace(REMINDER, '').trim(),
      isError: block.is_error === true,
    }));
}

/**
 * @param {Record<string, unknown>} body
 * @param {Record<string, string>} headers
 * @returns {ScriptedRequest}
 */
export function describeRequest(body, headers) {
  const messages = Array.isArray(body.messages) ? body.messages.filter(isObject) : [];
  const names = toolNames(messages);
  let prompt = '';
  /** @type {SentImage[]} */
  let images = [];
  /** @type {ToolResult[][]} */
  let rounds = [];
  let lastAnswer = -1;
  for (const [index, message] of messages.entries()) {
    if (message.role === 'assistant') lastAnswer = index;
    if (message.role !== 'user') continue;
    const results = toolResultsOf(message.content, names);
    const typed = typedText(message.content);
    if (results.length > 0) rounds.push(results);
    // Words beside tool results are the next prompt, too: neighbouring user messages arrive merged into one.
    if (typed !== '' || imagesOf(message.content).length > 0) {
      prompt = typed;
      images = imagesOf(message.content);
      rounds = [];
    }
  }
  const format = isObject(body.output_config) && isObject(body.output_config.format) ? body.output_config.format : undefined;
  const schema = format !== undefined && isObject(format.schema) ? format.schema : undefined;
  return {
    model: String(body.model ?? 'unknown'),
    isStream: body.stream === true,
    prompt,
    images,
    rounds,
    tools: Array.isArray(body.tools) ? body.tools.filter(isObject).map((tool) => String(tool.name)) : [],
    schema,
    isCompaction: COMPACTION.test(prompt),
    system: plainText(body.system),
    attempt: 0,
    inputTokens: estimateTokens(body.system ?? '') + estimateTokens(body.tools ?? '') + estimateTokens(messages),
    cachedTokens: lastAnswer < 0 ? 0 : estimateTokens(messages.slice(0, lastAnswer + 1)),
    isAborted: false,
    headers,
    body,
  };
}
