// `npm run demo`: the app with sample sessions, the real Claude Code process and, behind it, answers from a script. No account,
// no network, nothing of the user's: its home is a temporary folder that goes with it.
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { reply, text, thinking, toolUse } from '../e2e/scripted-api/reply.js';
import { startScriptedApi } from '../e2e/scripted-api/scripted-api.js';
import { allParts, build } from './build.mjs';
import { withDisplay } from './display.mjs';
import { root } from './places.mjs';
import { capture, run } from './run.mjs';
import { setupOrExit } from './setup.mjs';

/** @typedef {import('../src-shared/client.ts').RunSessionClient} Client */
/** @typedef {import('../src-shared/ids.ts').RunId} RunId */

const QUESTION = 'How does the forecast round its temperatures?';
const TASK = 'Negative temperatures are rounded the wrong way. Fix that.';
const engineWithinMs = 60_000;

const FORECAST = `/** Degrees Celsius as shown: whole numbers. */
export function shownTemperature(celsius) {
  return Math.trunc(celsius + 0.5);
}

export function headline(city, celsius) {
  return \`\${city}: \${shownTemperature(celsius)} °C\`;
}
`;

const ANSWER = `Temperatures are shown as **whole degrees**, by \`shownTemperature\` in \`forecast.js\`:

\`\`\`js
return Math.trunc(celsius + 0.5);
\`\`\`

That is right above zero and wrong below it, because \`Math.trunc\` cuts towards zero:

| measured | shown | expected |
| ---: | ---: | ---: |
| 3.6 | 4 | 4 |
| -3.4 | -2 | -3 |
| -3.6 | -3 | -4 |

\`Math.round(celsius)\` does what is meant.
`;

/** @type {import('../e2e/scripted-api/scripted-api.js').Script} */
function script({ prompt, rounds, schema }) {
  if (schema !== undefined) return undefined;
  const file = 'forecast.js';
  if (prompt === QUESTION) {
    if (rounds.length === 0)
      return reply([thinking('The rounding must be in the code: I look there first.'), toolUse('Read', { file_path: file })]);
    return reply([text(ANSWER)], { paceMs: 15 });
  }
  if (prompt !== TASK) return undefined;
  if (rounds.length === 0) return reply([text('I look at how it rounds now.'), toolUse('Read', { file_path: file })]);
  if (rounds.length === 1) {
    const change = { file_path: file, old_string: 'Math.trunc(celsius + 0.5)', new_string: 'Math.round(celsius)' };
    return reply([toolUse('Edit', change)]);
  }
  const isDone = rounds.at(-1)?.every((result) => !result.isError);
  return reply([text(isDone ? 'Done: `Math.round` is right on both sides of zero.' : 'I have left the file as it was.')]);
}

/** @param {string} folder */
async function makeHome(folder) {
  const home = join(folder, 'home');
  const project = join(home, 'weather');
  await mkdir(project, { recursive: true });
  await writeFile(join(home, '.bashrc'), "PS1='\\[\\e[33m\\]demo\\[\\e[0m\\] \\w \\$ '\n");
  await writeFile(join(home, '.bash_profile'), '. ~/.bashrc\n');
  await writeFile(join(home, '.zshrc'), "PROMPT='%F{yellow}demo%f %~ %# '\n");
  await writeFile(join(project, 'forecast.js'), FORECAST);
  await writeFile(join(project, 'README.md'), '# Weather\n\nTomorrow’s temperature, city by city.\n');
  return { home, project };
}

/**
 * What the app and everything in it sees: nothing that leads to the user's accounts or settings.
 * @param {NodeJS.ProcessEnv} env
 * @param {{ home: string, batonHome: string, url: string }} demo
 * @returns {NodeJS.ProcessEnv}
 */
function demoEnv(env, { home, batonHome, url }) {
  const kept = Object.entries(env).filter(([name]) => !/^(ANTHROPIC_|CLAUDE|XDG_(CONFIG|DATA|STATE|CACHE)_)/.test(name));
  // The way to the display is usually found below the home folder, which is another one here.
  const authority = join(homedir(), '.Xauthority');
  return {
    ...(existsSync(authority) ? { XAUTHORITY: authority } : {}),
    ...Object.fromEntries(kept),
    HOME: home,
    USERPROFILE: home,
    BATON_HOME: batonHome,
    CLAUDE_CONFIG_DIR: join(home, '.claude'),
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_API_KEY: 'sk-demo',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_AUTOUPDATER: '1',
  };
}

/**
 * A client of the app's engine, over its socket, as any other client would be.
 * @param {NodeJS.ProcessEnv} env
 */
