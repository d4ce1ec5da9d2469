import type { RefObject } from 'react';
import { useTranslation } from 'react-i18next';
import type { SessionState } from '../../../src-shared/session.ts';
import { Spinner } from '../../ui/spinner.tsx';
import { EmptyConversation } from '../empty-conversation.tsx';
import { useLasting } from '../stable.ts';
import { ConversationList, type ConversationListHandle, type TurnActions } from './conversation-list.tsx';
import { isUntouched, type Row } from './rows.ts';
import type { Reader } from './use-reader.ts';

/** A wait shorter than this shows nothing. */
const loadingMs = 300;

export interface ConversationViewProps {
  readonly list: RefObject<ConversationListHandle | null>;
  readonly reader: Reader;
  readonly rows: readonly Row[];
  readonly state: SessionState | null;
  readonly turnActions: TurnActions;
}

/** The conversation, what stands there before anything was said, or a wait. */
export function ConversationView({ list, reader, rows, state, turnActions }: ConversationViewProps) {
  const { t } = useTranslation('claude');
  const { history, state: past, isReady } = reader;
  const isLong = useLasting(!isReady, loadingMs);
  if (!isReady || state === null)
    return (
      <div className="flex min-h-0 flex-1 items-center justify-center text-faint">
        {isLong && <Spinner label={t('loading')} />}
      </div>
    );
  if (!past.hasOlder && (rows.length === 0 || isUntouched(past.view.turns))) return <EmptyConversation state={state} />;
  return (
    <ConversationList
      key={reader.generation}
      ref={list}
      rows={rows}
      history={past}
      startPlace={reader.placeNow}
      onPlace={reader.setPlace}
      onOlder={() => void history.loadOlder()}
      onNewer={() => void history.loadNewer()}
      onLatest={() => history.jumpToEnd()}
      turnActions={turnActions}
    />
  );
}
