import { TriangleAlert } from 'lucide-react';
import { type ReactNode, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { PermissionAsked, PermissionDecision } from '../../../src-shared/events.ts';
import { keyLabel } from '../../navigation/keymap.ts';
import { Button } from '../../ui/button.tsx';
import { classes } from '../../ui/classes.ts';
import { Icon } from '../../ui/icon.tsx';
import { Input } from '../../ui/input.tsx';
import { useConversation } from '../conversation-context.ts';
import { describeTool } from '../tools/describe.ts';
import { type Elicitation, ElicitationForm, readElicitation } from './elicitation-form.tsx';
import { PermissionSubject } from './permission-subject.tsx';
import { canAsk, QuestionForm, type ToolInput } from './question-form.tsx';

export interface PermissionAnswer {
  readonly decision: PermissionDecision;
  readonly reason: string | null;
  readonly updatedInput?: ToolInput;
}

export interface PermissionCardProps {
  readonly asked: PermissionAsked;
  /** "1 of 3", with which to step. */
  readonly count: ReactNode;
  readonly obstacle: string | null;
  readonly onAnswer: (requestId: string, answer: PermissionAnswer) => Promise<void>;
}

/** One request: what, where, the exact command or change, and the answers. */
export function PermissionCard({ asked, count, obstacle, onAnswer }: PermissionCardProps) {
  const { t } = useTranslation('claude');
  const { cwd } = useConversation();
  const id = useId();
  const [reason, setReason] = useState('');
  const [sending, setSending] = useState<PermissionDecision | null>(null);
  const look = describeTool({ name: asked.toolName, input: asked.input }, cwd);
  const elicitation = readElicitation(asked);
  const isQuestion = canAsk(asked) || elicitation !== null;
  const answer = async (decision: PermissionDecision, updatedInput?: ToolInput) => {
    setSending(decision);
    const why = decision === 'deny' && reason.trim() !== '' ? reason.trim() : null;
    await onAnswer(asked.requestId, { decision, reason: why, ...(updatedInput === undefined ? {} : { updatedInput }) });
    setSending(null);
  };
  const shared = { asked, obstacle, sending, answer };
  return (
    <section
      aria-labelledby={`${id}-title`}
      aria-describedby={`${id}-subject`}
      data-context="permission"
      data-permission-card
      tabIndex={-1}
      className="animate-appear rounded-md border border-accent bg-raised shadow-float focus-visible:outline-offset-[-2px]"
    >
      <header className="flex min-h-9 items-center gap-2 px-3 pt-1">
        <Icon of={TriangleAlert} className="text-accent-text" />
        <h2 id={`${id}-title`} className="min-w-0 flex-1 truncate font-medium">
          {isQuestion
            ? elicitation === null
              ? t('permission.asks')
              : t('permission.serverAsks', { server: elicitation.serverName })
            : t(`permission.wants.${look.verb}`, { tool: look.object })}
        </h2>
        {count}
      </header>
      <div id={`${id}-subject`} className="max-h-[38vh] space-y-2 overflow-y-auto px-3 pb-2 phone:max-h-[28vh]">
        {asked.reason !== null && elicitation === null && <p className="text-dim break-words selectable">{asked.reason}</p>}
        <Subject
          asked={asked}
          elicitation={elicitation}
          formId={`${id}-form`}
          onSubmit={(input) => void answer('allow', input)}
        />
        {!isQuestion && <p className="truncate text-11 text-faint">{t('permission.where', { folder: cwd })}</p>}
      </div>
      <footer className="space-y-2 border-t border-line px-3 py-2">
        <div className="flex flex-wrap items-center gap-2">
          {isQuestion ? (
            <QuestionButton {...shared} formId={`${id}-form`} />
          ) : (
            <AllowButtons {...shared} describedBy={`${id}-rule`} />
          )}
          <span className="flex min-w-40 flex-1 items-center gap-2">
            <Button
              busy={sending === 'deny'}
              disabled={obstacle !== null || sending !== null}
              onClick={() => void answer('deny')}
              data-permission="deny"
              trailing={isQuestion ? null : <KeyHint command="permission.deny" />}
            >
              {t('permission.deny')}
            </Button>
            <Input
              value={reason}
              onChange={(event) => setReason(event.target.value)}
              onKeyDown={(event) => {
                if (event.key !== 'Enter' || event.nativeEvent.isComposing || obstacle !== null || reason.trim() === '') return;
                event.preventDefault();
                void answer('deny');
              }}
              aria-label={t('permission.reason')}
              placeholder={t('permission.reasonHint')}
              className="min-w-24 flex-1"
            />
          </span>
        </div>
        {asked.sessionRule !== null && !isQuestion && (
          <p id={`${id}-rule`} className="text-11 text-faint break-words">
            {t('permission.rule', { rule: asked.sessionRule })}
          </p>
        )}
        {obstacle !== null && <p className="text-11 text-danger">{obstacle}</p>}
      </footer>
    </section>
  );
}

interface SubjectProps {
  readonly asked: PermissionAsked;
  readonly elicitation: Elicitation | null;
  readonly formId: string;
  readonly onSubmit: (updatedInput: ToolInput) => void;
}

/** What is asked: a form to fill in, or what would be done. */
function Subject({ asked, elicitation, formId, onSubmit }: SubjectProps) {
  if (elicitation !== null) return <ElicitationForm elicitation={elicitation} formId={formId} onSubmit={onSubmit} />;
  if (canAsk(asked)) return <QuestionForm asked={asked} formId={formId} onSubmit={onSubmit} />;
  return <PermissionSubject asked={asked} />;
}

interface ButtonsProps {
  readonly asked: PermissionAsked;
  readonly obstacle: string | null;
  readonly sending: PermissionDecision | null;
  readonly answer: (decision: PermissionDecision) => Promise<void>;
}

function AllowButtons({ asked, obstacle, sending, answer, describedBy }: ButtonsProps & { describedBy: string }) {
  const { t } = useTranslation('claude');
  const isOff = obstacle !== null || sending !== null;
  return (
    <>
      <Button
        variant="primary"
        busy={sending === 'allow'}
        disabled={isOff}
        onClick={() => void answer('allow')}
        data-permission="allow"
        trailing={<KeyHint command="permission.allow" tone="on-accent" />}
      >
        {t('permission.allow')}
      </Button>
      <Button
        busy={sending === 'allow-session'}
        disabled={isOff || asked.sessionRule === null}
        title={asked.sessionRule ?? t('permission.noRule')}
        aria-describedby={asked.sessionRule === null ? undefined : describedBy}
        onClick={() => void answer('allow-session')}
        data-permission="allow-session"
        trailing={<KeyHint command="permission.allowSession" />}
      >
        {t('permission.allowSession')}
      </Button>
    </>
  );
}

function QuestionButton({ obstacle, sending, formId }: ButtonsProps & { formId: string }) {
  const { t } = useTranslation('claude');
  return (
    <Button
      type="submit"
      form={formId}
      variant="primary"
      busy={sending === 'allow'}
      disabled={obstacle !== null || sending !== null}
    >
      {t('permission.answer')}
    </Button>
  );
}

/** The key beside a button's name, for the eye: the name is the button's alone. */
function KeyHint({
  command,
  tone,
}: {
  command: 'permission.allow' | 'permission.allowSession' | 'permission.deny';
  tone?: 'on-accent';
}) {
  const label = keyLabel(command);
  return label === undefined ? null : (
    <kbd aria-hidden className={classes('font-sans text-11 phone:hidden', tone === 'on-accent' ? 'opacity-80' : 'text-faint')}>
      {label}
    </kbd>
  );
}
