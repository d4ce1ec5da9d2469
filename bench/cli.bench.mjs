// The command line from start to end, beside an empty Node in the same run: what one waits for each time it is used. Rounds
// alternate between the two, and medians are compared, because the machine is never quiet.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const cli = join(dirname(dirname(fileURLToPath(import.meta.url))), 'out', 'main', 'cli.js');
const ROUNDS = 25;
const SESSIONS = 10;
const COMPLETION_GOAL_MS = 150;

const home = mkdtempSync(join(tmpdir(), 'baton-bench-cli-'));
const env = { ...process.env, BATON_HOME: home, BATON_SOCKET: '' };
try {
  baton('server', 'start');
  for (let n = 0; n < SESSIONS; n++) baton('new', '--detach', '--', 'sleep', '1000');
  process.stdout.write(`${JSON.stringify({ name: 'cli', results: measure() }, null, 2)}\n`);
} finally {
  baton('server', 'stop', '--yes');
  rmSync(home, { recursive: true, force: true });
}

function measure() {
  const times = { node: [], list: [], complete: [] };
  for (let round = 0; round < ROUNDS; round++) {
    times.node.push(timed('-e', '0'));
    times.list.push(timed(cli, 'list'));
    times.complete.push(timed(cli, 'complete', '--', 'attach', ''));
  }
  const [node, list, complete] = [times.node, times.list, times.complete].map(median);
  return [
    compared(`list of ${SESSIONS} sessions, start to end`, list, node, list / node <= 2, '<= 2'),
    compared('completing a session', complete, node, complete < COMPLETION_GOAL_MS, `< ${COMPLETION_GOAL_MS} ms`),
  ];
}

/** @param {string[]} args */
function timed(...args) {
  const from = performance.now();
  run(args);
  return performance.now() - from;
}

/** @param {string[]} args */
function baton(...args) {
  run([cli, ...args]);
}

/** @param {string[]} args */
function run(args) {
  const { status, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`);
}

/** @param {number[]} values */
function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function compared(metric, value, baseline, ok, goal) {
  const round = (number) => Math.round(number * 100) / 100;
  return { metric, value: round(value), unit: 'ms', baseline: round(baseline), ratio: round(value / baseline), goal, ok };
}
