import { InputId } from '../../../src-shared/ids.ts';
import { ALLOW_BASH, type ClaudeGround, claudeGround, dependencies } from './claude.fixture.ts';
import { claudeAdapter } from './claude.ts';
import { describeAdapterContract } from './contract.ts';

let ground: ClaudeGround;
const content = (text: string) => ({ text, images: [] });
const prompt = (text: string) => ({ inputId: InputId.parse(crypto.randomUUID()), content: content(text) });

describeAdapterContract('claude', {
  open: async () => {
    ground = await claudeGround();
    return { factory: claudeAdapter(dependencies()), dispose: () => ground.dispose() };
  },
  spec: () => ground.spec({ options: ALLOW_BASH }),
  env: () => ground.env(),
  produce: (adapter) => adapter.prompt(prompt('hello')),
  // The command's parent is Claude Code.
  end: { run: (adapter) => adapter.prompt(prompt('run: kill -9 $PPID')), lastWords: 'I will do that.' },
  prompts: { short: content('hello'), endless: content('slow 100000') },
  impossible: {
    'a second start': (adapter) => adapter.start(),
    'a permission mode that does not exist': (adapter) => adapter.setOptions({ permissionMode: 'reckless' }),
    'a mode that the child was not started for': (adapter) => adapter.setOptions({ permissionMode: 'bypassPermissions' }),
    'an answer that nothing waits for': (adapter) => adapter.answer({ requestId: 'none', decision: 'allow', reason: null }),
  },
});
