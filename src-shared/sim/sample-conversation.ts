import type { Json, LogEvent, NewEvent, Usage } from '../events.ts';
import { newEvent } from '../events.ts';
import { FIRST_EPOCH, InputId, RunId, Seq } from '../ids.ts';

/** Writes logs of Claude sessions for tests: the entries have the shapes that Claude Code writes, without what nobody reads. */
export const SAMPLE_RUN = RunId.parse('0193f3a0-0000-7000-8000-000000000001');
export const SAMPLE_START_TS = Date.parse('2026-11-21T10:00:00.000Z');

const USAGE: Usage = {
  inputTokens: 11_498,
  outputTokens: 36,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  costUsd: 0.0472,
  contextTokens: 11_534,
  contextWindow: 200_000,
  turns: 1,
};

type Entry = { readonly [key: string]: Json | undefined };

/** A number as a UUID, so that samples are the same each time. */
export function sampleId(n: number): InputId {
  return InputId.parse(`0193f3a0-0000-7000-8000-${n.toString(16).padStart(12, '0')}`);
}

export class SampleLog {
  readonly events: LogEvent[] = [];
  readonly runId: RunId;
  #ts = SAMPLE_START_TS;
  #uuids = 0;
  #messages = 0;
  #tools = 0;
  #prompts = 0;

  constructor(runId: RunId = SAMPLE_RUN) {
    this.runId = runId;
  }

