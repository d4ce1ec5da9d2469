/** One thing that doctor has looked at. warn: something works less well. bad: it does not work. */
export interface Check {
  readonly name: string;
  readonly state: 'ok' | 'warn' | 'bad';
  readonly message: string;
  /** What to do; null where there is nothing to do. */
  readonly fix: string | null;
}

export function ok(name: string, message: string): Check {
  return { name, state: 'ok', message, fix: null };
}

export function warn(name: string, message: string, fix: string | null): Check {
  return { name, state: 'warn', message, fix };
}

export function bad(name: string, message: string, fix: string | null): Check {
  return { name, state: 'bad', message, fix };
}
