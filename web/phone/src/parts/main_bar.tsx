import { act } from '../core/app'
import { mainAction, type ShownTicket } from '../core/overlay'
import { openSheet, route } from '../core/route'
import { reach } from '../core/state'
import { label, t } from '../core/words'
import { say, Send } from './basics'
import { Icon } from './icons'

const ONE_TAP = new Set(['acknowledge', 'set_off'])
const HELPERS_ONE_TAP = new Set(['set_off', 'turn_back', 'complete'])

/** One tap does it; every other action asks something in a sheet first. A helper only notes own times. */
export function isOneTap(ticket: ShownTicket, action: string): boolean {
  return (ticket.role === 'lead' ? ONE_TAP : HELPERS_ONE_TAP).has(action)
}

/** What the button says. A helper does not complete the ticket: the helper leaves. */
export function nameOf(ticket: ShownTicket, action: string): string {
  return ticket.role !== 'lead' && action === 'complete' ? t('leave_site') : label('action', action)
}

export async function begin(ticket: ShownTicket, action: string): Promise<void> {
  if (!isOneTap(ticket, action)) return openSheet(action, ticket.ticket_id)
  await act(ticket, action)
  if (reach.value !== 'online') say('saved_offline')
}

/** The ticket's one main button, at the bottom edge where the thumb is; the others behind "more". */
export function MainBar({ ticket }: { ticket: ShownTicket }) {
  const main = mainAction(ticket)
  const others = ticket.allowed_actions.filter((action) => action !== main)
  if (!main && others.length === 0) return null
  return (
    <div class={route.value.page === 'today' ? 'bar over-tabs' : 'bar'}>
      {main ? (
        <Send key={main} name={nameOf(ticket, main)} {...(route.value.page === 'today' ? { about: ticket.ticket_no } : {})} ready send={() => begin(ticket, main)} />
      ) : (
        <button type="button" class="main quiet" onClick={() => openSheet('more', ticket.ticket_id)}>
          {t('more')}
        </button>
      )}
      {main && others.length > 0 && (
        <button type="button" class="plain square" aria-label={t('more')} onClick={() => openSheet('more', ticket.ticket_id)}>
          <Icon name="more" />
        </button>
      )}
    </div>
  )
}
