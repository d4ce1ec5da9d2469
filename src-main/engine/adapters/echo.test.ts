import { describe, expect, it } from 'vitest';
import { InputId } from '../../../src-shared/ids.ts';
import { describeAdapterContract } from './contract.ts';
import { ENDLESS_PHRASE, echoAdapter, PERMISSION_PHRASE } from './echo.ts';
import { recordingHost } from './recording-host.ts';

const spec = () => ({ kind: 'echo' as const, cwd: '/' });
const inputId = () => InputId.parse(crypto.randomUUID());
const content = (text: string) => ({ text, images: [] });

describeAdapterContract('echo', {
  open: async () => ({ factory: echoAdapter, dispose: async () => {} }),
  spec,
  produce: (adapter) => adapter.write(Buffer.from('hello')),
  end: null,
  prompts: { short: content('hello'), endless: content(`${ENDLESS_PHRASE}, please`) },
  impossible: {
    'a second start': (adapter) => adapter.start(),
    'other options': (adapter) => adapter.setOptions({ model: 'larger' }),
    'an answer that nothing waits for': (adapter) => adapter.answer({ requestId: 'none', decision: 'allow', reason: null }),
  },
});

describe('echo', () => {
  it('echoes bytes as output', async () => {
    const host = recordingHost(spec());
    const adapter = echoAdapter(host);
    await adapter.start();
    adapter.write(Buffer.from('dé'));
    adapter.write(Buffer.from('jà'));
    expect(host.outputText()).toBe('déjà');
  });

  it('answers a prompt with its text, live first', async () => {
    const host = recordingHost(spec());
    const adapter = echoAdapter(host);
    await adapter.start();
    await adapter.prompt({ inputId: inputId(), content: content('hello') });
    expect(host.toldOf('live').map(({ text }) => text.text)).toEqual(['hello']);
    expect(host.log.at(-2)).toMatchObject({ channel: 'echo:message', payload: { text: 'hello' } });
  });

  it.each([
    ['allow', null, 'may I go'],
    ['deny', 'too late', 'denied: too late'],
  ] as const)('asks for permission on its phrase, and goes on when the answer is %s', async (decision, reason, answer) => {
    const host = recordingHost(spec());
    const adapter = echoAdapter(host);
    await adapter.start();
    await adapter.prompt({ inputId: inputId(), content: content(`${PERMISSION_PHRASE} go`) });
    const [pending] = host.state.permissions;
    expect(pending?.asked).toMatchObject({ toolName: 'Echo', input: { text: 'may I go' } });
    expect(host.toldOf('turnEnded')).toEqual([]);
    await adapter.answer({ requestId: pending?.asked.requestId ?? '', decision, reason });
    expect(host.log.at(-2)).toMatchObject({ channel: 'echo:message', payload: { text: answer } });
    expect(host.toldOf('turnEnded').map(({ end }) => end.outcome)).toEqual(['done']);
  });

  it('shows a viewer that joins in the middle of a turn the text from its beginning', async () => {
    const host = recordingHost(spec());
    const adapter = echoAdapter(host);
    await adapter.start();
    await adapter.prompt({ inputId: inputId(), content: content(`${ENDLESS_PHRASE} here`) });
    expect(adapter.liveTexts()).toMatchObject([{ offset: 0, text: 'wait for me here' }]);
    await adapter.interrupt();
    expect(adapter.liveTexts()).toEqual([]);
  });
});
