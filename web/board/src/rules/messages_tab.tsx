import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { dayTime } from '../../../shared/formats'
import { Empty } from '../parts/basics'
import { ticketHash } from '../route'
import { now, zoneOf } from '../state'
import { label, language, t } from '../words'
import { minuteText } from './hours'
import { Targets } from '../settings/targets'
import { change, useLoaded } from './loading'
import { putChannel, putTellRules, readMessages, readTellSettings, type MessageLine, type TellSettings } from './rules_api'

function FormEnd({ onCancel }: { onCancel: () => void }): JSX.Element {
  return (
    <div class="form-end">
      <button type="button" class="button quiet" onClick={onCancel}>{t('cancel_form')}</button>
      <button type="submit" class="button primary">{t('rules_save')}</button>
    </div>
  )
}

export function MessagesTab(): JSX.Element {
  const { value, reload, waiting } = useLoaded(readTellSettings)
  if (!value) return waiting!
  return (
    <>
      <div class="rules-two">
        <section>
          <h2>{t('channels')}</h2>
          <ul class="rules-list">
            {Object.keys(value.needs).map((name) => <ChannelRow key={name} name={name} settings={value} reload={reload} />)}
          </ul>
          <p class="rules-note">{t('channel_callback')}: <code>{value.wecom_callback}</code></p>
        </section>
        <section>
          <h2>{t('quiet_hours')}</h2>
          <QuietForm settings={value} reload={reload} />
        </section>
      </div>
      <Targets settings={value} reload={reload} />
      <MessageLog />
    </>
  )
}

type Part = { settings: TellSettings; reload: () => Promise<void> }

function ChannelRow({ name, settings, reload }: { name: string } & Part): JSX.Element {
  const [open, setOpen] = useState(false)
  const kept = settings.channels.find((one) => one.channel === name)
  async function save(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const values = Object.fromEntries([...new FormData(event.currentTarget as HTMLFormElement)].map(([key, value]) => [key, String(value).trim()]))
    if (await change(() => putChannel(name, true, values), reload)) setOpen(false)
  }
  return (
    <li data-off={!kept?.active}>
      <div class="rules-what">
        <strong>{label('channel', name)}</strong>
        <small>{t(kept?.active ? 'channel_on' : 'channel_off')}{kept && ` · ${t('channel_kept')}`}</small>
      </div>
      <div class="rules-does">
        {kept && (
          <button type="button" class="button small" onClick={() => void change(() => putChannel(name, !kept.active, {}), reload)}>
            {t(kept.active ? 'channel_disable' : 'channel_enable')}
          </button>
        )}
        {!open && <button type="button" class="button small" onClick={() => setOpen(true)}>{t('rules_add')}</button>}
      </div>
      {open && (
        <form class="rules-form inside" onSubmit={(event) => void save(event)}>
          {settings.needs[name]!.map((key) => (
            <label key={key}>{label('key', key)}<input name={key} required maxLength={500} type="password" autocomplete="off" /></label>
          ))}
          <FormEnd onCancel={() => setOpen(false)} />
        </form>
      )}
    </li>
  )
}

const toMinute = (text: string): number | null => (text ? Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5)) : null)

function QuietForm({ settings, reload }: Part): JSX.Element {
  const { rules } = settings
  function save(event: SubmitEvent): void {
    event.preventDefault()
    const data = new FormData(event.currentTarget as HTMLFormElement)
    void change(
      () => putTellRules({
        quiet_from_min: toMinute(String(data.get('from'))),
        quiet_to_min: toMinute(String(data.get('to'))),
        debounce_s: Number(data.get('debounce')),
        ladder_backup: data.get('backup') !== null,
      }),
      reload,
    )
  }
  const text = (minute: number | null): string => (minute === null ? '' : minuteText(minute))
  return (
    <form class="rules-form" onSubmit={save}>
      <label>{t('quiet_from')}<input type="time" name="from" defaultValue={text(rules.quiet_from_min)} /></label>
      <label>{t('quiet_to')}<input type="time" name="to" defaultValue={text(rules.quiet_to_min)} /></label>
      <label>{t('quiet_debounce')}<input type="number" name="debounce" min={0} max={600} defaultValue={String(rules.debounce_s)} /></label>
      <label class="rules-check"><input type="checkbox" name="backup" defaultChecked={rules.ladder_backup} /> {t('quiet_backup')}</label>
      <p class="rules-note">{t('quiet_hint')}</p>
      <div class="form-end"><button type="submit" class="button primary">{t('rules_save')}</button></div>
    </form>
  )
}

function MessageLog(): JSX.Element {
  const { value, waiting } = useLoaded(() => readMessages(null))
  const [more, setMore] = useState<{ lines: MessageLine[]; next: string | null } | null>(null)
  if (!value) return waiting!
  const lines = [...value.messages, ...(more?.lines ?? [])]
  const next = more ? more.next : value.next_page
  async function loadMore(): Promise<void> {
    const read = await readMessages(next)
    setMore({ lines: [...(more?.lines ?? []), ...read.messages], next: read.next_page })
  }
  return (
    <section>
      <h2>{t('message_log')}</h2>
      {!lines.length && <Empty title={t('message_log_none')} />}
      <ul class="rules-log">
        {lines.map((one) => (
          <li key={one.message_id} data-status={one.status}>
            <time>{dayTime(one.made_at, zoneOf(null), now.value, language.value)}</time>
            <span>{one.ticket_id ? <a href={ticketHash(one.ticket_id)}>{one.ticket_no}</a> : '–'} {label('template', one.template)}</span>
            <span>{label('person', one.person_kind)}{one.person_name && ` ${one.person_name}`} · {label('channel', one.channel)}</span>
            <span class="tag" data-tone={one.status === 'refused' || one.status === 'gone' ? 'warn' : undefined}>{label('sent', one.status)}</span>
            <small>{one.code ?? ''}</small>
          </li>
        ))}
      </ul>
      {next && <button type="button" class="button" onClick={() => void loadMore()}>{t('load_more')}</button>}
    </section>
  )
}
