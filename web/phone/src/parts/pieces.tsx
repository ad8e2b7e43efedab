/** Small pieces that several screens share: status, times, reach, the queue's strip. */

import { sync } from '../core/app'
import { go } from '../core/route'
import { latePhotos, live, newVersion, now, reach, refusedCommands, sending, today, waitingCommands } from '../core/state'
import type { Priority, TicketCard, Window_ } from '../core/wire'
import { clockTime, dayName, dayTime, label, t, timeSpan } from '../core/words'
import { Icon } from './icons'

export function StatusPill({ ticket }: { ticket: TicketCard }) {
  const unseen = ticket.status === 'assigned' && !ticket.acknowledged
  return <span class={`pill s-${ticket.status}`}>{label('status', unseen ? 'assigned_unseen' : ticket.status)}</span>
}

/** Only what is out of the ordinary is said. */
export function PriorityMark({ priority }: { priority: Priority }) {
  if (priority !== 'high' && priority !== 'urgent') return null
  return <span class={`pill p-${priority}`}>{label('priority', priority)}</span>
}

export function WindowLine({ window, big = false }: { window: Window_ | null; big?: boolean }) {
  if (!window) return <span class={big ? 'when big none' : 'when none'}>{t('no_window')}</span>
  const day = dayName(window.start)
  return (
    <span class={big ? 'when big' : 'when'}>
      {day !== t('day_today') && <small>{day} </small>}
      {timeSpan(window.start, window.end)}
    </span>
  )
}

export function DueLine({ due }: { due: string | null }) {
  if (!due) return null
  const late = Date.parse(due) < now.value
  return (
    <span class={late ? 'due late' : 'due'}>
      <Icon name="clock" size={16} />
      {late ? `${t('overdue')} · ` : ''}
      {t('due_at', { time: dayTime(due) })}
    </span>
  )
}

/** The truth about the connection, always in sight. */
export function ReachChip() {
  const how = reach.value === 'online' ? (live.value ? 'live' : 'polling') : reach.value
  return (
    <span class={`reach r-${how}`} role="status">
      <i />
      {t(`reach_${how}`)}
    </span>
  )
}

/** What is not as it should be, most pressing first: refusals, no reception, things unsent, a new version. */
export function Strips() {
  const waiting = waitingCommands.value.length
  const refused = refusedCommands.value.length
  const late = latePhotos.value.length
  const off = reach.value === 'offline' || reach.value === 'unreachable'
  const asOf = today.value ? clockTime(today.value.now) : '–'
  return (
    <div class="strips">
      {off && today.value && (
        <p class="strip grey">{t(reach.value === 'offline' ? 'offline_banner' : 'unreachable_banner', { time: asOf })}</p>
      )}
      {refused > 0 && (
        <button type="button" class="strip red" onClick={() => go('queue')}>
          <Icon name="alert" size={20} />
          <span>{t('queue_refused', { n: refused })}</span>
          <Icon name="next" size={18} />
        </button>
      )}
      {waiting > 0 && (
        <button type="button" class="strip amber" onClick={() => (off ? go('queue') : (void sync(), go('queue')))}>
          <Icon name="up" size={20} />
          <span>{t(sending.value && !off ? 'queue_sending' : 'queue_waiting', { n: waiting })}</span>
          <Icon name="next" size={18} />
        </button>
      )}
      {late > 0 && (
        <button type="button" class="strip grey" onClick={() => go('queue')}>
          <Icon name="camera" size={20} />
          <span>{t('photos_late', { n: late })}</span>
          <Icon name="next" size={18} />
        </button>
      )}
      {newVersion.value && (
        <button type="button" class="strip blue" onClick={newVersion.value}>
          <Icon name="refresh" size={20} />
          <span>{t('new_version')}</span>
          <b>{t('reload')}</b>
        </button>
      )}
    </div>
  )
}
