import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { ProofDialog } from '../admin/proof_dialog'
import { go, route } from '../route'
import { me } from '../state'
import '../styles/admin.css'
import '../styles/rules.css'
import '../styles/settings.css'
import { t } from '../words'
import { allowedSections, GROUPS, SECTIONS, type SectionName } from './sections'

export const settingsHash = (section: SectionName): string => `#/settings/${section}`

/** Everything a company sets and an operator watches: a list at the side, one section beside it. */
export function SettingsPage(): JSX.Element {
  const allowed = allowedSections(me.value!.role)
  const asked = route.value.section as SectionName | null
  const chosen = asked && allowed.includes(asked) ? asked : allowed[0]!
  const { Body, lead } = SECTIONS[chosen]
  const main = useRef<HTMLDivElement>(null)
  useEffect(() => main.current?.scrollTo(0, 0), [chosen])
  return (
    <main class="settings">
      <nav class="settings-nav" aria-label={t('settings_sections')}>
        <label class="settings-choice">
          <span class="unseen">{t('settings_sections')}</span>
          <select value={chosen} onChange={(event) => go(settingsHash(event.currentTarget.value as SectionName))}>
            {GROUPS.map((group) => {
              const names = allowed.filter((name) => SECTIONS[name].group === group)
              return names.length > 0 && (
                <optgroup key={group} label={t(`settings_group_${group}`)}>
                  {names.map((name) => <option key={name} value={name} selected={name === chosen}>{t(`settings_${name}`)}</option>)}
                </optgroup>
              )
            })}
          </select>
        </label>
        {GROUPS.map((group) => {
          const names = allowed.filter((name) => SECTIONS[name].group === group)
          return names.length > 0 && (
            <div key={group} class="settings-group">
              <h2>{t(`settings_group_${group}`)}</h2>
              <ul>
                {names.map((name) => (
                  <li key={name}><a href={settingsHash(name)} aria-current={name === chosen ? 'page' : undefined}>{t(`settings_${name}`)}</a></li>
                ))}
              </ul>
            </div>
          )
        })}
      </nav>
      <div class="settings-main" ref={main}>
        <header class="page-head">
          <h1>{t(`settings_${chosen}`)}</h1>
          <p>{t(lead)}</p>
        </header>
        <Body key={chosen} />
      </div>
      <ProofDialog />
    </main>
  )
}
