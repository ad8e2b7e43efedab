import type { JSX } from 'preact'
import { label, t } from '../words'
import { change, useLoaded } from './loading'
import { putReaction, readReactions, type Reaction } from './rules_api'

export function ReactionsTab(): JSX.Element {
  const { value, reload, waiting } = useLoaded(readReactions)
  if (!value) return waiting!
  return (
    <section>
      <ul class="rules-list">
        {value.automations.map((one) => <Row key={one.kind} reaction={one} reload={reload} />)}
      </ul>
    </section>
  )
}

function Row({ reaction, reload }: { reaction: Reaction; reload: () => Promise<void> }): JSX.Element {
  const name = label('reaction', reaction.kind)
  const kept = Object.fromEntries(reaction.parameters.map((one) => [one.name, one.value]))
  function set(active: boolean, parameters: Record<string, number>): void {
    void change(() => putReaction(reaction.kind, active, parameters), reload)
  }
  return (
    <li data-off={!reaction.active}>
      <label class="rules-switch">
        <input type="checkbox" role="switch" checked={reaction.active} onChange={(event) => set(event.currentTarget.checked, kept)} />
        <strong>{name}</strong>
      </label>
      <div class="rules-facts">
        {reaction.parameters.map((one) => one.least === 0 && one.most === 1 ? (
          <label key={one.name} class="rules-number">
            <input
              type="checkbox"
              checked={one.value === 1}
              onChange={(event) => set(reaction.active, { ...kept, [one.name]: event.currentTarget.checked ? 1 : 0 })}
            />
            {label('parameter', one.name)}
          </label>
        ) : (
          <label key={one.name} class="rules-number">
            {label('parameter', one.name)}
            <input
              type="number"
              aria-label={`${name}: ${label('parameter', one.name)}`}
              title={t('parameter_range', { least: one.least, most: one.most })}
              min={one.least}
              max={one.most}
              defaultValue={String(one.value)}
              onChange={(event) => set(reaction.active, { ...kept, [one.name]: Number(event.currentTarget.value) })}
            />
          </label>
        ))}
      </div>
    </li>
  )
}
