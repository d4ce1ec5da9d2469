import { type FormEvent, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import * as z from 'zod/mini';
import type { PermissionAsked } from '../../../src-shared/events.ts';
import { Input } from '../../ui/input.tsx';
import { type Question, readQuestions } from '../tools/describe.ts';

/** A tool's input as it is sent. */
const ToolInput = z.record(z.string(), z.json());
export type ToolInput = z.infer<typeof ToolInput>;

/** A request that asks the user something instead of asking leave. */
export function canAsk(asked: PermissionAsked): boolean {
  return asked.toolName === 'AskUserQuestion' && readQuestions(asked.input).length > 0;
}

export interface QuestionFormProps {
  readonly asked: PermissionAsked;
  readonly formId: string;
  readonly onSubmit: (updatedInput: ToolInput) => void;
}

/** Claude's questions with the answers it offers, and a field for one's own. */
export function QuestionForm({ asked, formId, onSubmit }: QuestionFormProps) {
  const questions = readQuestions(asked.input);
  const [answers, setAnswers] = useState<Readonly<Record<string, readonly string[]>>>({});
  const [own, setOwn] = useState<Readonly<Record<string, string>>>({});
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const given = questions.flatMap(({ question }) => {
      const said = [...(answers[question] ?? []), own[question]?.trim() ?? ''].filter((text) => text !== '');
      return said.length === 0 ? [] : [[question, said.join(', ')] as const];
    });
    onSubmit(ToolInput.parse({ ...asked.input, answers: Object.fromEntries(given) }));
  };
  return (
    <form id={formId} onSubmit={submit} className="space-y-3">
      {questions.map((question) => (
        <QuestionFields
          key={question.question}
          question={question}
          chosen={answers[question.question] ?? []}
          own={own[question.question] ?? ''}
          onChoose={(chosen) => setAnswers({ ...answers, [question.question]: chosen })}
          onOwn={(text) => setOwn({ ...own, [question.question]: text })}
        />
      ))}
    </form>
  );
}

interface FieldsProps {
  readonly question: Question;
  readonly chosen: readonly string[];
  readonly own: string;
  readonly onChoose: (chosen: readonly string[]) => void;
  readonly onOwn: (text: string) => void;
}

function QuestionFields({ question, chosen, own, onChoose, onOwn }: FieldsProps) {
  const { t } = useTranslation('claude');
  const name = useId();
  const { isMultiple } = question;
  const choose = (label: string, isOn: boolean) => {
    if (isMultiple) onChoose(isOn ? [...chosen, label] : chosen.filter((other) => other !== label));
    else {
      onChoose([label]);
      onOwn('');
    }
  };
  return (
    <fieldset className="space-y-1">
      <legend className="pb-1 font-medium">{question.question}</legend>
      {question.options.map(({ label, description }) => (
        <label key={label} className="flex items-start gap-2 rounded-sm px-1 py-0.5 hover:bg-hover">
          <input
            type={isMultiple ? 'checkbox' : 'radio'}
            name={name}
            checked={chosen.includes(label)}
            onChange={(event) => choose(label, event.target.checked)}
            className="mt-1 accent-(--accent-fill)"
          />
          <span>
            {label}
            {description !== '' && <span className="block text-11 text-faint">{description}</span>}
          </span>
        </label>
      ))}
      <Input
        value={own}
        onChange={(event) => {
          onOwn(event.target.value);
          if (!isMultiple && event.target.value !== '') onChoose([]);
        }}
        aria-label={t('question.own', { question: question.question })}
        placeholder={t('question.ownHint')}
      />
    </fieldset>
  );
}
