import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { BothNames, bothOf, FormDialog, Labelled, TextField, textOf } from '../admin/forms'
import { Refused, uuid7 } from '../api'
import { Empty } from '../parts/basics'
import { AddButton, change, Part, RowButton } from '../settings/parts'
import { now, zoneOf } from '../state'
import { language, own, t } from '../words'
import { hoursText, minuteText, parseHours, type Span } from './hours'
import { fillChina, putCalendar, type CalendarLine } from './rules_api'

type Rules = CalendarLine['rules']
const SHOWN_DAYS = 30

function dayNames(): string[] {
  const format = new Intl.DateTimeFormat(language.value === 'zh' ? 'zh-CN' : 'en-GB', { weekday: 'short', timeZone: 'UTC' })
  return [...Array(7).keys()].map((n) => format.format(Date.UTC(2026, 10, 23 + n)))
}

/** Hours as the form writes them; empty is closed. Throws what the form shows beside the field. */
function hoursOf(form: FormData, name: string): Span[] {
  const text = textOf(form, name)
  const hours = text ? parseHours(text) : []
  if (!hours) throw new Refused('request_invalid', 422, { fields: [{ field: name, why: 'string_pattern_mismatch' }] })
  return hours
}

const typed = (spans: readonly Span[]): string => spans.map(([from, to]) => `${minuteText(from)}-${minuteText(to)}`).join(' ')

type Open = { form: 'week'; calendar: CalendarLine | null } | { form: 'day'; calendar: CalendarLine } | null

/** Business calendars: hours by weekday, and the days that differ. */
export function Calendars({ calendars, reload }: { calendars: CalendarLine[]; reload: () => Promise<void> }): JSX.Element {
  const [open, setOpen] = useState<Open>(null)
  const close = (): void => setOpen(null)
  return (
    <Part title="calendars" lead="calendars_lead" action={<AddButton label="calendar_add" onClick={() => setOpen({ form: 'week', calendar: null })} />}>
      {!calendars.length && <Empty title={t('calendars_none')} hint={t('calendars_none_hint')} />}
      <ul class="rules-list">
        {calendars.map((calendar) => (
          <Row key={calendar.calendar_id} calendar={calendar} reload={reload} week={() => setOpen({ form: 'week', calendar })} day={() => setOpen({ form: 'day', calendar })} />
        ))}
      </ul>
      {open?.form === 'week' && <WeekForm calendar={open.calendar} reload={reload} onClose={close} />}
      {open?.form === 'day' && <DayForm calendar={open.calendar} reload={reload} onClose={close} />}
    </Part>
  )
}

const keep = (calendar: CalendarLine, rules: Partial<Rules>): Promise<void> => putCalendar(calendar.calendar_id, { name: calendar.name, rules: { ...calendar.rules, ...rules } })

function Row({ calendar, reload, week, day }: { calendar: CalendarLine; reload: () => Promise<void>; week: () => void; day: () => void }): JSX.Element {
  const { rules } = calendar
  const year = new Date(now.value).getUTCFullYear()
  const known = rules.known_until
  const wanted = [year, year + 1].find((one) => !known || known < `${one}-12-31`)
  const names = dayNames()
  const today = new Date(now.value).toISOString().slice(0, 10)
  const ahead = Object.entries(rules.days).filter(([at]) => at >= today).sort().slice(0, SHOWN_DAYS)
  async function without(at: string): Promise<void> {
    const { [at]: _, ...days } = rules.days
    await keep(calendar, { days })
  }
  return (
    <li>
      <div class="rules-what">
        <strong>{own(calendar.name)}</strong>
        <small>{rules.zone} · {known ? t('calendar_known', { day: known }) : t('calendar_unknown')} · {t('calendar_exceptions', { n: Object.keys(rules.days).length })}</small>
      </div>
      <div class="rules-does">
        <RowButton label="edit" about={own(calendar.name)} onClick={week} />
        <RowButton label="calendar_day_add" about={own(calendar.name)} onClick={day} />
        {wanted && (
          <button type="button" class="button small" onClick={() => void change(() => fillChina(calendar.calendar_id, wanted), reload)}>{t('calendar_china', { year: wanted })}</button>
        )}
      </div>
      <ul class="rules-week">
        {rules.week.map((spans, n) => <li key={n} data-off={!spans.length}><b>{names[n]}</b> {hoursText(spans) || t('calendar_day_closed')}</li>)}
      </ul>
      {ahead.length > 0 && (
        <details class="rules-ahead">
          <summary>{t('calendar_days_shown')} ({ahead.length})</summary>
          <ul>
            {ahead.map(([at, spans]) => (
              <li key={at}>
                <b>{at}</b> {hoursText(spans) || t('calendar_day_closed')}
                <button type="button" class="link" aria-label={`${t('remove')}: ${at}`} onClick={() => void change(() => without(at), reload)}>{t('remove')}</button>
              </li>
            ))}
          </ul>
        </details>
      )}
    </li>
  )
}

type FormProps<T> = { calendar: T; reload: () => Promise<void>; onClose: () => void }

function WeekForm({ calendar, reload, onClose }: FormProps<CalendarLine | null>): JSX.Element {
  const [zone] = useState(() => zoneOf(null))
  async function save(form: FormData): Promise<void> {
    const week = [...Array(7).keys()].map((n) => hoursOf(form, `day_${n}`))
    const days = calendar?.rules.days ?? {}
    await putCalendar(calendar?.calendar_id ?? uuid7(), {
      name: bothOf(form), rules: { zone: textOf(form, 'zone'), week, days, ...(calendar ? { known_until: calendar.rules.known_until } : {}) },
    })
    await reload()
  }
  const usual: Span[] = [[540, 720], [780, 1_080]]
  return (
    <FormDialog title={calendar ? 'calendar_edit' : 'calendar_add'} hint="calendar_hours_hint" save={save} onClose={onClose}>
      <BothNames {...(calendar ? { value: calendar.name } : {})} />
      <TextField name="zone" label="calendar_zone" value={calendar?.rules.zone ?? zone} />
      <fieldset class="checks week">
        <legend>{t('calendar_hours')}</legend>
        {dayNames().map((name, n) => <DayHours key={n} n={n} name={name} value={typed(calendar?.rules.week[n] ?? (n < 5 ? usual : []))} />)}
      </fieldset>
    </FormDialog>
  )
}

function DayHours({ n, name, value }: { n: number; name: string; value: string }): JSX.Element {
  return (
    <Labelled name={`day_${n}`} label={name}>
      {(tied) => <input {...tied} maxLength={120} defaultValue={value} placeholder={t('calendar_day_closed')} />}
    </Labelled>
  )
}

function DayForm({ calendar, reload, onClose }: FormProps<CalendarLine>): JSX.Element {
  async function save(form: FormData): Promise<void> {
    await keep(calendar, { days: { ...calendar.rules.days, [textOf(form, 'day')]: hoursOf(form, 'hours') } })
    await reload()
  }
  return (
    <FormDialog title="calendar_day_add" save={save} onClose={onClose}>
      <TextField name="day" label="calendar_day" type="date" value={new Date(now.value).toISOString().slice(0, 10)} />
      <TextField name="hours" label="calendar_day_hours" required={false} placeholder="09:00-12:00 13:00-18:00" />
    </FormDialog>
  )
}
