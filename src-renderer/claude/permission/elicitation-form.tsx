import { type FormEvent, useState } from 'react';
import * as z from 'zod/mini';
import type { PermissionAsked } from '../../../src-shared/events.ts';
import { Field, Input } from '../../ui/input.tsx';
import type { ToolInput } from './question-form.tsx';

/** What an MCP server asks the user: a message, and the fields of an answer as a flat JSON schema. */
const FieldSchema = z.object({
  type: z.optional(z.string()),
  title: z.optional(z.string()),
  description: z.optional(z.string()),
  enum: z.optional(z.array(z.string())),
});
const Elicitation = z.object({
  serverName: z.string(),
  message: z.string(),
  requestedSchema: z.object({
    properties: z.record(z.string(), FieldSchema),
    required: z.optional(z.array(z.string())),
  }),
});
export type Elicitation = z.infer<typeof Elicitation>;

/** The form that a request brings; null where it is none, or one that cannot be drawn. */
export function readElicitation(asked: PermissionAsked): Elicitation | null {
  const read = Elicitation.safeParse(asked.input);
  return asked.toolUseId === null && read.success ? read.data : null;
}

export function ElicitationForm({
  elicitation,
  formId,
  onSubmit,
}: {
  elicitation: Elicitation;
  formId: string;
  onSubmit: (updatedInput: ToolInput) => void;
}) {
  const { properties, required = [] } = elicitation.requestedSchema;
  const [values, setValues] = useState<Readonly<Record<string, string | boolean>>>({});
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const given = Object.entries(properties).flatMap(([name, schema]) => {
      const value = answerOf(schema.type, values[name]);
      return value === undefined ? [] : [[name, value] as const];
    });
    onSubmit(Object.fromEntries(given));
  };
  return (
    <form id={formId} onSubmit={submit}>
      <p className="break-words whitespace-pre-wrap selectable">{elicitation.message}</p>
      {Object.entries(properties).map(([name, schema]) => (
        <Field key={name} label={schema.title ?? name} help={schema.description}>
          {(ids) => (
            <FormField
              ids={ids}
              schema={schema}
              isRequired={required.includes(name)}
              value={values[name]}
              onChange={(value) => setValues({ ...values, [name]: value })}
            />
          )}
        </Field>
      ))}
    </form>
  );
}

/** A field that was left empty is not answered. */
function answerOf(type: string | undefined, value: string | boolean | undefined): string | number | boolean | undefined {
  if (type === 'boolean') return value === true;
  if (typeof value !== 'string' || value === '') return undefined;
  return type === 'number' || type === 'integer' ? Number(value) : value;
}

interface FormFieldProps {
  readonly ids: { id: string; 'aria-describedby': string | undefined; 'aria-invalid': boolean | undefined };
  readonly schema: z.infer<typeof FieldSchema>;
  readonly isRequired: boolean;
  readonly value: string | boolean | undefined;
  readonly onChange: (value: string | boolean) => void;
}

function FormField({ ids, schema, isRequired, value, onChange }: FormFieldProps) {
  if (schema.type === 'boolean')
    return (
      <input
        {...ids}
        type="checkbox"
        checked={value === true}
        onChange={(event) => onChange(event.target.checked)}
        className="size-4 accent-(--accent-fill)"
      />
    );
  const text = typeof value === 'string' ? value : '';
  if (schema.enum !== undefined)
    return (
      <select
        {...ids}
        required={isRequired}
        value={text}
        onChange={(event) => onChange(event.target.value)}
        className="h-7 w-full rounded-md border border-control-line/60 bg-field px-2 text-13"
      >
        <option value="" />
        {schema.enum.map((choice) => (
          <option key={choice}>{choice}</option>
        ))}
      </select>
    );
  const isNumber = schema.type === 'number' || schema.type === 'integer';
  return (
    <Input
      {...ids}
      required={isRequired}
      type={isNumber ? 'number' : 'text'}
      step={schema.type === 'integer' ? 1 : 'any'}
      value={text}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}
