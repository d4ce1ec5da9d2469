import type { Todo, ToolItem } from '../../../src-shared/conversation/conversation-items.ts';
import { Todos, toTodos } from '../../../src-shared/conversation/conversation-result.ts';

/** The list that a TodoWrite call writes. */
export function readTodos(input: ToolItem['input']): readonly Todo[] {
  const todos = Todos.safeParse(input.todos);
  return todos.success ? toTodos(todos.data) : [];
}
