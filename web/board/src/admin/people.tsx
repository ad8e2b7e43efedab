import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { Dialog, Empty } from '../parts/basics'
import { MoreButton, usePaged } from '../settings/parts'
import { api, complain } from '../state'
import { language, own, t, type Key } from '../words'
import { proven, readDispatchers, readEngineers, send, type Admin, type Device, type DispatcherLine, type EngineerLine } from './admin_api'
import { EraseDialog } from './erase'
import { Choice, FormDialog, languages, levelsOf, SkillLevels, spansOf, territoryOptions, TextField, textOf, textOrNull } from './forms'

export type Reload = () => Promise<void>
export interface TabProps {
  admin: Admin
  reload: Reload
}

const shortDay = (at: string): string => new Intl.DateTimeFormat(language.value === 'zh' ? 'zh-CN' : 'en-GB', { dateStyle: 'medium' }).format(new Date(at))
const dayAndTime = (at: string): string =>
  new Intl.DateTimeFormat(language.value === 'zh' ? 'zh-CN' : 'en-GB', { dateStyle: 'short', timeStyle: 'short' }).format(new Date(at))
const isoDay = (plusDays: number): string => new Date(Date.now() + plusDays * 86_400_000).toISOString().slice(0, 10)

const SETTLE_MS = 250

/** What was typed, once nothing more is typed. */
function useSettled(text: string): string {
  const [settled, settle] = useState(text)
  useEffect(() => {
    const timer = setTimeout(() => settle(text), SETTLE_MS)
    return () => clearTimeout(timer)
  }, [text])
  return settled
}

type Open = { form: 'add' } | { form: 'password' | 'shifts' | 'devices' | 'erase'; who: EngineerLine } | null

export function EngineersTab({ admin }: TabProps): JSX.Element {
  const [open, setOpen] = useState<Open>(null)
  const close = () => setOpen(null)
  const [wanted, setWanted] = useState('')
  const asked = useSettled(wanted.trim())
  const { rows, next, reload, waiting } = usePaged((page) => readEngineers(asked, page), asked)
  const territory = (id: string | null) => admin.territories.find((one) => one.territory_id === id)
  const contractor = (id: string | null) => admin.contractors.find((one) => one.contractor_id === id)
  const skill = (code: string) => own(admin.skills.find((one) => one.code === code)?.name ?? { zh: code, en: code })
  return (
    <section class="admin-section">
      <div class="admin-tools">
        <input
          class="admin-search" type="search" aria-label={t('admin_find')} placeholder={t('admin_find')}
          value={wanted} onInput={(event) => setWanted(event.currentTarget.value)}
        />
        <button type="button" class="button primary" onClick={() => setOpen({ form: 'add' })}>{t('admin_add_engineer')}</button>
      </div>
      {waiting}
      {rows?.length === 0 && <Empty title={wanted ? t('queue_empty_search', { q: wanted }) : t('admin_none')} />}
      <ul class="admin-list">
        {(rows ?? []).map((one) => (
          <li key={one.engineer_id} data-off={!one.active}>
            <div class="admin-who">
              <strong>{one.name}</strong>
              <small>
                {[
                  one.signin_id, territory(one.territory_id) && own(territory(one.territory_id)!.name),
                  contractor(one.contractor_id) && own(contractor(one.contractor_id)!.name),
                ].filter(Boolean).join(' · ')}
              </small>
              <small>{Object.entries(one.skills).map(([code, level]) => `${skill(code)} ${level}`).join(' · ')}</small>
            </div>
            <small class="admin-facts">
              {!one.active && <b class="tag">{t('admin_not_active')}</b>}
              {!one.consents && <span class="tag">{t('admin_no_consent')}</span>}
              {!one.has_phone && <span class="tag">{t('admin_no_phone')}</span>}
              <span>{one.shifts_until ? `${t('admin_shifts_until')} ${shortDay(one.shifts_until)}` : t('admin_shifts_none')}</span>
            </small>
            <div class="admin-does">
              <button type="button" class="button small" onClick={() => setOpen({ form: 'shifts', who: one })}>{t('admin_add_shifts')}</button>
              <button type="button" class="button small" onClick={() => setOpen({ form: 'devices', who: one })}>{t('admin_devices')} {one.devices}</button>
              <button type="button" class="button small" onClick={() => setOpen({ form: 'password', who: one })}>{t('admin_reset')}</button>
              <Switch path={`/admin/engineers/${one.engineer_id}/active`} active={one.active} reload={reload} />
              {!one.active && <button type="button" class="button small danger" onClick={() => setOpen({ form: 'erase', who: one })}>{t('erase')}</button>}
            </div>
          </li>
        ))}
      </ul>
      <MoreButton next={next} />
      {open?.form === 'add' && <AddEngineer admin={admin} reload={reload} onClose={close} />}
      {open?.form === 'password' && <Password path={`/admin/engineers/${open.who.engineer_id}/password`} reload={reload} onClose={close} />}
      {open?.form === 'shifts' && <Shifts who={open.who} reload={reload} onClose={close} />}
      {open?.form === 'erase' && <EraseDialog hint="erase_engineer_hint" about={open.who.name} erase={() => send('POST', `/admin/engineers/${open.who.engineer_id}/erase`).then(reload)} onClose={close} />}
      {open?.form === 'devices' && <Devices who={open.who} reload={reload} onClose={close} />}
    </section>
  )
}

