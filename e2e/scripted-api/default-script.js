/**
 * Answers by key phrases at the start of the prompt's lines, so that anybody who can type a prompt can bring about
 * everything a session can show: each line is a step, and steps that call tools are carried out one after another.
 *
 *   run: COMMAND                 Bash; the closing sentence quotes its output
 *   parallel: COMMAND ;; COMMAND several Bash calls in one answer
 *   background: COMMAND          Bash in the background
 *   read: PATH                   Read
 *   write: PATH [TEXT]           Write
 *   edit: PATH OLD -> NEW        Read, then Edit; alone: writes a sample file and edits it
 *   todo                         a todo list that is worked off in three rounds
 *   task: PROMPT                 a subagent that is given PROMPT (which may hold a key phrase)
 *   ask: QUESTION                AskUserQuestion
 *   plan                         ExitPlanMode with a plan
 *   tool: NAME {JSON}            any tool, such as one of an MCP server
 *   think …                      a thinking block before the answer
 *   slow [WORDS]                 a long answer, one piece every 40 ms
 *   long [PARAGRAPHS]            a long answer at once
 *   image …                      says which images came with the prompt
 *   error [STATUS]               the API refuses (400 unless told otherwise)
 *   overloaded                   529 at first, an answer at the retry
 *   disconnect                   the connection breaks off in the middle of the answer
 *   anything else                a Markdown answer that repeats it
 */
import { failure, reply, text, thinking, toolUse } from './reply.js';

/**
 * @typedef {import('./request.js').ScriptedRequest} ScriptedRequest
 * @typedef {import('./reply.js').Reply} Reply
 * @typedef {import('./reply.js').Block} Block
 */

const SLOW_PACE_MS = 40;
const SLOW_WORDS = 300;
const LONG_PARAGRAPHS = 40;
const QUOTED_OUTPUT_CHARS = 4000;
const SAMPLE_FILE = 'baton-sample.txt';

/** @param {string} command @param {Record<string, unknown>} [more] */
const bash = (command, more) => toolUse('Bash', { command, description: `Run ${command.slice(0, 60)}`, ...more });

/** @param {string} rest @returns {[string, string]} */
function firstWord(rest) {
  const [, word = '', tail = ''] = /^(\S+)\s*([\s\S]*)$/.exec(rest) ?? [];
  return [word, tail];
}

/** @param {string} rest @returns {Block[][]} */
function editRounds(rest) {
  const [path, change] = firstWord(rest);
  const [before = '', after = ''] = change.split(/\s*->\s*/);
  if (path !== '')
    return [
      [toolUse('Read', { file_path: path })],
      [toolUse('Edit', { file_path: path, old_string: before, new_string: after })],
    ];
  return [
    [toolUse('Write', { file_path: SAMPLE_FILE, content: 'first line\nsecond line\nthird line\n' })],
    [toolUse('Edit', { file_path: SAMPLE_FILE, old_string: 'second line', new_string: 'second line, changed\nand one more' })],
  ];
}

/** @returns {Block[][]} */
function todoRounds() {
  const tasks = [
    { content: 'Look at the project', activeForm: 'Looking at the project' },
    { content: 'Make the change', activeForm: 'Making the change' },
    { content: 'Check the result', activeForm: 'Checking the result' },
  ];
  return [0, 1, 3].map((done) => [
    toolUse('TodoWrite', {
      todos: tasks.map((task, index) => ({
        ...task,
        status: index < done ? 'completed' : index === done ? 'in_progress' : 'pending',
      })),
    }),
  ]);
}

/** @param {string} rest @returns {Block[][]} */
function toolRound(rest) {
  const [name, json] = firstWord(rest);
  /** @type {unknown} */
  const input = json === '' ? {} : JSON.parse(json);
  return [[toolUse(name, /** @type {Record<string, unknown>} */ (input))]];
}

/** @param {string} question @returns {Block[][]} */
const askRound = (question) => [
  [
    toolUse('AskUserQuestion', {
      questions: [
        {
          question: question === '' ? 'Which colour do you prefer?' : question,
          header: 'Choice',
          multiSelect: false,
          options: [
            { label: 'Red', description: 'The colour of fire' },
            { label: 'Blue', description: 'The colour of the sea' },
          ],
        },
      ],
    }),
  ],
];

/** @type {Record<string, (rest: string) => Block[][]>} */
const TOOL_PHRASES = {
  run: (rest) => [[bash(rest)]],
  parallel: (rest) => [rest.split(/\s*;;\s*/).map((command) => bash(command))],
  background: (rest) => [[bash(rest, { run_in_background: true })]],
  read: (rest) => [[toolUse('Read', { file_path: rest })]],
  write: (rest) => {
    const [path, content] = firstWord(rest);
    const written = content === '' ? 'Written by the scripted answer.' : content;
    return [[toolUse('Write', { file_path: path === '' ? SAMPLE_FILE : path, content: `${written}\n` })]];
  },
  edit: editRounds,
  todo: todoRounds,
  task: (rest) => [
    [
      toolUse('Agent', {
        description: 'Scripted subagent',
        prompt: rest,
        subagent_type: 'general-purpose',
        run_in_background: false,
      }),
    ],
  ],
  ask: askRound,
  plan: () => [[toolUse('ExitPlanMode', { plan: '1. Look around\n2. Make the change\n3. Run the tests' })]],
  tool: toolRound,
};
/** These words also begin ordinary sentences ("plan a journey"): without a colon they must be the whole line. */
const MAY_STAND_ALONE = new Set(['edit', 'todo', 'plan']);

