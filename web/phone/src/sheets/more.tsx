import { mainAction, type ShownTicket } from '../core/overlay'
import { goInstead } from '../core/route'
import { label, t } from '../core/words'
import { act } from '../core/app'
import { Send, Sheet } from '../parts/basics'
import { Icon } from '../parts/icons'

const DANGEROUS = new Set(['hand_back', 'turn_back'])
const ONE_TAP = new Set(['acknowledge', 'set_off'])

export function MoreSheet({ ticket }: { ticket: ShownTicket }) {
  const main = mainAction(ticket)
  const others = ticket.allowed_actions.filter((action) => action !== main)
  const oneTap = async (action: string) => {
    await act(ticket, action)
    goInstead(`ticket/${ticket.ticket_id}`)
  }
  return (
    <Sheet title={`${t('more')} · ${ticket.ticket_no}`}>
      <ul class="menu">
        {others.map((action) => (
          <li key={action}>
            {ONE_TAP.has(action) ? (
              <Send name={label('action', action)} ready send={() => oneTap(action)} />
            ) : (
              <button type="button" class={DANGEROUS.has(action) ? 'item danger' : 'item'} onClick={() => goInstead(`ticket/${ticket.ticket_id}/${action}`)}>
                {label('action', action)}
                <Icon name="next" size={18} />
              </button>
            )}
          </li>
        ))}
      </ul>
    </Sheet>
  )
}
