import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { durationText } from '../../../shared/formats'
import { uuid7 } from '../api'
import { Empty } from '../parts/basics'
import { catalogue, now, say } from '../state'
import { label, language, own, t, tryText } from '../words'
import { hoursText, parseHours } from './hours'
import { change, useLoaded } from './loading'
import { fillChina, putCalendar, putPolicy, readPromiseSettings, type CalendarLine, type Policy, type PromiseSettings } from './rules_api'

const KINDS = ['response', 'arrival', 'resolution'] as const
const PRIORITIES = ['urgent', 'high', 'normal', 'low'] as const
const STEPS = [{ pct: 75, whom: 'dispatchers' }, { pct: 100, whom: 'dispatchers' }, { pct: 150, whom: 'duty_manager' }]

export function PromisesTab(): JSX.Element {
  const { value, reload, waiting } = useLoaded(readPromiseSettings)
  if (!value) return waiting!
  return (
    <div class="rules-two">
      <section>
        <h2>{t('policies')}</h2>
        {!value.policies.length && <Empty title={t('policies_none')} />}
        <ul class="rules-list">
          {value.policies.map((policy) => <PolicyRow key={policy.policy_id} policy={policy} settings={value} reload={reload} />)}
        </ul>
        <PolicyForm settings={value} reload={reload} />
      </section>
      <section>
        <h2>{t('calendars')}</h2>
        {!value.calendars.length && <Empty title={t('calendars_none')} />}
        <ul class="rules-list">
          {value.calendars.map((calendar) => <CalendarRow key={calendar.calendar_id} calendar={calendar} reload={reload} />)}
        </ul>
        <CalendarForm reload={reload} />
      </section>
    </div>
  )
}

type Reload = { reload: () => Promise<void> }

function PolicyRow({ policy, settings, reload }: { policy: Policy; settings: PromiseSettings } & Reload): JSX.Element {
  const workType = catalogue.value?.work_types.find((one) => one.code === policy.work_type)
  const calendar = settings.calendars.find((one) => one.calendar_id === policy.calendar_id)
  const what = [
    workType ? own(workType.name) : policy.work_type,
    policy.priority && label('priority', policy.priority),
  ].filter(Boolean).join(' · ') || t('rules_any')
  const { policy_id, ...rest } = policy
  return (
    <li data-off={!policy.active}>
      <div class="rules-what">
        <strong>{own(policy.name)}</strong>
        <small>{t('policy_for')}: {what} · {calendar ? own(calendar.name) : t('policy_always')}</small>
      </div>
      <div class="rules-facts">
        {KINDS.map((kind) => {
          const minutes = policy[`${kind}_min`]
          return minutes === null ? null : <span key={kind} class="tag">{t(`promise_${kind}`)} {durationText(minutes * 60_000, language.value)}</span>
        })}
        {policy.steps.map((step) => (
          <small key={`${step.pct}${step.whom}`}>{t('policy_step', { pct: step.pct, whom: label('whom', step.whom) })}</small>
        ))}
        {!policy.active && <span class="tag" data-tone="warn">{t('policy_off')}</span>}
      </div>
      <button type="button" class="button small" onClick={() => void change(() => putPolicy(policy_id, { ...rest, active: !policy.active }), reload)}>
        {t(policy.active ? 'policy_turn_off' : 'policy_turn_on')}
      </button>
    </li>
  )
}

const minutesOf = (data: FormData, name: string): number | null => (data.get(name) ? Number(data.get(name)) : null)
const textOf = (data: FormData, name: string): string | null => String(data.get(name) ?? '').trim() || null

