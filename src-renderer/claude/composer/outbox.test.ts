import { beforeEach, describe, expect, it, vi } from 'vitest';
import { RefusalError } from '../../../src-shared/refusal.ts';
import { SAMPLE_RUN } from '../../../src-shared/sim/sample-conversation.ts';
import { Outbox, type SendPrompt } from './outbox.ts';

const content = { text: 'Hello', images: [] };

interface Sent {
  readonly inputId: string;
  readonly settle: () => void;
  readonly fail: (error: Error) => void;
}

/** An engine that answers when the test says so. */
function engine(): { send: SendPrompt; sent: Sent[] } {
  const sent: Sent[] = [];
  const send: SendPrompt = (_, __, inputId) =>
    new Promise((resolve, reject) => sent.push({ inputId, settle: () => resolve(1), fail: reject }));
  return { send, sent };
}

describe('prompts on their way', () => {
  beforeEach(() => localStorage.clear());

  it('stay until the engine has them', async () => {
    const { send, sent } = engine();
    const outbox = new Outbox(SAMPLE_RUN, send);
    outbox.add(content);
    expect(outbox.prompts).toMatchObject([{ content, failure: null }]);
    sent[0]?.settle();
    await vi.waitFor(() => expect(outbox.prompts).toEqual([]));
  });

  it('[input-1] are sent again after a reload, under the same id', async () => {
    const before = engine();
    new Outbox(SAMPLE_RUN, before.send).add(content);
    const after = engine();
    const outbox = new Outbox(SAMPLE_RUN, after.send);
    expect(after.sent.map(({ inputId }) => inputId)).toEqual(before.sent.map(({ inputId }) => inputId));
    after.sent[0]?.settle();
    await vi.waitFor(() => expect(outbox.prompts).toEqual([]));
    expect(new Outbox(SAMPLE_RUN, engine().send).prompts).toEqual([]);
  });

  it('say why they were refused, and can be tried again or thrown away', async () => {
    const { send, sent } = engine();
    const outbox = new Outbox(SAMPLE_RUN, send);
    outbox.add(content);
    sent[0]?.fail(new RefusalError('queue-full', '100 prompts wait already.', 'Delete some of them.'));
    await vi.waitFor(() => expect(outbox.prompts[0]?.failure).toBe('100 prompts wait already. Delete some of them.'));
    const inputId = outbox.prompts[0]?.inputId;
    if (inputId === undefined) throw new Error('the prompt is gone');
    outbox.retry(inputId);
    expect(sent.map((each) => each.inputId)).toEqual([inputId, inputId]);
    expect(outbox.prompts[0]?.failure).toBe(null);
    outbox.remove(inputId);
    expect(outbox.prompts).toEqual([]);
  });

  it('one that failed waits for the user after a reload too', async () => {
    const { send, sent } = engine();
    const outbox = new Outbox(SAMPLE_RUN, send);
    outbox.add(content);
    sent[0]?.fail(new Error('no'));
    await vi.waitFor(() => expect(outbox.prompts[0]?.failure).toBe('no'));
    const after = engine();
    expect(new Outbox(SAMPLE_RUN, after.send).prompts).toHaveLength(1);
    expect(after.sent).toEqual([]);
  });

  it('[input-2] one whose id the engine knows with other content has arrived', async () => {
    const { send, sent } = engine();
    const outbox = new Outbox(SAMPLE_RUN, send);
    outbox.add(content);
    sent[0]?.fail(new RefusalError('input-id-reused', 'The id was used.'));
    await vi.waitFor(() => expect(outbox.prompts).toEqual([]));
  });

  it('keep their words when their pictures are too large for the storage', () => {
    const kept = new Map<string, string>();
    vi.stubGlobal('localStorage', {
      getItem: (key: string) => kept.get(key) ?? null,
      removeItem: (key: string) => kept.delete(key),
      setItem: (key: string, value: string) => {
        if (value.includes('base64')) throw new DOMException('full', 'QuotaExceededError');
        kept.set(key, value);
      },
    });
    new Outbox(SAMPLE_RUN, engine().send).add({ text: 'See this', images: [{ mediaType: 'image/png', base64: 'AAAA' }] });
    const [stored] = new Outbox(SAMPLE_RUN, engine().send).prompts;
    expect(stored?.content).toEqual({ text: 'See this', images: [] });
    vi.unstubAllGlobals();
  });

  it('that cannot be read do not stop the window', () => {
    localStorage.setItem(`baton.outbox.${SAMPLE_RUN}`, '{"half');
    vi.spyOn(console, 'warn').mockReturnValue();
    expect(new Outbox(SAMPLE_RUN, engine().send).prompts).toEqual([]);
  });
});
