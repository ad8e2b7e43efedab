import { signal } from '@preact/signals'
import type { JSX } from 'preact'
import '../styles/rules.css'
import { t } from '../words'
import { MessagesTab } from './messages_tab'
import { PromisesTab } from './promises_tab'
import { ReactionsTab } from './reactions_tab'
import { WebhooksTab } from './webhooks_tab'

const TABS = { promises: PromisesTab, reactions: ReactionsTab, messages: MessagesTab, webhooks: WebhooksTab } as const
type Tab = keyof typeof TABS
const tab = signal<Tab>('promises')

/** What the company promises, and what happens and is told by itself: for admins. */
export function RulesPage(): JSX.Element {
  const Body = TABS[tab.value]
  return (
    <main class="page">
      <header class="page-head">
        <h1>{t('nav_rules')}</h1>
        <p>{t('rules_lead')}</p>
      </header>
      <div class="views" role="group" aria-label={t('rules_tabs')}>
        {(Object.keys(TABS) as Tab[]).map((one) => (
          <button key={one} type="button" class="view" aria-pressed={tab.value === one} onClick={() => (tab.value = one)}>
            {t(`rules_${one}`)}
          </button>
        ))}
      </div>
      <Body />
    </main>
  )
}