  append(event: NewEvent, afterMs = 100): LogEvent {
    this.#ts += afterMs;
    const logged = { runId: this.runId, seq: Seq.parse(this.events.length + 1), epoch: FIRST_EPOCH, ts: this.#ts, ...event };
    this.events.push(logged);
    return logged;
  }

  entries(entries: readonly Entry[], subpath: string | null = null): void {
    const stamped = entries.map((entry) => ({ timestamp: new Date(this.#ts + 50).toISOString(), ...entry }));
    this.append(newEvent('claude:transcript', 'entries', { subpath, entries: stamped }));
  }

  #uuid(): string {
    this.#uuids += 1;
    return `entry-${this.#uuids}`;
  }

  #messageId(): string {
    this.#messages += 1;
    return `msg_${this.#messages}`;
  }

  toolUseId(): string {
    this.#tools += 1;
    return `toolu_${this.#tools}`;
  }

  created(branchOf: { runId: RunId; seq: Seq } | null = null): this {
    this.append(newEvent('system:status', 'created', { kind: 'claude', cwd: '/home/me/baton', title: null, branchOf }));
    this.append(newEvent('system:status', 'started', { pid: 4711, command: 'claude' }));
    return this;
  }

  /** Queued, accepted, and written to the transcript. */
  prompt(text: string, images: readonly { mediaType: 'image/png'; base64: string; name?: string }[] = []): InputId {
    const inputId = this.queue(text, images);
    this.append(newEvent('run:prompt', 'accepted', { inputId }));
    this.echo(text);
    return inputId;
  }

  queue(text: string, images: readonly { mediaType: 'image/png'; base64: string; name?: string }[] = []): InputId {
    this.#prompts += 1;
    const inputId = sampleId(this.#prompts);
    this.append(newEvent('run:prompt', 'queued', { inputId, clientId: 'client-1', content: { text, images: [...images] } }));
    return inputId;
  }

  echo(text: string): void {
    const user = {
      type: 'user',
      uuid: this.#uuid(),
      promptSource: 'sdk',
      message: { role: 'user', content: [{ type: 'text', text }] },
    };
    const link = { type: 'attachment', uuid: this.#uuid(), attachment: { type: 'environment' } };
    this.entries([{ type: 'queue-operation', operation: 'enqueue' }, user, link]);
  }

  /** One message of several blocks, each an entry of its own. Returns the message's id. */
  message(blocks: readonly Entry[], subpath: string | null = null): string {
    const id = this.#messageId();
    blocks.forEach((block, index) => {
      const message = { id, type: 'message', role: 'assistant', model: 'claude-opus-5-5', content: [block] };
      this.entries([{ type: 'assistant', uuid: this.#uuid(), apiBlockIndex: index, message }], subpath);
    });
    return id;
  }

  text(text: string, subpath: string | null = null): string {
    return this.message([{ type: 'text', text }], subpath);
  }

  /** A tool call alone in its message. Returns its id. */
  tool(name: string, input: Entry, subpath: string | null = null): string {
    const id = this.toolUseId();
    this.message([{ type: 'tool_use', id, name, input }], subpath);
    return id;
  }

  result(toolUseId: string, content: Json, more: Entry = {}, subpath: string | null = null): this {
    const { isError, ...rest } = more;
    const block = { type: 'tool_result', tool_use_id: toolUseId, content, is_error: isError === true };
    this.#ts += 400;
    this.entries([{ type: 'user', uuid: this.#uuid(), message: { role: 'user', content: [block] }, ...rest }], subpath);
    return this;
  }

  asked(toolUseId: string | null, toolName: string, input: Entry, requestId = `ask-${toolUseId ?? toolName}`): string {
    const asked = { requestId, toolName, input: JSON.parse(JSON.stringify(input)), toolUseId };
    this.append(newEvent('run:permission', 'asked', { ...asked, sessionRule: null, title: null, reason: null }));
    return requestId;
  }

  answered(
    requestId: string,
    decision: 'allow' | 'allow-session' | 'deny',
    reason: string | null = null,
    clientId = 'client-1',
  ): this {
    const answer = { requestId, inputId: sampleId(900), clientId, decision, reason };
    this.append(newEvent('run:permission', 'answered', answer));
    return this;
  }

  end(inputId: InputId | null, outcome: 'done' | 'interrupted' | 'failed' = 'done', message: string | null = null): this {
    const result = { usage: USAGE, durationMs: 4200, subtype: 'success', isError: outcome === 'failed', text: null };
    this.append(newEvent('claude:result', 'result', result));
    this.append(newEvent('run:turn', 'ended', { inputId, outcome, message }));
    return this;
  }
}

/** A log with about everything a conversation can show. */
export function sampleLog(): SampleLog {
  const log = new SampleLog().created();
  let prompt = log.prompt('Which files are here?');
  log.message([
    { type: 'thinking', thinking: 'I look at the folder first.', signature: 'c2ln' },
    { type: 'text', text: 'I look.' },
  ]);
  const reads = ['package.json', 'README.md'].map((path) => log.tool('Read', { file_path: path }));
  for (const id of reads)
    log.result(id, '1\t{}', {
      toolUseResult: { type: 'text', file: { filePath: 'a', content: '{}', numLines: 1, totalLines: 1 } },
    });
  log.text('Two files: `package.json` and `README.md`.');
  log.end(prompt);

  prompt = log.prompt('Change the README');
  const edit = log.tool('Edit', { file_path: 'README.md', old_string: 'old', new_string: 'new' });
  const ask = log.asked(edit, 'Edit', { file_path: 'README.md', old_string: 'old', new_string: 'new' });
  log.answered(ask, 'allow');
  const hunk = { oldStart: 1, oldLines: 2, newStart: 1, newLines: 2, lines: [' # Baton', '-old', '+new'] };
  const patch = { filePath: 'README.md', oldString: 'old', newString: 'new', originalFile: '# Baton\nold\n' };
  log.result(edit, 'updated', { toolUseResult: { ...patch, structuredPatch: [hunk], userModified: false } });
  const bash = log.tool('Bash', { command: 'npm test', description: 'Run the tests' });
  const denied = log.asked(bash, 'Bash', { command: 'npm test' });
  log.answered(denied, 'deny', 'not now');
  log.result(bash, 'not now', { isError: true, toolUseResult: 'Error: not now', toolDenialKind: 'permission-rule' });
  log.end(prompt);

  prompt = log.prompt('Ask a subagent');
  const agent = log.toolUseId();
  const subpath = 'subagents/agent-a1';
  // The subagent's transcript may come before the call that started it.
  log.entries([{ type: 'agent_metadata', agentType: 'general-purpose', description: 'Looks', toolUseId: agent }], subpath);
  log.message([{ type: 'tool_use', id: agent, name: 'Agent', input: { description: 'Looks', prompt: 'Look' } }]);
  const inner = log.tool('Bash', { command: 'ls' }, subpath);
  log.result(inner, 'a\nb', { toolUseResult: { stdout: 'a\nb', stderr: '', interrupted: false } }, subpath);
  log.text('Two files.', subpath);
  const report = { status: 'completed', agentId: 'a1', content: [{ type: 'text', text: 'Two files.' }], totalDurationMs: 233 };
  log.result(agent, [{ type: 'text', text: 'Two files.' }], { toolUseResult: report });
  log.end(prompt);

  prompt = log.prompt('Go on until I stop you');
  log.text('I go on');
  log.tool('Bash', { command: 'sleep 100' });
  log.entries([{ type: 'user', message: { role: 'user', content: [{ type: 'text', text: '[Request interrupted by user]' }] } }]);
  log.end(prompt, 'interrupted');
  log.append(newEvent('claude:message', 'message', { type: 'from_the_future', payload: { a: [1, 2, 3] } }));
  log.append({ channel: 'claude:unheard', type: 'of', payload: { x: 1 } });
  log.append(newEvent('system:status', 'interrupted', { lastSeenTs: SAMPLE_START_TS, reason: 'Baton was killed' }));
  log.append(newEvent('system:status', 'started', { pid: 4712, command: 'claude' }));

  prompt = log.prompt('Fail');
  const error = {
    id: 'synthetic',
    role: 'assistant',
    model: '<synthetic>',
    content: [{ type: 'text', text: 'API Error: 529 Overloaded' }],
  };
  log.entries([{ type: 'assistant', uuid: 'entry-err', isApiErrorMessage: true, apiErrorStatus: 529, message: error }]);
  log.end(prompt, 'failed', 'API Error: 529 Overloaded');
  return log;
}
