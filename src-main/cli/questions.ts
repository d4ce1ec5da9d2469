import * as z from 'zod/mini';
import type { PermissionAsked } from '../../src-shared/events.ts';
import { oneLine, type Paint } from './output.ts';

const Question = z.object({
  question: z.string(),
  multiSelect: z._default(z.boolean(), false),
  options: z._default(z.array(z.object({ label: z.string(), description: z._default(z.string(), '') })), []),
});
export type Question = z.infer<typeof Question>;
const Questions = z.object({ questions: z.array(Question).check(z.minLength(1)) });

/** What Claude asks the user, where a request asks something instead of asking leave. */
export function questionsOf({ toolName, input }: PermissionAsked): readonly Question[] {
  if (toolName !== 'AskUserQuestion') return [];
  const read = Questions.safeParse(input);
  return read.success ? read.data.questions : [];
}

export function questionText({ question, options, multiSelect }: Question, paint: Paint): string {
  const lines = options.map(({ label, description }, at) => {
    return `  ${at + 1} ${oneLine(label)}${description === '' ? '' : paint('dim', ` – ${oneLine(description)}`)}`;
  });
  const how = multiSelect ? 'numbers with commas between them, or your own words' : 'a number, or your own words';
  return [paint('yellow', `Claude asks: ${oneLine(question)}`), ...lines, paint('dim', `  Answer with ${how}.`)].join('\n');
}

/** The labels that the numbers stand for; anything else is the user's own answer. */
export function answerTo({ options, multiSelect }: Question, typed: string): string {
  const words = multiSelect ? typed.split(',').map((word) => word.trim()) : [typed.trim()];
  return words.map((word) => (/^\d+$/.test(word) ? (options[Number(word) - 1]?.label ?? word) : word)).join(', ');
}