/** @param {string} line @returns {{ phrase: string, rest: string, hasColon: boolean }} */
function parseLine(line) {
  const [, phrase = '', colon = '', rest = ''] = /^\s*([a-z]+)(:?)\s*(.*)$/is.exec(line) ?? [];
  return { phrase: phrase.toLowerCase(), rest: rest.trim(), hasColon: colon === ':' };
}

/** @param {string} prompt @returns {Block[][]} */
function toolRounds(prompt) {
  return prompt.split('\n').flatMap((line) => {
    const { phrase, rest, hasColon } = parseLine(line);
    const round = Object.hasOwn(TOOL_PHRASES, phrase) ? TOOL_PHRASES[phrase] : undefined;
    const isMeant = hasColon || (rest === '' && MAY_STAND_ALONE.has(phrase));
    return round !== undefined && isMeant ? round(rest) : [];
  });
}

/** @param {ScriptedRequest} request @returns {Reply} */
function closing(request) {
  const results = request.rounds.at(-1) ?? [];
  const said = results.map(({ toolName, text: output, isError }) => {
    const quoted = output.length > QUOTED_OUTPUT_CHARS ? `${output.slice(0, QUOTED_OUTPUT_CHARS)} …` : output;
    return `${toolName} ${isError ? 'was refused or failed' : 'answered'}:\n\n\`\`\`\n${quoted}\n\`\`\``;
  });
  return reply([text(`Done. ${said.join('\n\n')}`)]);
}

/** @param {ScriptedRequest} request */
function describeImages(request) {
  if (request.images.length === 0) return 'I received no image.';
  const each = request.images.map((image) => `${image.mediaType} (${image.bytes} bytes)`).join(', ');
  return `I received ${request.images.length} ${request.images.length === 1 ? 'image' : 'images'}: ${each}.`;
}

/** @param {ScriptedRequest} request */
function friendly(request) {
  const quoted = request.prompt
    .split('\n')
    .map((line) => `> ${line}`)
    .join('\n');
  const about = request.images.length === 0 ? '' : `\n\n${describeImages(request)}`;
  return (
    `You wrote:\n\n${quoted}${about}\n\nThis is a **scripted answer**, streamed piece by piece. It can show a list:\n\n` +
    '- *emphasis* and `inline code`\n- a [link](https://example.com/)\n\nand code:\n\n' +
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the answer shows code that holds one
    '```ts\nexport const greet = (name: string): string => `Hello, ${name}!`;\n```\n'
  );
}

/** @param {number} words */
const wordStream = (words) => Array.from({ length: words }, (_, index) => `word${index + 1}`).join(' ');

/** @param {number} paragraphs */
const manyParagraphs = (paragraphs) =>
  Array.from({ length: paragraphs }, (_, index) => `## Part ${index + 1}\n\n${wordStream(60)}.`).join('\n\n');

/** @param {string} rest @param {number} otherwise */
const numberOr = (rest, otherwise) => (rest === '' ? otherwise : Number(rest));

/** After "think" and "image" anything may follow; the others are meant only alone or with a number. */
const TAKES_WORDS = new Set(['think', 'image']);
/** @type {Record<string, (request: ScriptedRequest, rest: string) => Reply>} */
const ANSWER_PHRASES = {
  think: (request) =>
    reply([
      thinking('The user asks me to think. First I look at the question, then at what follows from it.\nThat is enough.'),
      text(`I have thought about it.\n\n${friendly(request)}`),
    ]),
  slow: (_request, rest) => reply([text(wordStream(numberOr(rest, SLOW_WORDS)))], { paceMs: SLOW_PACE_MS }),
  long: (_request, rest) => reply([text(manyParagraphs(numberOr(rest, LONG_PARAGRAPHS)))]),
  image: (request) => reply([text(describeImages(request))]),
  error: (_request, rest) => failure(numberOr(rest, 400), 'The scripted API refuses this request, as the prompt asked.'),
  overloaded: (request) =>
    request.attempt === 0 ? failure(529, 'Overloaded') : reply([text('The second attempt went through.')]),
  disconnect: (request) => reply([text(wordStream(40))], request.attempt === 0 ? { dropAfterDeltas: 4 } : {}),
};

/** @param {Record<string, unknown>} schema @param {string} about @returns {Record<string, unknown>} */
function matching(schema, about) {
  const properties = /** @type {Record<string, { type?: string, enum?: unknown[] }>} */ (schema.properties ?? {});
  const values = { string: about, number: 1, integer: 1, boolean: true, array: [], object: {} };
  return Object.fromEntries(
    Object.entries(properties).map(([name, { type = 'string', enum: choices }]) => [
      name,
      choices?.[0] ?? values[/** @type {keyof typeof values} */ (type)],
    ]),
  );
}

/** @param {ScriptedRequest} request @returns {Reply} */
export function defaultScript(request) {
  if (request.schema !== undefined) {
    const words = request.prompt.replace(/<\/?session>/g, '').trim();
    return reply([text(JSON.stringify(matching(request.schema, words.split(/\s+/).slice(0, 5).join(' '))))]);
  }
  if (request.isCompaction) return reply([text('<summary>\nThe user talked with the scripted API.\n</summary>')]);
  const rounds = toolRounds(request.prompt);
  const next = rounds[request.rounds.length];
  if (next !== undefined) {
    const intro = request.rounds.length === 0 ? [text('I will do that.')] : [];
    return reply([...intro, ...next]);
  }
  if (rounds.length > 0) return closing(request);
  const { phrase, rest } = parseLine(request.prompt.split('\n')[0] ?? '');
  const answer = Object.hasOwn(ANSWER_PHRASES, phrase) ? ANSWER_PHRASES[phrase] : undefined;
  const isMeant = TAKES_WORDS.has(phrase) || /^\d*$/.test(rest);
  return answer !== undefined && isMeant ? answer(request, rest) : reply([text(friendly(request))]);
}