function Switch({ path, active, reload }: { path: string; active: boolean; reload: Reload }): JSX.Element {
  const turn = () => send('PUT', path, { active: !active }).then(reload, complain)
  return <button type="button" class="button small" onClick={() => void turn()}>{t(active ? 'admin_deactivate' : 'admin_activate')}</button>
}

function AddEngineer({ admin, reload, onClose }: TabProps & { onClose: () => void }): JSX.Element {
  const save = async (form: FormData) => {
    await send('POST', '/admin/engineers', {
      name: textOf(form, 'name'), signin_id: textOf(form, 'signin_id'), password: String(form.get('password')), phone: textOrNull(form, 'phone'),
      language: textOf(form, 'language'), territory_id: textOrNull(form, 'territory_id'), contractor_id: textOrNull(form, 'contractor_id'),
      skills: levelsOf(form),
    })
    await reload()
  }
  return (
    <FormDialog title="admin_add_engineer" save={save} onClose={onClose}>
      <TextField name="name" label="admin_name" />
      <TextField name="signin_id" label="admin_signin_id" />
      <TextField name="password" label="admin_password_first" type="password" minLength={10} />
      <TextField name="phone" label="admin_phone" type="tel" required={false} />
      <Choice name="language" label="admin_language" options={languages()} />
      <Choice name="territory_id" label="admin_territory" options={territoryOptions(admin)} />
      {admin.contractors.length > 0 && <ContractorChoice admin={admin} none="admin_own_staff" />}
      <SkillLevels admin={admin} />
    </FormDialog>
  )
}

function ContractorChoice({ admin, none }: { admin: Admin; none: Key }): JSX.Element {
  const options = admin.contractors.map((one): [string, string] => [one.contractor_id, own(one.name)])
  return <Choice name="contractor_id" label="admin_contractor" options={[['', t(none)], ...options]} />
}

function Password({ path, reload, onClose }: { path: string; reload: Reload; onClose: () => void }): JSX.Element {
  const save = (form: FormData) => send('PUT', path, { password: String(form.get('password')) }).then(reload)
  return (
    <FormDialog title="admin_reset" hint="admin_reset_hint" save={save} onClose={onClose}>
      <TextField name="password" label="admin_password_new" type="password" minLength={10} />
    </FormDialog>
  )
}

function Shifts({ who, reload, onClose }: { who: EngineerLine; reload: Reload; onClose: () => void }): JSX.Element {
  const save = (form: FormData) => send('POST', `/engineers/${who.engineer_id}/shifts`, { spans: spansOf(form) }).then(reload)
  return (
    <FormDialog title="admin_add_shifts" save={save} onClose={onClose}>
      <TextField name="from" label="admin_from_day" type="date" value={isoDay(0)} />
      <TextField name="to" label="admin_to_day" type="date" value={isoDay(13)} />
      <TextField name="start" label="admin_start" type="time" value="08:30" />
      <TextField name="end" label="admin_end" type="time" value="17:30" />
      <label class="check">
        <input type="checkbox" name="weekends" />
        {t('admin_weekends')}
      </label>
    </FormDialog>
  )
}

function Devices({ who, reload, onClose }: { who: EngineerLine; reload: Reload; onClose: () => void }): JSX.Element {
  const [devices, setDevices] = useState<Device[] | null>(null)
  const path = `/admin/engineers/${who.engineer_id}/devices`
  const read = () => api.ask<{ devices: Device[] }>('GET', path).then((found) => setDevices(found.devices), complain)
  useEffect(() => void read(), [])
  const end = (device: Device) => proven(() => api.ask('POST', `${path}/${device.device_id}/revoke`)).then(() => Promise.all([read(), reload()]), complain)
  return (
    <Dialog name={t('admin_devices')} class="dialog" onClose={onClose}>
      <div class="admin-form">
        <h2>{t('admin_devices')} · {who.name}</h2>
        {devices?.length === 0 && <p>{t('admin_devices_none')}</p>}
        <ul class="admin-list">
          {devices?.map((device) => (
            <li key={device.device_id}>
              <div class="admin-who">
                <strong>{device.device || '–'}</strong>
                <small>{t('admin_device_seen', { time: dayAndTime(device.seen_at) })}</small>
              </div>
              <button type="button" class="button small" onClick={() => void end(device)}>{t('admin_device_end')}</button>
            </li>
          ))}
        </ul>
        <button type="button" class="button" onClick={onClose}>{t('close')}</button>
      </div>
    </Dialog>
  )
}

