import { Circle, CircleCheck, CircleDot } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { Todo, ToolItem } from '../../../src-shared/conversation/conversation-items.ts';
import { classes } from '../../ui/classes.ts';
import { Icon } from '../../ui/icon.tsx';
import { Images } from '../conversation/images.tsx';
import { SubagentItems } from '../conversation/subagent.tsx';
import { Code } from '../markdown/code-block.tsx';
import { languageOfPath } from '../markdown/languages.ts';
import { Markdown } from '../markdown/markdown.tsx';
import { inputText, readQuestions } from './describe.ts';
import { FileDiff } from './file-diff.tsx';
import { Output } from './output.tsx';
import { patchOf } from './patch.ts';
import { readTodos } from './todos.ts';

/** What a tool call was given and what it gave back, each kind in its own way. */
export function ToolDetails({ tool }: { tool: ToolItem }) {
  return (
    <div className="space-y-2">
      {tool.permission?.reason != null && tool.permission.reason !== '' && <Reason text={tool.permission.reason} />}
      <Body tool={tool} />
      {tool.result !== null && tool.result.images.length > 0 && <Images images={tool.result.images} />}
    </div>
  );
}

function Body({ tool }: { tool: ToolItem }) {
  const patch = patchOf(tool);
  if (patch !== null && tool.partialInput === null)
    return (
      <>
        <FileDiff patch={patch} />
        <Failure tool={tool} />
      </>
    );
  switch (tool.name) {
    case 'Bash':
      return <Command tool={tool} />;
    case 'Read':
      return <FileText tool={tool} />;
    case 'TodoWrite':
    case 'TaskList':
      return <TodoList tool={tool} />;
    case 'Agent':
    case 'Task':
      return <Subagent tool={tool} />;
    case 'AskUserQuestion':
      return <Questions tool={tool} />;
    case 'ExitPlanMode':
      return <Markdown text={inputText(tool.input, 'plan')} isLive={false} />;
    default:
      return <Generic tool={tool} />;
  }
}

function Box({ label, children }: { label: string; children: React.ReactNode }) {
  return (
    <div className="overflow-hidden rounded-md border border-line bg-sunken">
      <p className="flex h-6 items-center px-3 text-11 text-faint">{label}</p>
      {children}
    </div>
  );
}

function Reason({ text }: { text: string }) {
  const { t } = useTranslation('claude');
  return (
    <p className="text-dim selectable">
      {t('permission.reasonGiven')} <q>{text}</q>
    </p>
  );
}

function Failure({ tool }: { tool: ToolItem }) {
  return tool.result?.isError === true ? (
    <p className="text-danger break-words whitespace-pre-wrap selectable">{tool.result.text}</p>
  ) : null;
}

function Command({ tool }: { tool: ToolItem }) {
  const { t } = useTranslation('claude');
  const command = inputText(tool.input, 'command');
  const detail = tool.result?.detail;
  const isKnown = detail?.kind === 'command';
  const stdout = isKnown ? detail.stdout : tool.result?.isError === true ? '' : (tool.result?.text ?? '');
  const stderr = isKnown ? detail.stderr : tool.result?.isError === true ? tool.result.text : '';
  return (
    <div className="overflow-hidden rounded-md border border-line bg-sunken">
      <div className="pt-2">
        <Code code={command || (tool.partialInput ?? '')} language="bash" label={t('tool.command')} />
      </div>
      {(stdout !== '' || stderr !== '') && <div className="border-t border-line" />}
      {stdout !== '' && <Output text={stdout} />}
      {stderr !== '' && <Output text={stderr} />}
      {tool.result !== null && stdout === '' && stderr === '' && (
        <p className="border-t border-line px-3 py-1 text-11 text-faint">
          {isKnown && detail.backgroundTaskId !== null ? t('tool.inBackground') : t('tool.noOutput')}
        </p>
      )}
    </div>
  );
}

function FileText({ tool }: { tool: ToolItem }) {
  const { t } = useTranslation('claude');
  if (tool.result === null || tool.result.isError) return <Failure tool={tool} />;
  // Line numbers are for the model.
  const text = tool.result.text.replace(/^\s*\d+[\t→]/gm, '');
  return (
    <div className="max-h-90 overflow-auto rounded-md border border-line bg-sunken pt-2">
      <Code code={text} language={languageOfPath(inputText(tool.input, 'file_path')) ?? ''} label={t('tool.content')} />
    </div>
  );
}

const todoMarks = { pending: Circle, in_progress: CircleDot, completed: CircleCheck } as const;

function TodoList({ tool }: { tool: ToolItem }) {
  const todos = tool.result?.detail?.kind === 'todos' ? tool.result.detail.todos : readTodos(tool.input);
  return (
    <>
      <Todos todos={todos} />
      <Failure tool={tool} />
    </>
  );
}

function Todos({ todos }: { todos: readonly Todo[] }) {
  const { t } = useTranslation('claude');
  return (
    <ul aria-label={t('todos.label')} className="space-y-1">
      {todos.map((todo, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a list is written whole each time; its entries have no ids
        <li key={index} className="flex items-start gap-2">
          <span role="img" aria-label={t(`todos.${todo.status}`)} className="flex h-5 items-center">
            <Icon
              of={todoMarks[todo.status]}
              size={14}
              className={todo.status === 'in_progress' ? 'text-working' : 'text-faint'}
            />
          </span>
          <span
            className={classes(
              'min-w-0 break-words',
              todo.status === 'completed' && 'text-faint line-through decoration-line-strong',
            )}
          >
            {todo.status === 'in_progress' ? (todo.activeForm ?? todo.content) : todo.content}
          </span>
        </li>
      ))}
    </ul>
  );
}

function Subagent({ tool }: { tool: ToolItem }) {
  const { t } = useTranslation('claude');
  const { result, subagent } = tool;
  const report = result?.detail?.kind === 'subagent' ? result.detail.text : (result?.text ?? '');
  return (
    <div className="space-y-2 border-l border-line pl-4">
      <Box label={t('subagent.prompt')}>
        <p className="px-3 pb-2 break-words whitespace-pre-wrap text-dim selectable">{inputText(tool.input, 'prompt')}</p>
      </Box>
      {subagent !== null && <SubagentItems subagent={subagent} />}
      {report !== '' && subagent === null && <Markdown text={report} isLive={false} />}
    </div>
  );
}

function Questions({ tool }: { tool: ToolItem }) {
  const { t } = useTranslation('claude');
  const answers = tool.result?.detail?.kind === 'answers' ? tool.result.detail.answers : {};
  return (
    <dl className="space-y-1">
      {readQuestions(tool.input).map(({ question }) => (
        <div key={question}>
          <dt className="text-dim">{question}</dt>
          <dd className="font-medium">{answers[question] ?? (tool.result === null ? '' : t('question.unanswered'))}</dd>
        </div>
      ))}
    </dl>
  );
}

function Generic({ tool }: { tool: ToolItem }) {
  const { t } = useTranslation('claude');
  const input = tool.partialInput ?? JSON.stringify(tool.input, null, 2);
  return (
    <>
      {input !== '{}' && (
        <Box label={t('tool.input')}>
          <Code code={input} language="json" label={t('tool.input')} />
        </Box>
      )}
      {tool.result !== null && tool.result.text !== '' && (
        <Box label={t('tool.result')}>
          <Output text={tool.result.text} tone={tool.result.isError ? 'error' : 'plain'} />
        </Box>
      )}
    </>
  );
}
