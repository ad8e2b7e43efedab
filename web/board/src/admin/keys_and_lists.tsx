import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { CatalogueReply } from '../wire'
import { Empty } from '../parts/basics'
import { change, MoreButton, RowButton, usePaged, usePages } from '../settings/parts'
import { complain, loadCatalogue, say } from '../state'
import { language, own, t } from '../words'
import { readKeys, send } from './admin_api'
import { Choice, FormDialog, levelsOf, SkillLevels, TextField, textOf } from './forms'
import type { TabProps } from './people'

const SCOPES = [['tickets:create', 'admin_scope_create'], ['tickets:read', 'admin_scope_read'], ['tickets:act', 'admin_scope_act']] as const

export function KeysTab(): JSX.Element {
  const [adding, setAdding] = useState(false)
  const { rows, next, reload, waiting } = usePaged(readKeys)
  const [once, setOnce] = useState('')
  const add = async (form: FormData) => {
    const day = textOf(form, 'expires')
    const made = await send<{ key: string }>('POST', '/admin/keys', {
      name: textOf(form, 'name'), scopes: form.getAll('scopes'), expires_at: day ? new Date(`${day}T23:59`).toISOString() : null,
    })
    setOnce(made.key)
    await reload()
  }
  const scope = (code: string) => t(SCOPES.find(([one]) => one === code)?.[1] ?? 'admin_scopes')
  const day = (at: string) => new Intl.DateTimeFormat(language.value === 'zh' ? 'zh-CN' : 'en-GB', { dateStyle: 'medium' }).format(new Date(at))
  return (
    <section class="admin-section">
      <button type="button" class="button primary" onClick={() => setAdding(true)}>{t('admin_add_key')}</button>
      {once && (
        <p class="note key-once" role="status">
          {t('admin_key_once')}
          <code>{once}</code>
          <button type="button" class="button small" onClick={() => void navigator.clipboard.writeText(once).then(() => say('good', t('admin_copied')), complain)}>
            {t('admin_copy')}
          </button>
        </p>
      )}
      {waiting}
      {rows?.length === 0 && <Empty title={t('admin_none')} />}
      <ul class="admin-list">
        {(rows ?? []).map((key) => (
          <li key={key.key_id} data-off={key.revoked_at !== null}>
            <div class="admin-who">
              <strong>{key.name}</strong>
              <small><code>{key.prefix}…</code> · {key.scopes.map(scope).join(' · ')}</small>
            </div>
            <small class="admin-facts">
              {key.revoked_at ? <b class="tag">{t('admin_ended')}</b> : <span>{t('admin_expires')} {key.expires_at ? day(key.expires_at) : t('admin_never')}</span>}
            </small>
            {!key.revoked_at && (
              <div class="admin-does">
                <button type="button" class="button small" onClick={() => void send('POST', `/admin/keys/${key.key_id}/revoke`).then(reload, complain)}>
                  {t('admin_revoke')}
                </button>
              </div>
            )}
          </li>
        ))}
      </ul>
      <MoreButton next={next} />
      {adding && (
        <FormDialog title="admin_add_key" save={add} onClose={() => setAdding(false)}>
          <TextField name="name" label="admin_name" />
          <fieldset class="checks">
            <legend>{t('admin_scopes')}</legend>
            {SCOPES.map(([code, name]) => (
              <label key={code} class="check">
                <input type="checkbox" name="scopes" value={code} />
                {t(name)}
              </label>
            ))}
          </fieldset>
          <TextField name="expires" label="admin_expires" type="date" required={false} />
        </FormDialog>
      )}
    </section>
  )
}

const CODE = '[a-z0-9_]{1,40}'
const names = (form: FormData) => ({ zh: textOf(form, 'zh'), en: textOf(form, 'en') })

