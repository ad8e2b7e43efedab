import type { JSX } from 'preact'
import { label, t } from '../words'
import { DROP, ENGINEER_BOX, ENGINEER_SHAPES, engineerToken, ENGINEER_STATUSES, OFF_DASH, TICKET_BOX, TICKET_GLYPHS, TICKET_STATUSES } from './icons'

const boxOf = ({ width, height }: { width: number; height: number }): string => `0 0 ${width} ${height}`

function TicketSign({ status }: { status: (typeof TICKET_STATUSES)[number] }): JSX.Element {
  return (
    <svg class="sign" viewBox={boxOf(TICKET_BOX)} aria-hidden="true">
      <path d={DROP} fill={`var(--status-${status})`} />
      <path d={TICKET_GLYPHS[status]} fill="var(--surface)" />
    </svg>
  )
}

function EngineerSign({ status }: { status: (typeof ENGINEER_STATUSES)[number] }): JSX.Element {
  const { outline, hollow } = ENGINEER_SHAPES[status]
  const tint = `var(${engineerToken(status)})`
  return (
    <svg class="sign" viewBox={boxOf(ENGINEER_BOX)} aria-hidden="true">
      <path
        d={outline} fill={hollow ? 'none' : tint} stroke={hollow ? tint : 'none'} stroke-width="4"
        stroke-dasharray={status === 'off' ? OFF_DASH.join(' ') : undefined}
      />
    </svg>
  )
}

export function Legend(): JSX.Element {
  return (
    <details class="legend">
      <summary>{t('map_legend')}</summary>
      <div>
        <ul>
          <li><b>{t('legend_tickets')}</b></li>
          {TICKET_STATUSES.map((status) => (
            <li key={status}><TicketSign status={status} />{label('status', status)}</li>
          ))}
        </ul>
        <ul>
          <li><b>{t('legend_engineers')}</b></li>
          {ENGINEER_STATUSES.map((status) => (
            <li key={status}><EngineerSign status={status} />{label('engineer_status', status)}</li>
          ))}
          <li class="faint">{t('legend_stale')}</li>
        </ul>
      </div>
    </details>
  )
}
