import {
  BookOpen,
  Bot,
  CircleHelp,
  FilePen,
  FilePlus,
  FileText,
  FolderSearch,
  Globe,
  ListChecks,
  type LucideIcon,
  Map as MapIcon,
  Search,
  Terminal,
  Wrench,
} from 'lucide-react';
import type { ToolItem } from '../../../src-shared/conversation/conversation-items.ts';
import { shortPath } from '../conversation-context.ts';

/** What a tool call is, in one quiet line: an icon, a verb (a text key), and what it acts on. */
export type Verb =
  | 'run'
  | 'edit'
  | 'write'
  | 'read'
  | 'search'
  | 'find'
  | 'list'
  | 'fetch'
  | 'web'
  | 'todo'
  | 'agent'
  | 'ask'
  | 'plan'
  | 'skill'
  | 'call';

export interface ToolLook {
  readonly icon: LucideIcon;
  readonly verb: Verb;
  readonly object: string;
  /** The object is code or a path: shown in the monospaced type. */
  readonly isCode: boolean;
  /** It only looks: runs of such calls fold into one line. */
  readonly isExploring: boolean;
}

type Input = ToolItem['input'];

/** A text of the input; '' where there is none. */
export function inputText(input: Input, key: string): string {
  const value = input[key];
  return typeof value === 'string' ? value : '';
}

const LOOKS: Readonly<Record<string, (input: Input, cwd: string) => Omit<ToolLook, 'isExploring'> & { isExploring?: true }>> = {
  Bash: (input) => ({ icon: Terminal, verb: 'run', object: oneLine(inputText(input, 'command')), isCode: true }),
  Edit: (input, cwd) => ({ icon: FilePen, verb: 'edit', object: path(input, cwd), isCode: true }),
  MultiEdit: (input, cwd) => ({ icon: FilePen, verb: 'edit', object: path(input, cwd), isCode: true }),
  NotebookEdit: (input, cwd) => ({
    icon: FilePen,
    verb: 'edit',
    object: shortPath(inputText(input, 'notebook_path'), cwd),
    isCode: true,
  }),
  Write: (input, cwd) => ({ icon: FilePlus, verb: 'write', object: path(input, cwd), isCode: true }),
  Read: (input, cwd) => ({ icon: FileText, verb: 'read', object: path(input, cwd), isCode: true, isExploring: true }),
  Grep: (input, cwd) => ({
    icon: Search,
    verb: 'search',
    object: [inputText(input, 'pattern'), shortPath(inputText(input, 'path'), cwd)].filter((part) => part !== '').join(' · '),
    isCode: true,
    isExploring: true,
  }),
  Glob: (input) => ({ icon: FolderSearch, verb: 'find', object: inputText(input, 'pattern'), isCode: true, isExploring: true }),
  LS: (input, cwd) => ({
    icon: FolderSearch,
    verb: 'list',
    object: shortPath(inputText(input, 'path'), cwd),
    isCode: true,
    isExploring: true,
  }),
  WebFetch: (input) => ({ icon: Globe, verb: 'fetch', object: inputText(input, 'url'), isCode: false }),
  WebSearch: (input) => ({ icon: Globe, verb: 'web', object: inputText(input, 'query'), isCode: false }),
  web_search: (input) => ({ icon: Globe, verb: 'web', object: inputText(input, 'query'), isCode: false }),
  web_fetch: (input) => ({ icon: Globe, verb: 'fetch', object: inputText(input, 'url'), isCode: false }),
  TodoWrite: () => ({ icon: ListChecks, verb: 'todo', object: '', isCode: false }),
  TaskCreate: (input) => ({ icon: ListChecks, verb: 'todo', object: inputText(input, 'subject'), isCode: false }),
  TaskUpdate: (input) => ({ icon: ListChecks, verb: 'todo', object: taskUpdate(input), isCode: false }),
  TaskList: () => ({ icon: ListChecks, verb: 'todo', object: '', isCode: false }),
  Agent: (input) => ({ icon: Bot, verb: 'agent', object: inputText(input, 'description'), isCode: false }),
  Task: (input) => ({ icon: Bot, verb: 'agent', object: inputText(input, 'description'), isCode: false }),
  AskUserQuestion: (input) => ({ icon: CircleHelp, verb: 'ask', object: firstQuestion(input), isCode: false }),
  ExitPlanMode: () => ({ icon: MapIcon, verb: 'plan', object: '', isCode: false }),
  Skill: (input) => ({
    icon: BookOpen,
    verb: 'skill',
    object: inputText(input, 'skill') || inputText(input, 'command'),
    isCode: true,
  }),
};

export function describeTool(tool: Pick<ToolItem, 'name' | 'input'>, cwd: string): ToolLook {
  const look = Object.hasOwn(LOOKS, tool.name) ? LOOKS[tool.name]?.(tool.input, cwd) : undefined;
  if (look !== undefined) return { ...look, isExploring: look.isExploring ?? false };
  return { icon: Wrench, verb: 'call', object: toolName(tool.name), isCode: false, isExploring: false };
}

/** `mcp__github__search` as "github: search". */
export function toolName(name: string): string {
  const [, server, tool] = /^mcp__(.+?)__(.+)$/.exec(name) ?? [];
  return server === undefined ? name : `${server}: ${tool}`;
}

export function isExploring(name: string): boolean {
  return describeTool({ name, input: {} }, '').isExploring;
}

const path = (input: Input, cwd: string): string => shortPath(inputText(input, 'file_path'), cwd);

function oneLine(command: string): string {
  const [first = '', ...rest] = command.trim().split('\n');
  return rest.length === 0 ? first : `${first} …`;
}

function taskUpdate(input: Input): string {
  const subject = inputText(input, 'subject') || `#${inputText(input, 'taskId')}`;
  const status = inputText(input, 'status').replaceAll('_', ' ');
  return status === '' ? subject : `${subject}: ${status}`;
}

function firstQuestion(input: Input): string {
  const [question] = readQuestions(input);
  return question?.question ?? '';
}

export interface Question {
  readonly question: string;
  readonly header: string;
  readonly isMultiple: boolean;
  readonly options: readonly { readonly label: string; readonly description: string }[];
}

/** The questions of an AskUserQuestion call. What is not a question is left out. */
export function readQuestions(input: Input): readonly Question[] {
  const { questions } = input;
  if (!Array.isArray(questions)) return [];
  return questions.flatMap((each: unknown): Question[] => {
    if (typeof each !== 'object' || each === null || !('question' in each) || typeof each.question !== 'string') return [];
    const options = 'options' in each && Array.isArray(each.options) ? each.options : [];
    return [
      {
        question: each.question,
        header: 'header' in each && typeof each.header === 'string' ? each.header : '',
        isMultiple: 'multiSelect' in each && each.multiSelect === true,
        options: options.flatMap((option: unknown) => {
          if (typeof option !== 'object' || option === null || !('label' in option) || typeof option.label !== 'string')
            return [];
          const description = 'description' in option && typeof option.description === 'string' ? option.description : '';
          return [{ label: option.label, description }];
        }),
      },
    ];
  });
}