async function connectClient(env) {
  const { runnerImport } = await import('vite');
  /**
   * @template T
   * @param {string} path
   */
  const load = async (path) => {
    /** @type {{ module: T }} */
    const { module } = await runnerImport(join(root, path), { configFile: false });
    return module;
  };
  /** @type {typeof import('../src-shared/client.ts')} */
  const { RunSessionClient } = await load('src-shared/client.ts');
  /** @type {typeof import('../src-shared/ids.ts')} */
  const { ClientId, InputId } = await load('src-shared/ids.ts');
  /** @type {typeof import('../src-main/stream-wire.ts')} */
  const { streamWire } = await load('src-main/stream-wire.ts');
  /** @type {typeof import('../src-main/engine-lock.ts')} */
  const { connectTo } = await load('src-main/engine-lock.ts');
  /** @type {typeof import('../src-main/paths.ts')} */
  const { batonPaths } = await load('src-main/paths.ts');
  const { socket: path } = batonPaths(env);
  const client = new RunSessionClient({
    clientId: ClientId.parse(crypto.randomUUID()),
    kind: 'cli',
    name: 'demo',
    connect: async () => {
      const socket = await connectTo(path);
      if (socket === null) throw new Error('the engine is not up yet');
      return streamWire(socket);
    },
  });
  return { client, newInputId: () => InputId.parse(crypto.randomUUID()) };
}

/**
 * A terminal with something in it, a conversation that has been answered, and one that waits for the user. Gives that one.
 * @param {Awaited<ReturnType<typeof connectClient>>} connection
 * @param {string} cwd
 */
async function createSessions({ client, newInputId }, cwd) {
  await client.ready();
  const claude = {
    kind: /** @type {const} */ ('claude'),
    cwd,
    model: null,
    permissionMode: /** @type {const} */ ('default'),
    options: {},
    forkOf: null,
  };
  /** @param {string} title @param {string} prompt */
  const converse = async (title, prompt) => {
    const { session } = await client.call('session.create', { inputId: newInputId(), spec: claude, title });
    await client.send(session.runId, { kind: 'prompt', inputId: newInputId(), content: { text: prompt, images: [] } });
    return session.runId;
  };
  const { session: terminal } = await client.call('session.create', {
    inputId: newInputId(),
    title: null,
    spec: {
      kind: 'pty',
      command: null,
      args: [],
      cwd,
      env: {},
      cols: 100,
      rows: 30,
      term: 'xterm-256color',
      options: {},
      shellIntegration: true,
    },
  });
  await type(client, terminal.runId, 'ls -l\rcat README.md\r');
  await converse('How rounding works', QUESTION);
  return converse('Fix rounding below zero', TASK);
}

/**
 * Types when the shell has said its first words; what comes before them would be shown twice.
 * @param {Client} client
 * @param {RunId} runId
 * @param {string} keys
 * @returns {Promise<void>}
 */
function type(client, runId, keys) {
  return new Promise((resolve) => {
    let isTyped = false;
    const handleWords = () => {
      if (isTyped) return;
      isTyped = true;
      attachment.keys(new TextEncoder().encode(keys));
      attachment.detach();
      resolve();
    };
    const attachment = client.attach(
      runId,
      { after: null },
      {
        onStart: ({ screen }) => {
          if (screen !== null && screen.data !== '') queueMicrotask(handleWords);
        },
        onEvents: (events) => {
          if (events.some(({ channel }) => channel === 'pty:stdout')) handleWords();
        },
      },
    );
  });
}

const runtime = await setupOrExit();
await build(allParts);
const folder = await realpath(await mkdtemp(join(tmpdir(), 'baton-demo-')));
const { home, project } = await makeHome(folder);
const api = await startScriptedApi({ script });
try {
  process.exitCode = await withDisplay(async (display) => {
    const env = demoEnv(display, { home, batonHome: join(folder, 'baton'), url: api.url });
    const asRoot = process.platform === 'linux' && process.getuid?.() === 0 ? ['--no-sandbox'] : [];
    process.stderr.write('demo: Claude answers from a script; “Fix rounding below zero” waits for your permission\n');
    const ended = run(runtime.executable, [root, ...asRoot, '--demo'], { env, cwd: project });
    const connection = await connectClient(env);
    const prepared = createSessions(connection, project).then(async (waiting) => {
      // As a link that is opened: it brings the session into view.
      await capture(runtime.executable, [root, ...asRoot, `baton://session/${waiting}`], { env });
    });
    const late = delay(engineWithinMs, undefined, { ref: false }).then(() =>
      Promise.reject(new Error('the app did not come up')),
    );
    await Promise.race([prepared, late, ended]).catch((error) =>
      process.stderr.write(`demo: the sample sessions are missing: ${error instanceof Error ? error.message : error}\n`),
    );
    const code = await ended;
    connection.client.stop();
    return code;
  });
} finally {
  await api.close();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}