function PolicyForm({ settings, reload }: { settings: PromiseSettings } & Reload): JSX.Element {
  const [open, setOpen] = useState(false)
  if (!open) return <button type="button" class="button" onClick={() => setOpen(true)}>{t('policy_add')}</button>
  async function save(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const data = new FormData(event.currentTarget as HTMLFormElement)
    const zh = textOf(data, 'zh') ?? ''
    const policy = {
      name: { zh, en: textOf(data, 'en') ?? zh },
      work_type: textOf(data, 'work_type'),
      priority: textOf(data, 'priority'),
      contract_id: null,
      calendar_id: textOf(data, 'calendar_id'),
      response_min: minutesOf(data, 'response'),
      arrival_min: minutesOf(data, 'arrival'),
      resolution_min: minutesOf(data, 'resolution'),
      steps: STEPS,
      active: true,
    }
    if (await change(() => putPolicy(uuid7(), policy), reload)) setOpen(false)
  }
  return (
    <form class="rules-form" onSubmit={(event) => void save(event)}>
      <label>{t('policy_name_zh')}<input name="zh" required maxLength={120} /></label>
      <label>{t('policy_name_en')}<input name="en" maxLength={120} /></label>
      <label>
        {t('policy_work_type')}
        <select name="work_type">
          <option value="">{t('rules_any')}</option>
          {catalogue.value?.work_types.map((one) => <option key={one.code} value={one.code}>{own(one.name)}</option>)}
        </select>
      </label>
      <label>
        {t('policy_priority')}
        <select name="priority">
          <option value="">{t('rules_any')}</option>
          {PRIORITIES.map((one) => <option key={one} value={one}>{label('priority', one)}</option>)}
        </select>
      </label>
      <label>
        {t('policy_calendar')}
        <select name="calendar_id">
          <option value="">{t('policy_always')}</option>
          {settings.calendars.map((one) => <option key={one.calendar_id} value={one.calendar_id}>{own(one.name)}</option>)}
        </select>
      </label>
      {KINDS.map((kind) => (
        <label key={kind}>
          {t('policy_minutes', { kind: t(`promise_${kind}`) })}
          <input name={kind} type="number" min={1} max={527_040} inputMode="numeric" />
        </label>
      ))}
      <p class="rules-note">{t('policy_steps')}: {STEPS.map((step) => t('policy_step', { pct: step.pct, whom: label('whom', step.whom) })).join(' · ')}</p>
      <FormEnd onCancel={() => setOpen(false)} />
    </form>
  )
}

export function FormEnd({ onCancel }: { onCancel: () => void }): JSX.Element {
  return (
    <div class="form-end">
      <button type="button" class="button quiet" onClick={onCancel}>{t('cancel_form')}</button>
      <button type="submit" class="button primary">{t('rules_save')}</button>
    </div>
  )
}

function dayNames(): string[] {
  const format = new Intl.DateTimeFormat(language.value === 'zh' ? 'zh-CN' : 'en-GB', { weekday: 'short', timeZone: 'UTC' })
  return [...Array(7).keys()].map((n) => format.format(Date.UTC(2026, 10, 23 + n)))
}

function CalendarRow({ calendar, reload }: { calendar: CalendarLine } & Reload): JSX.Element {
  const { rules } = calendar
  const year = new Date(now.value).getUTCFullYear()
  const known = rules.known_until
  const years = [year, year + 1].filter((one) => !known || known < `${one}-12-31`)
  const names = dayNames()
  return (
    <li>
      <div class="rules-what">
        <strong>{own(calendar.name)}</strong>
        <small>{rules.zone} · {known ? t('calendar_known', { day: known }) : t('calendar_unknown')} · {t('calendar_exceptions', { n: Object.keys(rules.days).length })}</small>
      </div>
      <ul class="rules-week">
        {rules.week.map((spans, n) => (
          <li key={n} data-off={!spans.length}><b>{names[n]}</b> {hoursText(spans) || '–'}</li>
        ))}
      </ul>
      <div class="rules-does">
        {years.slice(0, 1).map((one) => (
          <button key={one} type="button" class="button small" onClick={() => void change(() => fillChina(calendar.calendar_id, one), reload)}>
            {t('calendar_china', { year: one })}
          </button>
        ))}
      </div>
    </li>
  )
}

function CalendarForm({ reload }: Reload): JSX.Element {
  const [open, setOpen] = useState(false)
  if (!open) return <button type="button" class="button" onClick={() => setOpen(true)}>{t('calendar_add')}</button>
  async function save(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const data = new FormData(event.currentTarget as HTMLFormElement)
    const hours = parseHours(String(data.get('hours')))
    if (!hours) return say('bad', tryText('calendar_bad_hours') ?? '')
    const zh = textOf(data, 'zh') ?? ''
    const week = [...Array(7).keys()].map((n) => (data.get(`day_${n}`) ? hours : []))
    const calendar = { name: { zh, en: textOf(data, 'en') ?? zh }, rules: { zone: textOf(data, 'zone'), week } }
    if (await change(() => putCalendar(uuid7(), calendar), reload)) setOpen(false)
  }
  return (
    <form class="rules-form" onSubmit={(event) => void save(event)}>
      <label>{t('policy_name_zh')}<input name="zh" required maxLength={120} /></label>
      <label>{t('policy_name_en')}<input name="en" maxLength={120} /></label>
      <label>{t('calendar_zone')}<input name="zone" required defaultValue={catalogue.value?.territories[0]?.zone ?? 'Asia/Shanghai'} /></label>
      <label>{t('calendar_hours')}<input name="hours" required defaultValue="09:00-12:00 13:00-18:00" /></label>
      <fieldset class="rules-days">
        <legend>{t('calendar_days')}</legend>
        {dayNames().map((name, n) => (
          <label key={n}><input type="checkbox" name={`day_${n}`} defaultChecked={n < 5} /> {name}</label>
        ))}
      </fieldset>
      <FormEnd onCancel={() => setOpen(false)} />
    </form>
  )
}
