import { mainAction, type ShownTicket } from '../core/overlay'
import { goInstead } from '../core/route'
import { t } from '../core/words'
import { act } from '../core/app'
import { Send, Sheet } from '../parts/basics'
import { Icon } from '../parts/icons'
import { isOneTap, nameOf } from '../parts/main_bar'

/** What gives work away stands last, away from the thumb's first guess; what one tap does stands first. */
const DANGEROUS = new Set(['hand_back', 'turn_back', 'reject'])

/** Asked of a dispatcher, not done: an action of its own page. */
const ASKS = ['ask_discount', 'ask_part'] as const
const isAsk = (action: string): action is (typeof ASKS)[number] => (ASKS as readonly string[]).includes(action)

export function MoreSheet({ ticket }: { ticket: ShownTicket }) {
  const main = mainAction(ticket)
  const allowed = ticket.allowed_actions.filter((action) => action !== main)
  const steps = allowed.filter((action) => !DANGEROUS.has(action)).sort((a, b) => Number(isOneTap(ticket, b)) - Number(isOneTap(ticket, a)))
  const asks: readonly string[] = ticket.role === 'lead' ? ASKS : []
  const oneTap = async (action: string) => {
    await act(ticket, action)
    goInstead(`ticket/${ticket.ticket_id}`)
  }
  return (
    <Sheet title={`${t('more')} · ${ticket.ticket_no}`}>
      <ul class="menu">
        {[...steps, ...asks, ...allowed.filter((action) => DANGEROUS.has(action))].map((action) => (
          <li key={action}>
            {isOneTap(ticket, action) ? (
              <Send name={nameOf(ticket, action)} ready send={() => oneTap(action)} />
            ) : (
              <button type="button" class={DANGEROUS.has(action) ? 'item danger' : 'item'} onClick={() => goInstead(`ticket/${ticket.ticket_id}/${action}`)}>
                {isAsk(action) ? t(action) : nameOf(ticket, action)}
                <Icon name="next" size={18} />
              </button>
            )}
          </li>
        ))}
      </ul>
    </Sheet>
  )
}
