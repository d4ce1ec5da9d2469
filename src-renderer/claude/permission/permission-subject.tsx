import { useTranslation } from 'react-i18next';
import type { PermissionAsked } from '../../../src-shared/events.ts';
import { Code } from '../markdown/code-block.tsx';
import { Markdown } from '../markdown/markdown.tsx';
import { inputText } from '../tools/describe.ts';
import { FileDiff } from '../tools/file-diff.tsx';
import { patchOf } from '../tools/patch.ts';

/** Exactly what would be done: the whole command, the change itself, or the whole input. */
export function PermissionSubject({ asked }: { asked: PermissionAsked }) {
  const { t } = useTranslation('claude');
  const { toolName, input } = asked;
  const patch = patchOf({ name: toolName, input, result: null });
  if (patch !== null) return <FileDiff patch={patch} />;
  const command = inputText(input, 'command');
  if (toolName === 'Bash' && command !== '')
    return (
      <div className="space-y-1">
        {inputText(input, 'description') !== '' && <p className="text-dim">{inputText(input, 'description')}</p>}
        <Framed>
          <Code code={command} language="bash" label={t('tool.command')} />
        </Framed>
        <OtherInputs input={input} known={['command', 'description']} />
      </div>
    );
  const plan = inputText(input, 'plan');
  if (toolName === 'ExitPlanMode' && plan !== '') return <Markdown text={plan} isLive={false} />;
  return (
    <Framed>
      <Code code={JSON.stringify(input, null, 2)} language="json" label={t('tool.input')} />
    </Framed>
  );
}

function Framed({ children }: { children: React.ReactNode }) {
  return (
    <div className="rounded-md border border-line bg-sunken pt-2 phone:[&_pre]:w-auto phone:[&_pre]:break-all phone:[&_pre]:whitespace-pre-wrap">
      {children}
    </div>
  );
}

/** Nothing that is asked for stays unsaid: a timeout, a sandbox switched off, running in the background. */
function OtherInputs({ input, known }: { input: PermissionAsked['input']; known: readonly string[] }) {
  const others = Object.entries(input).filter(([name, value]) => !known.includes(name) && value !== undefined);
  if (others.length === 0) return null;
  return (
    <dl className="flex flex-wrap gap-x-4 font-mono text-11 text-dim">
      {others.map(([name, value]) => (
        <div key={name} className="flex gap-1">
          <dt>{name}:</dt>
          <dd>{JSON.stringify(value)}</dd>
        </div>
      ))}
    </dl>
  );
}
