import type { JSX } from 'preact'
import { label, t } from '../words'
import { ENGINEER_STATUSES, TICKET_STATUSES } from './icons'

export function Legend(): JSX.Element {
  return (
    <details class="legend">
      <summary>{t('map_legend')}</summary>
      <div>
        <ul>
          <li><b>{t('legend_tickets')}</b></li>
          {TICKET_STATUSES.map((status) => (
            <li key={status}><i data-status={status} />{label('status', status)}</li>
          ))}
        </ul>
        <ul>
          <li><b>{t('legend_engineers')}</b></li>
          {ENGINEER_STATUSES.map((status) => (
            <li key={status}><i data-engineer={status} />{label('engineer_status', status)}</li>
          ))}
          <li class="faint">{t('legend_stale')}</li>
        </ul>
      </div>
    </details>
  )
}