type OpenDispatcher = { form: 'add' } | { form: 'password' | 'territories'; who: DispatcherLine } | null

export function DispatchersTab({ admin }: TabProps): JSX.Element {
  const [open, setOpen] = useState<OpenDispatcher>(null)
  const close = () => setOpen(null)
  const { rows, next, reload, waiting } = usePaged(readDispatchers)
  const names = (ids: string[]) => admin.territories.filter((one) => ids.includes(one.territory_id)).map((one) => own(one.name)).join(' · ')
  return (
    <section class="admin-section">
      <button type="button" class="button primary" onClick={() => setOpen({ form: 'add' })}>{t('admin_add_dispatcher')}</button>
      <ul class="admin-list">
        {(rows ?? []).map((one) => (
          <li key={one.dispatcher_id} data-off={!one.active}>
            <div class="admin-who">
              <strong>{one.name}</strong>
              <small>{one.signin_id} · {t(`admin_role_${one.role}`)}{names(one.territory_ids) && ` · ${names(one.territory_ids)}`}</small>
            </div>
            <small class="admin-facts">
              {!one.active && <b class="tag">{t('admin_not_active')}</b>}
              {one.totp && <span class="tag">{t('admin_totp_on')}</span>}
            </small>
            <div class="admin-does">
              {one.role === 'dispatcher' && <button type="button" class="button small" onClick={() => setOpen({ form: 'territories', who: one })}>{t('admin_territory')}</button>}
              <button type="button" class="button small" onClick={() => setOpen({ form: 'password', who: one })}>{t('admin_reset')}</button>
              <Switch path={`/admin/dispatchers/${one.dispatcher_id}/active`} active={one.active} reload={reload} />
            </div>
          </li>
        ))}
      </ul>
      {waiting}
      <MoreButton next={next} />
      {open?.form === 'add' && <AddDispatcher admin={admin} reload={reload} onClose={close} />}
      {open?.form === 'password' && <Password path={`/admin/dispatchers/${open.who.dispatcher_id}/password`} reload={reload} onClose={close} />}
      {open?.form === 'territories' && (
        <FormDialog
          title="admin_territory" onClose={close}
          save={(form) => send('PUT', `/admin/dispatchers/${open.who.dispatcher_id}/territories`, { territory_ids: form.getAll('territory_ids') }).then(reload)}
        >
          <TerritoryChecks admin={admin} chosen={open.who.territory_ids} />
        </FormDialog>
      )}
    </section>
  )
}

function TerritoryChecks({ admin, chosen }: { admin: Admin; chosen: string[] }): JSX.Element {
  return (
    <fieldset class="checks">
      <legend>{t('admin_territories')}</legend>
      {admin.territories.map((one) => (
        <label key={one.territory_id} class="check">
          <input type="checkbox" name="territory_ids" value={one.territory_id} defaultChecked={chosen.includes(one.territory_id)} />
          {own(one.name)}
        </label>
      ))}
    </fieldset>
  )
}

function AddDispatcher({ admin, reload, onClose }: TabProps & { onClose: () => void }): JSX.Element {
  const save = async (form: FormData) => {
    await send('POST', '/admin/dispatchers', {
      name: textOf(form, 'name'), signin_id: textOf(form, 'signin_id'), password: String(form.get('password')), role: textOf(form, 'role'),
      language: textOf(form, 'language'), contractor_id: textOrNull(form, 'contractor_id'), territory_ids: form.getAll('territory_ids'),
    })
    await reload()
  }
  const roles = (['dispatcher', 'admin', 'contractor'] as const).map((role): [string, string] => [role, t(`admin_role_${role}`)])
  return (
    <FormDialog title="admin_add_dispatcher" save={save} onClose={onClose}>
      <TextField name="name" label="admin_name" />
      <TextField name="signin_id" label="admin_signin_id" />
      <TextField name="password" label="admin_password_first" type="password" minLength={10} />
      <Choice name="role" label="admin_role" options={roles} />
      <Choice name="language" label="admin_language" options={languages()} />
      {admin.contractors.length > 0 && <ContractorChoice admin={admin} none="admin_own_staff" />}
      <TerritoryChecks admin={admin} chosen={[]} />
    </FormDialog>
  )
}
