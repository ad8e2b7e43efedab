import type { ComponentType, JSX } from 'preact'
import { readAdmin, type Admin } from '../admin/admin_api'
import { KeysTab, ListsTab } from '../admin/keys_and_lists'
import { DispatchersTab, EngineersTab, type TabProps } from '../admin/people'
import { ProviderTab } from '../admin/provider'
import { MessagesTab } from '../rules/messages_tab'
import { PromisesTab } from '../rules/promises_tab'
import { ReactionsTab } from '../rules/reactions_tab'
import { WebhooksTab } from '../rules/webhooks_tab'
import type { Key } from '../words'
import { Checklists } from './checklists'
import { ContractsAndDuties } from './contracts'
import { Figures } from './figures'
import { Operations } from './operations'
import { useLoaded } from './parts'
import { Parts } from './stock'
import { Policies } from './policies'
import { Prices, Rates } from './prices'
import { Roster } from './roster'

interface Section {
  group: (typeof GROUPS)[number]
  lead: Key
  Body: ComponentType
  /** Shown to dispatchers too; admins see all. */
  dispatchers?: boolean
}

export const GROUPS = ['running', 'people', 'dispatch', 'promises', 'money', 'telling', 'access'] as const

/** A section that looks at the lists of the whole company. */
function withAdmin(Tab: ComponentType<TabProps>): ComponentType {
  return function WithAdmin(): JSX.Element {
    const { value, reload, waiting } = useLoaded<Admin>(readAdmin)
    return value ? <Tab admin={value} reload={reload} /> : waiting!
  }
}

export const SECTIONS = {
  operations: { group: 'running', lead: 'operations_lead', Body: Operations },
  figures: { group: 'running', lead: 'figures_lead', Body: Figures, dispatchers: true },
  engineers: { group: 'people', lead: 'engineers_lead', Body: withAdmin(EngineersTab) },
  dispatchers: { group: 'people', lead: 'dispatchers_lead', Body: withAdmin(DispatchersTab) },
  roster: { group: 'people', lead: 'roster_lead', Body: Roster, dispatchers: true },
  policies: { group: 'dispatch', lead: 'match_policies_lead', Body: Policies },
  lists: { group: 'dispatch', lead: 'lists_lead', Body: withAdmin(ListsTab) },
  checklists: { group: 'dispatch', lead: 'checklists_lead', Body: Checklists },
  promises: { group: 'promises', lead: 'promises_lead', Body: PromisesTab },
  contracts: { group: 'promises', lead: 'contracts_lead', Body: ContractsAndDuties },
  prices: { group: 'money', lead: 'prices_lead', Body: Prices },
  parts: { group: 'money', lead: 'parts_lead', Body: Parts, dispatchers: true },
  rates: { group: 'money', lead: 'rates_lead', Body: Rates },
  reactions: { group: 'telling', lead: 'reactions_lead', Body: ReactionsTab },
  messages: { group: 'telling', lead: 'messages_lead', Body: MessagesTab },
  webhooks: { group: 'telling', lead: 'webhooks_lead', Body: WebhooksTab },
  keys: { group: 'access', lead: 'keys_lead', Body: KeysTab },
  provider: { group: 'access', lead: 'provider_lead', Body: ProviderTab },
} as const satisfies Record<string, Section>

export type SectionName = keyof typeof SECTIONS

/** The sections somebody of this role may open, in the order of the list. */
export function allowedSections(role: string): SectionName[] {
  return (Object.entries(SECTIONS) as [SectionName, Section][]).filter(([, one]) => role === 'admin' || one.dispatchers).map(([name]) => name)
}
