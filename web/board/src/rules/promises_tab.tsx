import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { durationText } from '../../../shared/formats'
import { BothNames, bothOf, Choice, FormDialog, TextField, textOf, textOrNull } from '../admin/forms'
import { uuid7 } from '../api'
import { AddButton, change, Part, RowButton, Table, useLoaded } from '../settings/parts'
import { catalogue, workTypeOptions } from '../state'
import { label, language, own, t } from '../words'
import { Calendars } from './calendars'
import { putPolicy, readPromiseSettings, type Policy, type PromiseSettings } from './rules_api'

const KINDS = ['response', 'arrival', 'resolution'] as const
const PRIORITIES = ['urgent', 'high', 'normal', 'low'] as const
const WHOM = ['engineer', 'dispatchers', 'duty_manager'] as const
/** The escalation chain a new policy begins with. */
const STEPS = [{ pct: 75, whom: 'dispatchers' }, { pct: 100, whom: 'dispatchers' }, { pct: 150, whom: 'duty_manager' }]
const MOST_STEPS = 4

export function PromisesTab(): JSX.Element {
  const { value, reload, waiting } = useLoaded(readPromiseSettings)
  const [open, setOpen] = useState<Policy | 'new' | null>(null)
  if (!value) return waiting!
  const calendar = (id: string | null) => value.calendars.find((one) => one.calendar_id === id)
  function turn({ policy_id, ...policy }: Policy): void {
    void change(() => putPolicy(policy_id, { ...policy, active: !policy.active }), reload)
  }
  return (
    <>
      <Part title="policies" lead="policies_lead" action={<AddButton label="policy_add" onClick={() => setOpen('new')} />}>
        <Table
          name="policies"
          rows={value.policies}
          id={(one) => one.policy_id}
          off={(one) => !one.active}
          empty="policies_none"
          hint="policies_none_hint"
          columns={[
            { name: 'price_name', cell: (one) => <><strong>{own(one.name)}</strong>{!one.active && <> <span class="tag" data-tone="warn">{t('policy_off')}</span></>}</> },
            { name: 'policy_for', cell: (one) => whatOf(one, value) },
            { name: 'policy_times', cell: (one) => timesOf(one) },
            { name: 'policy_calendar', cell: (one) => (one.calendar_id ? own(calendar(one.calendar_id)?.name ?? { zh: '–', en: '–' }) : t('policy_always')) },
            { name: 'policy_steps', cell: (one) => <ul class="numbers">{one.steps.map((step) => <li key={`${step.pct}${step.whom}`}>{t('policy_step', { pct: step.pct, whom: label('whom', step.whom) })}</li>)}</ul> },
          ]}
          does={(one) => (
            <>
              <RowButton label="edit" about={own(one.name)} onClick={() => setOpen(one)} />
              <RowButton label={one.active ? 'policy_turn_off' : 'policy_turn_on'} about={own(one.name)} onClick={() => turn(one)} />
            </>
          )}
        />
      </Part>
      <Calendars calendars={value.calendars} reload={reload} />
      {open && <PolicyForm policy={open === 'new' ? null : open} settings={value} reload={reload} onClose={() => setOpen(null)} />}
    </>
  )
}

/** Which tickets a policy is for, in words. */
function whatOf(policy: Policy, settings: PromiseSettings): string {
  const workType = catalogue.value?.work_types.find((one) => one.code === policy.work_type)
  const contract = settings.contracts.find((one) => one.contract_id === policy.contract_id)
  return [
    contract && `${t('policy_contract')} ${contract.number}`, workType ? own(workType.name) : policy.work_type, policy.priority && label('priority', policy.priority),
  ].filter(Boolean).join(' · ') || t('rules_any')
}

function timesOf(policy: Policy): JSX.Element[] {
  return KINDS.flatMap((kind) => {
    const minutes = policy[`${kind}_min`]
    return minutes === null ? [] : [<span key={kind} class="tag">{t(`promise_${kind}`)} {durationText(minutes * 60_000, language.value)}</span>]
  })
}

function PolicyForm({ policy, settings, reload, onClose }: { policy: Policy | null; settings: PromiseSettings; reload: () => Promise<void>; onClose: () => void }): JSX.Element {
  const steps = policy?.steps ?? STEPS
  async function save(form: FormData): Promise<void> {
    const minutes = (kind: string): number | null => (textOf(form, `${kind}_min`) ? Number(textOf(form, `${kind}_min`)) : null)
    const chain = [...Array(MOST_STEPS).keys()].map((n) => ({ pct: Number(textOf(form, `pct_${n}`)), whom: textOf(form, `whom_${n}`) }))
    await putPolicy(policy?.policy_id ?? uuid7(), {
      name: bothOf(form), work_type: textOrNull(form, 'work_type'), priority: textOrNull(form, 'priority'), contract_id: textOrNull(form, 'contract_id'),
      calendar_id: textOrNull(form, 'calendar_id'), response_min: minutes('response'), arrival_min: minutes('arrival'), resolution_min: minutes('resolution'),
      steps: chain.filter((step) => step.pct && step.whom), active: policy?.active ?? true,
    })
    await reload()
  }
  const any: [string, string] = ['', t('rules_any')]
  const chosen = (value: string | null | undefined) => value ?? ''
  return (
    <FormDialog title={policy ? 'policy_change' : 'policy_add'} save={save} onClose={onClose}>
      <BothNames {...(policy ? { value: policy.name } : {})} />
      <div class="pair">
        <Choice name="work_type" label="policy_work_type" value={chosen(policy?.work_type)} options={[any, ...workTypeOptions(policy?.work_type ?? '')]} />
        <Choice name="priority" label="policy_priority" value={chosen(policy?.priority)} options={[any, ...PRIORITIES.map((one): [string, string] => [one, label('priority', one)])]} />
        <Choice name="contract_id" label="policy_contract" value={chosen(policy?.contract_id)} options={[any, ...settings.contracts.map((one): [string, string] => [one.contract_id, one.number])]} />
        <Choice name="calendar_id" label="policy_calendar" value={chosen(policy?.calendar_id)} options={[['', t('policy_always')], ...settings.calendars.map((one): [string, string] => [one.calendar_id, own(one.name)])]} />
        {KINDS.map((kind) => {
          const known = policy?.[`${kind}_min`]
          return <Minutes key={kind} kind={kind} value={known == null ? '' : String(known)} />
        })}
      </div>
      <fieldset class="checks steps">
        <legend>{t('policy_steps')}</legend>
        {[...Array(MOST_STEPS).keys()].map((n) => (
          <div key={n} class="pair">
            <TextField name={`pct_${n}`} label="policy_step_pct" type="number" least={1} most={1_000} required={false} value={steps[n] ? String(steps[n]!.pct) : ''} />
            <Choice name={`whom_${n}`} label="policy_step_whom" value={steps[n]?.whom ?? ''} options={[['', t('policy_step_none')], ...WHOM.map((one): [string, string] => [one, label('whom', one)])]} />
          </div>
        ))}
      </fieldset>
    </FormDialog>
  )
}

const MINUTES = { response: 'policy_response_min', arrival: 'policy_arrival_min', resolution: 'policy_resolution_min' } as const

function Minutes({ kind, value }: { kind: keyof typeof MINUTES; value: string }): JSX.Element {
  return <TextField name={`${kind}_min`} label={MINUTES[kind]} type="number" least={1} most={527_040} required={false} value={value} />
}
