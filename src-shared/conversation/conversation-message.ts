import * as z from 'zod/mini';
import type { Json } from '../events.ts';
import type { FactBody } from './conversation-fact.ts';

/**
 * Messages of the SDK that the transcript does not hold. Those a user should see become notices; known book-keeping is quiet;
 * what this version does not know is shown raw.
 */
const Message = z.object({ type: z.string(), subtype: z.optional(z.string()) });

const ApiRetry = z.object({
  attempt: z.number(),
  max_retries: z.number(),
  retry_delay_ms: z.number(),
  error_status: z.optional(z.nullable(z.number())),
  error: z.optional(z.string()),
});
const Informational = z.object({ content: z.string(), level: z.optional(z.string()) });
const Notification = z.object({ text: z.string() });
const Denied = z.object({ tool_name: z.string(), message: z.string() });
const Refusal = z.object({ content: z.string() });
const MirrorError = z.object({ error: z.string() });
const RateLimit = z.object({ rate_limit_info: z.object({ status: z.string(), resetsAt: z.optional(z.number()) }) });

/** What the transcript or the session's state tells already, and signs of life. */
const QUIET: ReadonlySet<string> = new Set([
  'assistant',
  'user',
  'result',
  'stream_event',
  'keep_alive',
  'tool_progress',
  'tool_use_summary',
  'auth_status',
  'prompt_suggestion',
  'command_lifecycle',
  'rate_limit_event',
  'system/init',
  'system/status',
  'system/compact_boundary',
  'system/thinking_tokens',
  'system/hook_started',
  'system/hook_progress',
  'system/hook_response',
  'system/session_state_changed',
  'system/commands_changed',
  'system/files_persisted',
  'system/plugin_install',
  'system/task_started',
  'system/task_progress',
  'system/task_updated',
  'system/task_notification',
  'system/background_tasks_changed',
  'system/local_command_output',
  'system/memory_recall',
  'system/control_request_progress',
  'system/elicitation_complete',
  'system/worker_shutting_down',
  'system/active_goal',
]);

export function readMessage(message: { readonly [key: string]: Json | undefined }): readonly FactBody[] {
  const read = Message.safeParse(message);
  if (!read.success) return [{ kind: 'raw', label: 'message', value: message as Json }];
  const { type, subtype } = read.data;
  const label = subtype === undefined ? type : `${type}/${subtype}`;
  const notice = noticeOf(label, message);
  if (notice !== null) return [notice];
  return [QUIET.has(label) ? { kind: 'quiet', label } : { kind: 'raw', label, value: message as Json }];
}

const warning = (text: string): FactBody => ({ kind: 'notice', notice: { type: 'message', text, level: 'warning' } });

function noticeOf(label: string, message: unknown): FactBody | null {
  switch (label) {
    case 'conversation_reset':
      return { kind: 'notice', notice: { type: 'cleared' } };
    case 'system/api_retry': {
      const retry = ApiRetry.safeParse(message);
      if (!retry.success) return null;
      const { attempt, max_retries, retry_delay_ms, error_status, error } = retry.data;
      const reason = [error_status ?? null, error ?? null].filter((part) => part !== null).join(' ');
      return { kind: 'notice', notice: { type: 'retry', attempt, of: max_retries, delayMs: retry_delay_ms, reason } };
    }
    case 'system/informational': {
      const told = Informational.safeParse(message);
      if (!told.success) return null;
      if (told.data.level === 'info') return { kind: 'quiet', label };
      const level = told.data.level === 'warning' ? 'warning' : 'info';
      return { kind: 'notice', notice: { type: 'message', text: told.data.content, level } };
    }
    case 'system/notification': {
      const told = Notification.safeParse(message);
      return told.success ? { kind: 'notice', notice: { type: 'message', text: told.data.text, level: 'info' } } : null;
    }
    case 'system/permission_denied': {
      const denied = Denied.safeParse(message);
      return denied.success ? warning(`${denied.data.tool_name}: ${denied.data.message}`) : null;
    }
    case 'system/model_refusal_fallback':
    case 'system/model_refusal_no_fallback': {
      const refusal = Refusal.safeParse(message);
      return refusal.success ? warning(refusal.data.content) : null;
    }
    case 'system/mirror_error': {
      const failed = MirrorError.safeParse(message);
      return failed.success ? warning(`The transcript could not be saved: ${failed.data.error}`) : null;
    }
    case 'rate_limit_event': {
      const limit = RateLimit.safeParse(message);
      if (!limit.success || limit.data.rate_limit_info.status !== 'rejected') return null;
      const { resetsAt } = limit.data.rate_limit_info;
      const until = resetsAt === undefined ? '' : ` until ${new Date(resetsAt * 1000).toISOString()}`;
      return warning(`The usage limit of the account is reached${until}.`);
    }
    default:
      return null;
  }
}
