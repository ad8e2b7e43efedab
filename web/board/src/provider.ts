/** The company's own sign-in provider: whether there is one, and where it begins. */

import { api } from './state'

export interface Ways {
  provider: boolean
  company: string | null
  /** Passwords are for contractors alone. */
  only: boolean
}

export const START = '/dispatcher/v1/oidc/start'
export const PROVE = '/dispatcher/v1/oidc/prove'

/** By `?company=` of the page's address; without it of the only company here. */
export function providerOf(search: string): Promise<Ways> {
  const company = new URLSearchParams(search).get('company')
  return api.ask<Ways>('GET', company ? `/signin/ways?${new URLSearchParams({ company })}` : '/signin/ways')
}
