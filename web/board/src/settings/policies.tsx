import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { readAdmin, type Admin } from '../admin/admin_api'
import { Choice, FormDialog, TextField, textOf, textOrNull, territoryOptions } from '../admin/forms'
import { uuid7 } from '../api'
import { workTypeOptions } from '../state'
import { label, own, t, type Key } from '../words'
import { AddButton, change, Part, RowButton, Table, useLoaded, usePaged } from './parts'
import { dropPolicy, putPolicy, readPolicies, type MatchPolicy, type Mode } from './settings_api'

const MODES: readonly Mode[] = ['direct', 'offer', 'offer_many', 'pool', 'contractor', 'manual']

/** The numbers a policy may set, by what they are about; `modes` absent: for every mode. Limits as the server's. */
const NUMBERS: readonly { group: Key; modes?: readonly Mode[]; names: readonly (readonly [name: string, least: number, most: number])[] }[] = [
  { group: 'numbers_offer', modes: ['offer', 'offer_many'], names: [['offer_s', 10, 86_400], ['offer_rounds', 1, 20], ['offers_at_once', 1, 20]] },
  { group: 'numbers_pool', modes: ['pool'], names: [['pool_min', 1, 10_080], ['ring_m', 100, 1_000_000], ['ring_min', 1, 1_440], ['collect_s', 0, 86_400], ['most_grabs', 0, 100], ['risk_min', 0, 10_080]] },
  { group: 'numbers_contractor', modes: ['contractor'], names: [['offer_s', 10, 86_400], ['name_engineer_min', 1, 10_080]] },
  { group: 'numbers_limits', names: [['max_travel_min', 5, 1_440], ['batch_min', 0, 240], ['acknowledge_min', 1, 1_440], ['match_again_min', 1, 1_440]] },
  { group: 'numbers_weights', names: ['travel_min', 'late_min', 'workload', 'overqualified', 'preferred', 'cost'].map((one) => [`weight_${one}`, 0, 1_000] as const) },
]

/** How tickets find engineers, by work type and territory. */
export function Policies(): JSX.Element {
  const { value: admin, waiting: adminWaiting } = useLoaded(readAdmin)
  const { rows: policies, next, reload, waiting } = usePaged(readPolicies)
  const [open, setOpen] = useState<MatchPolicy | 'new' | null>(null)
  if (waiting || adminWaiting || !admin || !policies) return (waiting ?? adminWaiting)!
  const workType = (code: string | null) => own(admin.work_types.find((one) => one.code === code)?.name ?? { zh: t('rules_any'), en: t('rules_any') })
  const territory = (id: string | null) => own(admin.territories.find((one) => one.territory_id === id)?.name ?? { zh: t('rules_any'), en: t('rules_any') })
  const contractor = (id: string | null) => admin.contractors.find((one) => one.contractor_id === id)
  return (
    <Part title="match_policies" lead="match_policies_order" action={<AddButton label="match_policy_add" onClick={() => setOpen('new')} />}>
      <Table
        name="match_policies"
        rows={policies}
        next={next}
        id={(one) => one.policy_id}
        empty="match_policies_none"
        hint="match_policies_none_hint"
        columns={[
          { name: 'policy_work_type', cell: (one) => <strong>{workType(one.work_type)}</strong> },
          { name: 'admin_territory', cell: (one) => territory(one.territory_id) },
          { name: 'admin_mode', cell: (one) => <>{label('mode', one.mode)}{one.contractor_id && ` · ${own(contractor(one.contractor_id)?.name ?? { zh: '–', en: '–' })}`}</> },
          { name: 'match_numbers', cell: (one) => <Numbers settings={one.settings} /> },
        ]}
        does={(one) => (
          <>
            <RowButton label="edit" about={workType(one.work_type)} onClick={() => setOpen(one)} />
            <RowButton label="remove" about={workType(one.work_type)} onClick={() => void change(() => dropPolicy(one.policy_id), reload)} />
          </>
        )}
      />
      {open && <PolicyForm admin={admin} policy={open === 'new' ? null : open} reload={reload} onClose={() => setOpen(null)} />}
    </Part>
  )
}

function Numbers({ settings }: { settings: Record<string, number> }): JSX.Element {
  const entries = Object.entries(settings)
  if (!entries.length) return <span class="faint">{t('match_numbers_company')}</span>
  return <ul class="numbers">{entries.map(([name, value]) => <li key={name}>{label('setting', name)} <b>{value}</b></li>)}</ul>
}

function PolicyForm({ admin, policy, reload, onClose }: { admin: Admin; policy: MatchPolicy | null; reload: () => Promise<void>; onClose: () => void }): JSX.Element {
  const [mode, setMode] = useState<Mode>(policy?.mode ?? 'offer')
  const groups = NUMBERS.filter((one) => !one.modes || one.modes.includes(mode))
  async function save(form: FormData): Promise<void> {
    const names = groups.flatMap((group) => group.names.map(([name]) => name))
    const settings = Object.fromEntries(names.filter((name) => textOf(form, name)).map((name) => [name, Number(textOf(form, name))]))
    await putPolicy(policy?.policy_id ?? uuid7(), {
      mode, work_type: textOrNull(form, 'work_type'), territory_id: textOrNull(form, 'territory_id'),
      contractor_id: mode === 'contractor' ? textOrNull(form, 'contractor_id') : null, settings,
    })
    await reload()
  }
  const workTypes: [string, string][] = [['', t('rules_any')], ...workTypeOptions(policy?.work_type ?? '')]
  const contractors = admin.contractors.map((one): [string, string] => [one.contractor_id, own(one.name)])
  return (
    <FormDialog title={policy ? 'match_policy_edit' : 'match_policy_add'} save={save} onClose={onClose}>
      <div class="pair">
        <Choice name="work_type" label="policy_work_type" options={workTypes} value={policy?.work_type ?? ''} />
        <Choice name="territory_id" label="admin_territory" options={territoryOptions(admin)} value={policy?.territory_id ?? ''} />
      </div>
      <Choice name="mode" label="admin_mode" options={MODES.map((one) => [one, label('mode', one)])} value={mode} onChange={(chosen) => setMode(chosen as Mode)} />
      <p class="hint">{t(`mode_${mode}_means`)}</p>
      {mode === 'contractor' && (contractors.length
        ? <Choice name="contractor_id" label="admin_contractor" options={contractors} value={policy?.contractor_id ?? contractors[0]![0]} />
        : <p class="note" data-tone="warn">{t('contractors_none')}</p>)}
      <p class="hint">{t('match_numbers_hint')}</p>
      {groups.map(({ group, names }) => (
        <details key={group} class="numbers-group" open={names.some(([name]) => policy?.settings[name] !== undefined)}>
          <summary>{t(group)}</summary>
          <div class="pair">
            {names.map(([name, least, most]) => (
              <TextField
                key={name} name={name} label={`setting_${name}` as Key} type="number" required={false} least={least} most={most} step={name.startsWith('weight') ? 'any' : 1}
                value={policy?.settings[name] === undefined ? '' : String(policy.settings[name])} placeholder={t('match_numbers_company')}
              />
            ))}
          </div>
        </details>
      ))}
    </FormDialog>
  )
}