export function ListsTab({ admin, reload }: TabProps): JSX.Element {
  const [adding, setAdding] = useState<'skill' | 'work_type' | null>(null)
  const [editing, setEditing] = useState<Listed | null>(null)
  const close = () => (setAdding(null), setEditing(null))
  // The forms elsewhere on the board choose from the same lists.
  const readAgain = () => Promise.all([reload(), loadCatalogue()]).then(() => undefined)
  const remove = (kind: Listed['kind'], code: string) => void change(() => send('DELETE', `/admin/${kind}/${code}`), readAgain)
  const retire = (kind: Listed['kind'], one: Listed['one']) => void change(() => send('PUT', `/admin/${kind}/${one.code}/retired`, { retired: !one.retired }), readAgain)
  const skills = usePages(admin.skills)
  const works = usePages(admin.work_types)
  const modes = (['offer', 'direct', 'pool', 'manual'] as const).map((mode): [string, string] => [mode, t(`admin_mode_${mode}`)])
  const addWorkType = (form: FormData) =>
    send('POST', '/admin/work_types', {
      code: textOf(form, 'code'), name: names(form), duration_min: Number(textOf(form, 'minutes')), mode: textOf(form, 'mode'), skills: levelsOf(form),
    }).then(readAgain)
  return (
    <section class="admin-section two">
      <div>
        <button type="button" class="button primary" onClick={() => setAdding('skill')}>{t('admin_add_skill')}</button>
        <ul class="admin-list">
          {skills.shown.map((skill) => (
            <ListLine key={skill.code} one={skill} fact={null} edit={() => setEditing({ kind: 'skills', one: skill })} retire={() => retire('skills', skill)} remove={() => remove('skills', skill.code)} />
          ))}
        </ul>
        {skills.more}
      </div>
      <div>
        <button type="button" class="button primary" onClick={() => setAdding('work_type')}>{t('admin_add_work_type')}</button>
        <ul class="admin-list">
          {works.shown.map((work) => (
            <ListLine key={work.code} one={work} fact={`${t('admin_minutes')} ${work.duration_min}`} edit={() => setEditing({ kind: 'work_types', one: work })} retire={() => retire('work_types', work)} remove={() => remove('work_types', work.code)} />
          ))}
        </ul>
        {works.more}
      </div>
      {adding === 'skill' && (
        <FormDialog title="admin_add_skill" onClose={close} save={(form) => send('POST', '/admin/skills', { code: textOf(form, 'code'), name: names(form) }).then(readAgain)}>
          <TextField name="zh" label="admin_name_zh" />
          <TextField name="en" label="admin_name_en" />
          <TextField name="code" label="admin_code" pattern={CODE} />
        </FormDialog>
      )}
      {editing && <ChangeListed listed={editing} readAgain={readAgain} onClose={close} />}
      {adding === 'work_type' && (
        <FormDialog title="admin_add_work_type" onClose={close} save={addWorkType}>
          <TextField name="zh" label="admin_name_zh" />
          <TextField name="en" label="admin_name_en" />
          <TextField name="code" label="admin_code" pattern={CODE} />
          <TextField name="minutes" label="admin_minutes" type="number" value="60" />
          <Choice name="mode" label="admin_mode" options={modes} />
          <SkillLevels admin={admin} />
        </FormDialog>
      )}
    </section>
  )
}

type Listed = { kind: 'skills'; one: CatalogueReply['skills'][number] } | { kind: 'work_types'; one: CatalogueReply['work_types'][number] }

function ListLine({ one, fact, edit, retire, remove }: { one: Listed['one']; fact: string | null } & Record<'edit' | 'retire' | 'remove', () => void>): JSX.Element {
  return (
    <li class="list-line" data-off={one.retired}>
      <div class="admin-who"><strong>{own(one.name)}</strong><small><code>{one.code}</code>{fact && ` · ${fact}`}</small>{one.retired && <small>{t('admin_retired')}</small>}</div>
      <div class="admin-does">
        <RowButton label="edit" about={own(one.name)} onClick={edit} />
        <RowButton label={one.retired ? 'admin_bring_back' : 'admin_retire'} about={own(one.name)} onClick={retire} />
        <RowButton label="remove" about={own(one.name)} onClick={remove} />
      </div>
    </li>
  )
}

/** Called otherwise; its code stays. */
function ChangeListed({ listed: { kind, one }, readAgain, onClose }: { listed: Listed; readAgain: () => Promise<void>; onClose: () => void }): JSX.Element {
  const save = (form: FormData) => {
    const minutes = 'duration_min' in one ? { duration_min: Number(textOf(form, 'minutes')) } : {}
    return send('PUT', `/admin/${kind}/${one.code}`, { name: names(form), ...minutes }).then(readAgain)
  }
  return (
    <FormDialog title={kind === 'skills' ? 'admin_change_skill' : 'admin_change_work_type'} save={save} onClose={onClose}>
      <TextField name="zh" label="admin_name_zh" value={one.name.zh} />
      <TextField name="en" label="admin_name_en" value={one.name.en} />
      {'duration_min' in one && <TextField name="minutes" label="admin_minutes" type="number" least={1} most={1440} value={String(one.duration_min)} />}
    </FormDialog>
  )
}
