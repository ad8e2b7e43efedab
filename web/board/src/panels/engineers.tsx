import { signal } from '@preact/signals'
import type { JSX } from 'preact'
import { ageText, durationText } from '../../../shared/formats'
import { initials } from '../board_state'
import { Empty, Loading } from '../parts/basics'
import { Icon } from '../parts/icons'
import { ticketHash } from '../route'
import { board, catalogue, engineers, now } from '../state'
import type { BoardEngineer, EngineerStatus } from '../wire'
import { label, language, own, t } from '../words'

const STATUSES: readonly EngineerStatus[] = ['free', 'assigned', 'en_route', 'on_site', 'off']
export const STALE_MS = 15 * 60_000

const text = signal('')
const status = signal<EngineerStatus | null>(null)

export function skillName(code: string): string {
  const found = catalogue.value?.skills.find((skill) => skill.code === code)
  return found ? own(found.name) : code
}

function fits(engineer: BoardEngineer): boolean {
  if (status.value && engineer.status !== status.value) return false
  const wanted = text.value.trim().toLowerCase()
  return !wanted || [engineer.name, ...Object.keys(engineer.skills).map(skillName)].some((word) => word.toLowerCase().includes(wanted))
}

export function Engineers(): JSX.Element {
  if (!board.value) return <Loading />
  const all = engineers.value
  const shown = all.filter(fits).sort((a, b) => STATUSES.indexOf(a.status) - STATUSES.indexOf(b.status) || a.name.localeCompare(b.name, language.value))
  return (
    <main class="page">
      <header class="page-head">
        <h1>{t('nav_engineers')}</h1>
        <p>{t('engineers_count', { n: all.length, on: all.filter((one) => one.on_shift).length })}</p>
        {board.value.more_engineers && <p>{t('engineers_more')}</p>}
      </header>
      <div class="page-tools">
        <div class="search">
          <Icon name="search" />
          <input
            type="search"
            aria-label={t('engineer_find')}
            placeholder={t('engineer_find')}
            value={text.value}
            onInput={(event) => (text.value = event.currentTarget.value)}
          />
        </div>
        <div class="views" role="group" aria-label={t('status')}>
          <button type="button" class="view" aria-pressed={status.value === null} onClick={() => (status.value = null)}>
            {t('engineer_filter_all')} <span class="count">{all.length}</span>
          </button>
          {STATUSES.map((one) => (
            <button key={one} type="button" class="view" aria-pressed={status.value === one} onClick={() => (status.value = one)}>
              {label('engineer_status', one)} <span class="count">{all.filter((engineer) => engineer.status === one).length}</span>
            </button>
          ))}
        </div>
      </div>
      {shown.length ? (
        <ul class="engineer-list">
          {shown.map((engineer) => (
            <EngineerRow key={engineer.engineer_id} engineer={engineer} />
          ))}
        </ul>
      ) : (
        <Empty title={t('engineers_empty')} />
      )}
    </main>
  )
}

function EngineerRow({ engineer }: { engineer: BoardEngineer }): JSX.Element {
  const territory = catalogue.value?.territories.find((one) => one.territory_id === engineer.territory_id)
  return (
    <li class="engineer-row">
      <span class="face" data-engineer={engineer.status} aria-hidden="true">{initials(engineer.name)}</span>
      <div class="engineer-who">
        <strong>{engineer.name}</strong>
        {engineer.contractor && <span class="tag">{t('contractor')}</span>}
        <small>{territory ? own(territory.name) : ''}</small>
      </div>
      <div class="engineer-now">
        <span class="pill" data-engineer={engineer.status}>{label('engineer_status', engineer.status)}</span>
        {engineer.ticket_id && <a href={ticketHash(engineer.ticket_id)}>{t('current_ticket')}</a>}
        <PositionAge engineer={engineer} />
      </div>
      <Load engineer={engineer} />
      <ul class="skills" aria-label={t('skills')}>
        {Object.entries(engineer.skills).map(([code, level]) => (
          <li key={code} title={t('level', { n: level })}>{skillName(code)} <b>{level}</b></li>
        ))}
      </ul>
    </li>
  )
}

export function PositionAge({ engineer }: { engineer: Pick<BoardEngineer, 'position_at'> }): JSX.Element {
  if (!engineer.position_at) return <small class="age" data-stale="true">{t('position_none')}</small>
  const age = now.value - Date.parse(engineer.position_at)
  return (
    <small class="age" data-stale={age > STALE_MS}>
      {t('position_age', { age: ageText(age, language.value) })}
    </small>
  )
}

function Load({ engineer }: { engineer: BoardEngineer }): JSX.Element {
  const share = engineer.limit_min ? engineer.planned_min / engineer.limit_min : 0
  const duration = (minutes: number): string => durationText(minutes * 60_000, language.value)
  return (
    <div class="load" title={t('today_load')}>
      <span class="load-text">
        {t('load_of', { done: duration(engineer.planned_min), limit: duration(engineer.limit_min) })}
        <small>{t('open_tickets', { n: engineer.open_tickets })}</small>
      </span>
      <span class="load-bar" aria-hidden="true">
        <span style={{ width: `${Math.min(100, share * 100)}%` }} data-full={share > 0.9} />
      </span>
    </div>
  )
}
